"""Counts as SVG, drawn here so that they need no script. Colours come from the style sheet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bot.usecases.overview import Slice

WIDTH, HEIGHT = 480, 160
LEFT, FOOT, TOP = 40, 18, 8  # room for the axes' numbers
LABELS = 8  # at most, along the foot


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    kind: str  # a class of the style sheet


@dataclass(frozen=True, slots=True)
class Tick:
    at: float  # x of a label at the foot, y of a line across
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[Bar]
    times: list[Tick]
    counts: list[Tick]


def over_time(steps: Sequence[Slice]) -> Chart:
    """Draws, for each hour or day, a bar for the starts, and one for the approvals before it."""
    top = highest_tick(max((max(one.started, one.approved) for one in steps), default=0))
    wide = (WIDTH - LEFT) / max(1, len(steps))
    every = -(-len(steps) // LABELS)
    bars, times = [], []
    for place, step in enumerate(steps):
        x = LEFT + place * wide
        for kind, count in (("started", step.started), ("approved", step.approved)):
            if count:
                y = _height(count, top)
                bars.append(
                    Bar(round(x + 1, 2), y, round(wide - 2, 2), round(_height(0, top) - y, 2), kind)
                )
        if place % every == 0:
            times.append(Tick(round(x + wide / 2, 2), short(step.name)))
    counts = sorted({0, top // 2, top})
    return Chart(bars, times, [Tick(_height(count, top), f"{count:,}") for count in counts])


def short(name: str) -> str:
    """An hour or a day as the foot of a chart has it.

    >>> short("2026-01-31T09"), short("2026-01-31")
    ('09:00', '31 Jan')
    """
    if "T" in name:
        return f"{name[-2:]}:00"
    day = date.fromisoformat(name)
    return f"{day.day} {day:%b}"


def highest_tick(count: int) -> int:
    """Returns the next number of the form 2, 4 or 10 times a power of ten; its half is whole.

    >>> [highest_tick(count) for count in (0, 1, 3, 7, 11, 180, 999)]
    [2, 2, 4, 10, 20, 200, 1000]
    """
    power = 1
    while True:
        for step in (2, 4, 10):
            if step * power >= count:
                return step * power
        power *= 10


def _height(count: int, top: int) -> float:
    full = HEIGHT - FOOT - TOP
    return round(TOP + full * (1 - count / top), 2)
