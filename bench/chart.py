"""Draws the rates as bars, relative to the bare route, in an SVG."""

from collections.abc import Sequence
from html import escape

WIDTH, LINE, LABEL = 640, 24, 270


def svg(rates: Sequence[tuple[str, float, float]]) -> str:
    """Draws the rates, each given by its name, its rate, and its ratio to the bare route."""
    lines = []
    longest = max(ratio for _, _, ratio in rates)
    for place, (name, rate, ratio) in enumerate(rates):
        y = place * LINE
        width = (WIDTH - LABEL - 110) * ratio / longest
        lines.append(
            f'<text x="{LABEL - 8}" y="{y + 16}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{LABEL}" y="{y + 4}" width="{width:.1f}" height="16" fill="#4a7ab5"/>'
            f'<text x="{LABEL + width + 6:.1f}" y="{y + 16}">{rate:.0f}/s, {ratio:.2f}</text>'
        )
    height = len(rates) * LINE + 4
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        ' font-family="system-ui, sans-serif" font-size="12" fill="#555">'
        f"<title>Rates a second, and their ratio to a plain form route</title>{''.join(lines)}"
        "</svg>\n"
    )
