"""The scenarios.

`python -m bench` takes about six minutes: it measures one web process and two. `--database
postgresql` starts a PostgreSQL server and measures them on it. `--million` also uses a SQLite file
with a million finished verifications (`--rows 10000000`: ten million). `--scale` measures with up
to 100,000 pending verifications. `--only areas` measures the first start after a restart when
100,000 prefixes had a start within the last hour.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench import chart
from bench.comparison import Row, tell
from bench.rates import rates, sends, starts, visible
from bench.scale import areas, scale
from bench.where import Where
from tests.postgres import Server


def measure(where: Where, wanted: argparse.Namespace) -> list[Row]:
    def is_wanted(part: str) -> bool:
        return wanted.only in (None, part)

    measured = rates(where) if is_wanted("rates") or is_wanted("visible") else []
    if is_wanted("starts"):
        measured += starts(where, is_beside=False)
        measured += starts(where, is_beside=True)
    if is_wanted("visible"):
        right = next(row for row in measured if row.name == "right replies")
        measured.append(visible(where, right.rate / 2))
    if is_wanted("sends") and not where.rows and where.web_processes == 1:
        measured += [sends(where, milliseconds) for milliseconds in (0, 150)]
    return measured


def places(folder: Path, wanted: argparse.Namespace) -> Iterator[tuple[str, Where]]:
    counts = [wanted.processes] if wanted.processes else [1, 2]
    server = Server(is_durable=True) if wanted.database == "postgresql" else None
    try:
        for rows in [0, wanted.rows] if wanted.million and server is None else [0]:
            for count in counts:
                place = folder / f"{rows}-{count}"
                place.mkdir()
                title = "SQLite" if server is None else "PostgreSQL"
                title += f", {count} web process(es), {rows} finished verifications"
                yield title, Where(place, server, rows, count)
    finally:
        if server is not None:
            server.close()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--processes", type=int, help="as many web processes alone")
    parser.add_argument("--million", action="store_true", help="the rates on a million rows too")
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many with --million")
    parser.add_argument("--scale", action="store_true", help="10 to 100,000 pending")
    parser.add_argument("--spread", type=float, default=600.0, help="seconds of their deadlines")
    parser.add_argument("--only", choices=["rates", "starts", "sends", "visible", "scale", "areas"])
    parser.add_argument("--chart", type=Path, help="where to draw the rates, as SVG")
    wanted = parser.parse_args()
    disk = Path(__file__).parents[1] / "instance"  # on a disk: /tmp may be memory
    disk.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=disk) as name:
        if wanted.only == "areas":
            for count in (0, 100_000):
                booted, first = areas(Where(Path(name)), count)
                print(f"{count} areas: answers after {booted:.2f} s, first start {first:.2f} s")
            return
        if wanted.only != "scale":
            measure_all(Path(name), wanted)
        if wanted.scale or wanted.only == "scale":
            measure_scale(Path(name), wanted.spread)


def measure_all(folder: Path, wanted: argparse.Namespace) -> None:
    for title, where in places(folder, wanted):
        print(f"\n{title}; times in milliseconds\n")
        measured = measure(where, wanted)
        tell(measured)
        if wanted.chart and not where.rows and where.web_processes == 1:
            bars = [(row.name, row.rate, row.ratio) for row in measured if row.ratio]
            wanted.chart.write_text(chart.svg(bars))


def measure_scale(folder: Path, spread_seconds: float) -> None:
    print("\n| pending | restart s | MiB | threads | expiry late p99 ms | worst ms |")
    print("| ---: | ---: | ---: | ---: | ---: | ---: |")
    for pending, seconds in ((10, 5.0), (10_000, 60.0), (100_000, spread_seconds)):
        s = scale(Where(folder), pending, spread_seconds=seconds)
        print(
            f"| {s.pending} | {s.restart_seconds:.2f} | {s.mebibytes:.0f} | {s.threads} |"
            f" {s.lateness_p99_ms:.0f} | {s.lateness_worst_ms:.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
