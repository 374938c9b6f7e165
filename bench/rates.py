"""Replies, status reads, starts and sends."""

import socket
import time

from bench.comparison import Compared, Row, row_of
from bench.load import Result, exchange
from bench.service import CODE, WRONG, Service, finish, pending_id
from bench.where import Where, phones
from bot.store.rows import to_instant

COUNT = 3000  # requests of a rate


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
    """Measures starts and the sending of their texts, from the first request to the last text."""
    name = "starts, dispatcher beside" if is_beside else "starts, dispatcher inside"
    with where.service(f"starts-{is_beside}") as made:
        made.boot(DISPATCH="off" if is_beside else "thread")
        if is_beside:
            made.run("flask", "--app", "wsgi", "dispatch")
            time.sleep(2)
        made.drive([made.begun(phone) for phone in phones(90_000, 100)])
        compared = Compared(made)
        count = COUNT // 2
        result = made.drive([made.begun(phone) for phone in phones(0, count)])
        while len(made.simulator.world.messages()) < count + 100:
            time.sleep(0.02)
        sent = count / (time.monotonic() - result.began)
        plain = compared.rows[0].rate
        plain = (plain + compared.bare().rate) / 2
        answered = row_of(name, result, result.rate / plain, 0.0)
        answered.p99_ratio = None
        going_out = Row(f"{name}, texts sent", sent, sent / plain, *_waits(made))
        return [answered, going_out]


def _waits(made: Service) -> list[float]:
    """Milliseconds from a start to the handing of its text to Twilio: p50, p95, p99."""
    rows = made.ask("SELECT queued_at, first_try_at FROM outbox")
    waits = [to_instant(row["first_try_at"]) - to_instant(row["queued_at"]) for row in rows]
    result = Result(0, {}, [wait.total_seconds() * 1000 for wait in waits])
    return [result.percentile(share) for share in (0.5, 0.95, 0.99)]


def visible(where: Where, half_of: float) -> Row:
    """Measures from a posted reply to the decision in the status, at half of the full load."""
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
        row = row_of("reply to visible decision, half load", result, 0.0, 0.0)
        row.ratio = row.p99_ratio = None
        return row


def made_visible(made: Service, phone: str) -> None:
    with socket.create_connection(("127.0.0.1", made.port)) as connection:
        assert exchange(connection, made.reply(phone, CODE)) == b"200"
        assert exchange(connection, made.read_status(pending_id(phone))) == b"200"


def sends(where: Where, milliseconds: int) -> Row:
    """Measures texts a second when each call to Twilio takes this much longer."""
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
