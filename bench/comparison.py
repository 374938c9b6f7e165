"""Rates beside those of the bare route, and the table of them.

A machine's speed changes from minute to minute, so the bare route (`bench/bare.py`, a separate
server) is measured before and after each rate. A ratio compares a rate with the mean of the two.
"""

from dataclasses import dataclass

from bench.load import Result
from bench.service import CODE, Service
from bench.where import phones

PLAIN = 1500  # requests of the bare route, each time


@dataclass
class Row:
    name: str
    rate: float
    ratio: float | None  # to the bare route
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    p99_ratio: float | None = None


class Compared:
    """Measures rates of one service, each between two rates of the bare route (one process)."""

    def __init__(self, made: Service) -> None:
        self._made = made
        self._plain = [made.reply(phones(0, 1)[0], CODE, path="/plain") for _ in range(PLAIN)]
        self._port = made.boot_bare()
        self.bare()  # warm
        self._before = self.bare()
        self.rows = [row_of("bare form route", self._before, 1.0, 1.0)]

    def bare(self) -> Result:
        return self._made.drive(self._plain, port=self._port)

    def measure_bare(self, processes: int) -> None:
        """Measures the bare route with as many processes as the service."""
        port = self._made.boot_bare(processes)
        self._made.drive(self._plain, port=port)  # warm
        self._add(f"bare form route, {processes} processes", self._plain, port)

    def measure(self, name: str, requests: list[bytes]) -> None:
        self._add(name, requests, self._made.port)

    def _add(self, name: str, requests: list[bytes], port: int) -> None:
        result = self._made.drive(requests, port=port)
        after = self.bare()
        plains = (self._before, after)
        rate = sum(plain.rate for plain in plains) / 2
        p99 = sum(plain.percentile(0.99) for plain in plains) / 2
        self._before = after
        self.rows.append(row_of(name, result, result.rate / rate, result.percentile(0.99) / p99))


def row_of(name: str, result: Result, ratio: float, p99_ratio: float) -> Row:
    p = result.percentile
    return Row(name, result.rate, ratio, p(0.5), p(0.95), p(0.99), p99_ratio)


def tell(rows: list[Row]) -> None:
    heads = ("a second", "ratio", "p50", "p95", "p99", "p99 ratio")
    print(f"| {'what':<42} | " + " | ".join(f"{head:>9}" for head in heads) + " |")
    print(f"| {'---':<42} | " + " | ".join(f"{'---:':>9}" for _ in heads) + " |")
    for row in rows:
        numbers = [f"{row.rate:.0f}", _shown(row.ratio, 2)]
        numbers += [_shown(t or None, 1) for t in (row.p50, row.p95, row.p99)]
        numbers.append(_shown(row.p99_ratio, 2))
        print(f"| {row.name:<42} | " + " | ".join(f"{n:>9}" for n in numbers) + " |", flush=True)


def _shown(number: float | None, digits: int) -> str:
    return "" if number is None else f"{number:.{digits}f}"
