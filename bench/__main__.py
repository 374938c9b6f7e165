"""The scenarios, and the table.

`python -m bench` takes about six minutes: it measures one web process and two. `--database
postgresql` starts a PostgreSQL server and measures them on it. `--million` also uses a SQLite file
with a million finished verifications (`--rows 10000000`: ten million). `--scale` measures with up
to 100,000 pending verifications. `--only areas` measures the first start after a restart when
100,000 prefixes had a start within the last hour.

A machine's speed changes from minute to minute, so the bare route (`bench/bare.py`, a separate
server) is measured before and after each rate. A ratio compares a rate with the mean of the two.
"""

import argparse
import contextlib
import socket
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.request import urlopen

from bench import chart
from bench.load import Result, exchange
from bench.service import CODE, WRONG, Service, finish, pending_id
from bot.store.rows import to_instant
from tests.console.million import fill
from tests.harness import HandClock
from tests.postgres import Server

COUNT = 3000  # requests of a rate
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


@dataclass
class Where:
    """Where a scenario runs: on files in a folder, or on a server."""

    folder: Path
    server: Server | None = None
    rows: int = 0
    web_processes: int = 1

    @contextlib.contextmanager
    def service(self, name: str, **settings: str) -> Iterator[Service]:
        place = self.folder / name
        place.mkdir()
        url = self.server.new_database() if self.server else ""
        if self.rows:
            clock = HandClock()
            clock.now = datetime.now(UTC)
            fill(place / "textback.db", clock, self.rows)
        # A day longer than the age of the oldest row, so the sweeper removes none during the run.
        settings = {"RETENTION_DAYS": "31", **settings}
        made = Service(place, url, WEB_CONCURRENCY=str(self.web_processes), **settings)
        try:
            yield made
        finally:
            made.close()


class Compared:
    """Rates on one service, each between two rates of the bare route, which is one process."""

    def __init__(self, made: Service) -> None:
        self._made = made
        self._plain = [made.reply(phones(0, 1)[0], CODE, path="/plain") for _ in range(PLAIN)]
        self._port = made.boot_bare()
        self.bare()  # warm
        self._before = self.bare()
        self.rows = [_row("bare form route", self._before, 1.0, 1.0)]

    def bare(self) -> Result:
        return self._made.drive(self._plain, port=self._port)

    def measure_bare(self, processes: int) -> None:
        """The bare route with as many processes as the service."""
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
        self.rows.append(_row(name, result, result.rate / rate, result.percentile(0.99) / p99))


def _row(name: str, result: Result, ratio: float, p99_ratio: float) -> Row:
    p = result.percentile
    return Row(name, result.rate, ratio, p(0.5), p(0.95), p(0.99), p99_ratio)


def phones(first: int, count: int) -> list[str]:
    return [f"+1425{5560000 + first + number:07}" for number in range(count)]


def rates(where: Where) -> list[Row]:
    """Replies and status reads, one after the other on one service."""
    with where.service("rates") as made:
        right, wrong = phones(0, COUNT), phones(COUNT, COUNT)
        made.make_pending([*right, *wrong])
        made.boot()
        time.sleep(5)  # the dispatcher first adds the new history to the hourly counts
        compared = Compared(made)
        half = COUNT // 2
        jobs = {
            "right replies": [made.reply(phone, CODE) for phone in right[:half]],
            "wrong replies": [made.reply(phone, WRONG) for phone in wrong[:half]],
            "unknown senders": [made.reply(phone, CODE) for phone in phones(50_000, half)],
            "status reads": [made.read_status(pending_id(phone)) for phone in right[:half]],
            "right replies, again": [made.reply(phone, CODE) for phone in right[half:]],
            "wrong replies, again": [made.reply(phone, WRONG) for phone in wrong[half:]],
        }
        for name, requests in jobs.items():
            compared.measure(name, requests)
        if where.web_processes > 1:
            compared.measure_bare(where.web_processes)
        sql = "SELECT count(*) AS n FROM history WHERE event = 'approved'"
        (approved,) = made.ask(sql)
        assert approved["n"] == COUNT + where.rows * 14 // 20, approved
        return compared.rows


def starts(where: Where, *, is_beside: bool) -> list[Row]:
    """Starts whose texts go out in the same seconds: from the first request to the last text."""
    name = "starts, dispatcher beside" if is_beside else "starts, dispatcher inside"
    with where.service(f"starts-{is_beside}") as made:
        made.boot(DISPATCH="off" if is_beside else "thread")
        if is_beside:
            made.run("flask", "--app", "wsgi", "dispatch")
            time.sleep(2)
        made.drive([made.begun(phone) for phone in phones(90_000, 100)])
        compared = Compared(made)
        count = COUNT // 2
        began = time.perf_counter()
        result = made.drive([made.begun(phone) for phone in phones(0, count)])
        while len(made.simulator.world.messages()) < count + 100:
            time.sleep(0.02)
        sent = count / (time.perf_counter() - began)
        plain = compared.rows[0].rate
        plain = (plain + compared.bare().rate) / 2
        answered = _row(name, result, result.rate / plain, 0.0)
        answered.p99_ratio = None
        return [answered, Row(f"{name}, texts sent", sent, sent / plain)]


def visible(where: Where, half_of: float) -> Row:
    """From a posted reply to the decision in the status, at half of the full load."""
    with where.service("visible") as made:
        loaded, watched = phones(0, COUNT), phones(COUNT, 200)
        made.make_pending([*loaded, *watched])
        made.boot()
        load = made.begin_to_drive([made.reply(p, CODE) for p in loaded], rate=half_of)
        time.sleep(1)
        times = []
        for phone in watched:
            began = time.perf_counter()
            made_visible(made, phone)
            times.append((time.perf_counter() - began) * 1000)
        finish(load)
        result = Result(sum(times) / 1000, {}, times)
        row = _row("reply to visible decision, half load", result, 0.0, 0.0)
        row.ratio = row.p99_ratio = None
        return row


def made_visible(made: Service, phone: str) -> None:
    with socket.create_connection(("127.0.0.1", made.port)) as connection:
        assert exchange(connection, made.reply(phone, CODE)) == b"200"
        assert exchange(connection, made.read_status(pending_id(phone))) == b"200"


def sends(where: Where, milliseconds: int) -> Row:
    """Texts a second where each call to Twilio takes this much longer."""
    with where.service(f"sends-{milliseconds}") as made:
        made.simulator.faults.add("delay", seconds=milliseconds / 1000, times=10**9)
        made.boot(DISPATCH="off")
        count = 1000
        made.drive([made.begun(phone) for phone in phones(0, count)])
        made.run("flask", "--app", "wsgi", "dispatch")
        while not made.simulator.world.messages():
            time.sleep(0.005)
        began = time.perf_counter()
        while len(made.simulator.world.messages()) < count:
            time.sleep(0.01)
        seconds = time.perf_counter() - began
        return Row(f"sends, {milliseconds} ms at Twilio", count / seconds, None)


@dataclass
class Scale:
    pending: int
    restart_seconds: float
    mebibytes: float
    threads: int
    lateness_p99_ms: float
    lateness_worst_ms: float


def scale(where: Where, pending: int, *, spread_seconds: float) -> Scale:
    """Measures `pending` verifications whose deadlines are spread over `spread_seconds`."""
    with where.service(f"pending-{pending}") as made:
        made.make_pending(phones(0, pending), spread_seconds=spread_seconds)
        began = time.perf_counter()
        process = made.start()
        seconds = time.perf_counter() - began
        threads = mebibytes = 0.0
        for _ in range(int(spread_seconds) + 15 + pending // 4000):
            time.sleep(1)
            child = _child(process.pid)
            status = Path(f"/proc/{child}/status").read_text()
            mebibytes = max(mebibytes, _number(status, "VmRSS") / 1024)
            threads = max(threads, _number(status, "Threads"))
        ends = made.ask(
            "SELECT h.at, v.ended_at FROM history h JOIN verification v"
            " ON v.id = h.verification_id WHERE h.event = 'expired'"
        )
        late = sorted(
            (to_instant(row["at"]) - to_instant(row["ended_at"])).total_seconds() * 1000
            for row in ends
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


def areas(where: Where, count: int) -> tuple[float, float]:
    """Seconds until a restarted service answers, and seconds that its first start takes, when
    `count` prefixes had a start within the last hour."""
    with where.service(f"areas-{count}") as made:
        made.make_usage(count)
        booted = made.boot()
        began = time.perf_counter()
        result = made.drive([made.begun(phones(0, 1)[0])], connections=1)
        assert result.statuses == {"202": 1}, result.statuses
        return booted, time.perf_counter() - began


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
