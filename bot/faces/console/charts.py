"""Figures as SVG, drawn here so that they need no script. Colours come from the style sheet."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.usecases.overview import Slice

WIDTH, HEIGHT = 480, 120
FOOT = 16  # for the hours


@dataclass(frozen=True, slots=True)
class Bar:
    x: float
    y: float
    width: float
    height: float
    kind: str  # a class of the style sheet


@dataclass(frozen=True, slots=True)
class Label:
    x: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    bars: list[Bar]
    labels: list[Label]
    highest: int


def by_hour(hours: Sequence[Slice]) -> Chart:
    """For each hour a bar for the starts, and one for the approvals before it."""
    highest = max((max(hour.started, hour.approved) for hour in hours), default=0)
    step = WIDTH / max(1, len(hours))
    bars, labels = [], []
    for place, hour in enumerate(hours):
        for kind, count in (("started", hour.started), ("approved", hour.approved)):
            if count:
                tall = max(1.0, count / highest * (HEIGHT - FOOT))
                bars.append(
                    Bar(
                        round(place * step + 1, 2),
                        round(HEIGHT - FOOT - tall, 2),
                        round(step - 2, 2),
                        round(tall, 2),
                        kind,
                    )
                )
        if place % 6 == 0:
            labels.append(Label(round(place * step + step / 2, 2), hour.name))
    return Chart(bars, labels, highest)
