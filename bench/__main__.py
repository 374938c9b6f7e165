"""The scenarios, and the table.

`python -m bench` takes about five minutes; `--million` runs the rates again on a file with a
million finished verifications (`--rows 10000000` with ten), `--scale` the pending ones by the
hundred thousand.
"""

import argparse
import contextlib
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

from bench import chart
from bench.load import Result, exchange
from bench.service import CODE, WRONG, Service, finish, pending_id
from tests.console.million import fill
from tests.desk import HandClock

COUNT = 3000  # requests of a rate


@dataclass
class Row:
    name: str
    rate: float
    p50: float
    p95: float
    p99: float
    statuses: dict[str, int] = field(default_factory=dict)

    @staticmethod
    def of(name: str, result: Result) -> "Row":
        p = result.percentile
        return Row(name, result.rate, p(0.5), p(0.95), p(0.99), result.statuses)


def phones(first: int, count: int) -> list[str]:
    return [f"+1425{5560000 + first + number:07}" for number in range(count)]


@contextlib.contextmanager
def service(folder: Path, *, rows: int = 0, **settings: str) -> Iterator[Service]:
    folder.mkdir()
    if rows:
        clock = HandClock()
        clock.now = datetime.now(UTC)  # older ones would be swept away meanwhile
        fill(folder / "textback.db", clock, rows)
    made = Service(folder, **settings)
    try:
        yield made
    finally:
        made.close()


def rates(folder: Path, rows: int) -> list[Row]:
    """Replies, status reads and the plain route, one after the other on one service."""
    found: list[Row] = []
    with service(folder / "rates", rows=rows) as made:
        right, wrong = phones(0, COUNT), phones(COUNT, COUNT)
        made.make_pending([*right, *wrong])
        made.start()
        plain = [made.reply(right[0], CODE, path="/plain") for _ in range(COUNT)]
        made.drive(plain[:500])  # warm
        jobs = {
            "plain form route": plain,
            "right replies": [made.reply(phone, CODE) for phone in right],
            "plain form route, again": plain,
            "wrong replies": [made.reply(phone, WRONG) for phone in wrong],
            "unknown senders": [made.reply(phone, CODE) for phone in phones(50_000, COUNT)],
            "status reads": [made.read_status(pending_id(phone)) for phone in right],
        }
        for name, requests in jobs.items():
            found.append(Row.of(name, made.drive(requests)))
        (approved,) = made.ask("SELECT count(*) FROM history WHERE event = 'approved'")[0]
        finished = rows * 14 // 20
        assert approved == COUNT + finished, approved
    return found


def starts(folder: Path, rows: int, *, is_beside: bool) -> list[Row]:
    """Starts whose texts go out in the same seconds: from the first request to the last text."""
    name = "starts, dispatcher beside" if is_beside else "starts, dispatcher inside"
    with service(folder / f"starts-{is_beside}", rows=rows) as made:
        made.start(DISPATCH="off" if is_beside else "thread")
        if is_beside:
            made.run("flask", "--app", "wsgi", "dispatch")
            time.sleep(2)
        made.drive([made.begin(phone) for phone in phones(90_000, 100)])
        began = time.perf_counter()
        count = COUNT // 2
        result = made.drive([made.begin(phone) for phone in phones(0, count)])
        answered = time.perf_counter() - began
        while len(made.simulator.world.messages()) < count + 100:
            time.sleep(0.05)
        sent = time.perf_counter() - began
        row = Row.of(name, result)
        sustained = Row(f"{name}, texts sent", count / sent, 0, 0, 0, {"answered": int(answered)})
        return [row, sustained]


def visible(folder: Path, half_of: float) -> Row:
    """From a posted reply to the decision in the status, at half of the full load."""
    with service(folder / "visible") as made:
        loaded, watched = phones(0, COUNT), phones(COUNT, 200)
        made.make_pending([*loaded, *watched])
        made.start()
        load = made.begin_to_drive([made.reply(p, CODE) for p in loaded], rate=half_of)
        time.sleep(1)
        times = []
        for phone in watched:
            began = time.perf_counter()
            made_visible(made, phone)
            times.append((time.perf_counter() - began) * 1000)
        finish(load)
        return Row.of("reply to visible decision, half load", Result(sum(times) / 1000, {}, times))


def made_visible(made: Service, phone: str) -> None:
    with socket.create_connection(("127.0.0.1", made.port)) as connection:
        assert exchange(connection, made.reply(phone, CODE)) == b"200"
        assert exchange(connection, made.read_status(pending_id(phone))) == b"200"


def sends(folder: Path, milliseconds: int) -> Row:
    """Texts a second where each call to Twilio takes this much longer."""
    with service(folder / f"sends-{milliseconds}") as made:
        made.simulator.faults.add("delay", seconds=milliseconds / 1000, times=10**9)
        made.start(DISPATCH="off")
        count = 1000
        made.drive([made.begin(phone) for phone in phones(0, count)])
        made.run("flask", "--app", "wsgi", "dispatch")
        while not made.simulator.world.messages():
            time.sleep(0.005)
        began = time.perf_counter()
        while len(made.simulator.world.messages()) < count:
            time.sleep(0.01)
        seconds = time.perf_counter() - began
        return Row(f"sends, {milliseconds} ms at Twilio", count / seconds, 0, 0, 0)


@dataclass
class Scale:
    pending: int
    restart_seconds: float
    mebibytes: float
    threads: int
    lateness_p99_ms: float
    lateness_worst_ms: float


def scale(folder: Path, pending: int, *, spread_seconds: float) -> Scale:
    """So many pending whose deadlines are spread over so many seconds."""
    with service(folder / f"pending-{pending}") as made:
        made.make_pending(phones(0, pending), spread_seconds=spread_seconds)
        seconds = made.start()
        process = made.processes[0]
        threads = mebibytes = 0.0
        for _ in range(int(spread_seconds) + 15):
            time.sleep(1)
            child = _child(process.pid)
            status = Path(f"/proc/{child}/status").read_text()
            mebibytes = max(mebibytes, _number(status, "VmRSS") / 1024)
            threads = max(threads, _number(status, "Threads"))
        late = sorted(
            row[0] * 1000
            for row in made.ask(
                "SELECT (julianday(h.at) - julianday(v.ended_at)) * 86400 FROM history h"
                " JOIN verification v ON v.id = h.verification_id WHERE h.event = 'expired'"
            )
        )
        assert len(late) == pending, (len(late), pending)
        urlopen(f"{made.url}/healthz", timeout=5).close()
        return Scale(
            pending, seconds, mebibytes, int(threads), late[int(len(late) * 0.99) - 1], late[-1]
        )


def _child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])


def _number(status: str, name: str) -> float:
    line = next(line for line in status.splitlines() if line.startswith(name + ":"))
    return float(line.split()[1])


def tell(rows: list[Row], plain: Row) -> None:
    print(
        f"| {'what':<42} | {'a second':>8} | {'ratio':>5} | {'p50':>6} | {'p95':>6} | {'p99':>6} |"
    )
    print(f"| {'---':<42} | {'---:':>8} | {'---:':>5} | {'---:':>6} | {'---:':>6} | {'---:':>6} |")
    for row in rows:
        times = [f"{t:6.1f}" if t else "      " for t in (row.p50, row.p95, row.p99)]
        print(
            f"| {row.name:<42} | {row.rate:8.0f} | {row.rate / plain.rate:5.2f} |"
            f" {' | '.join(times)} |",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--million", action="store_true", help="the rates on a million rows too")
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many with --million")
    parser.add_argument("--scale", action="store_true", help="10 to 100,000 pending")
    parser.add_argument("--only", choices=["rates", "starts", "sends", "visible", "scale"])
    parser.add_argument("--chart", type=Path, help="where to draw the rates, as SVG")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=Path(__file__).parents[1] / "instance") as name:
        run(Path(name), wanted)


def run(folder: Path, wanted: argparse.Namespace) -> None:
    def is_wanted(part: str) -> bool:
        return wanted.only in (None, part)

    for rows in [0, wanted.rows] if wanted.million else [0]:
        place = folder / f"rows-{rows}"
        place.mkdir()
        print(f"\n{rows} finished verifications in the file; times in milliseconds\n")
        measured = rates(place, rows)
        plain = measured[0]
        right = next(row for row in measured if row.name == "right replies")
        if is_wanted("starts"):
            measured += starts(place, rows, is_beside=False)
            measured += starts(place, rows, is_beside=True)
        if is_wanted("visible"):
            measured.append(visible(place, right.rate / 2))
        if is_wanted("sends") and not rows:
            measured += [sends(place, milliseconds) for milliseconds in (0, 150)]
        tell(measured, plain)
        if wanted.chart and not rows:
            bars = [(row.name, row.rate, row.rate / plain.rate) for row in measured]
            wanted.chart.write_text(chart.svg(bars))
    if wanted.scale:
        print("\n| pending | restart s | MiB | threads | expiry late p99 ms | worst ms |")
        print("| ---: | ---: | ---: | ---: | ---: | ---: |")
        for pending, seconds in ((10, 5.0), (10_000, 60.0), (100_000, 600.0)):
            s = scale(folder, pending, spread_seconds=seconds)
            print(
                f"| {s.pending} | {s.restart_seconds:.2f} | {s.mebibytes:.0f} | {s.threads} |"
                f" {s.lateness_p99_ms:.0f} | {s.lateness_worst_ms:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
