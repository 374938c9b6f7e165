"""Measures the cost of a verification in rows, bytes and transactions, on both databases.

`python -m bench.cost` runs a thousand verifications through the use cases (start, send, two
delivery reports, approval), then queries the databases for sizes and counts. It measures no time,
so other programs may run at the same time.
"""

import sqlite3
import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bot.admission.admission import Admission
from bot.channels.gateway import Report
from bot.domain.delivery import Delivery
from bot.store.opening import open_store
from bot.store.tx import Store
from bot.usecases import answer, claim, report, send
from bot.usecases.heartbeat import assume_all_judged
from bot.usecases.start import start
from simulator.world import new_sid
from tests.builders import RULES, code_of, inbound
from tests.builders import start as wanted
from tests.postgres import Server, ask

COUNT = 1000
TABLES = "verification outbox history usage inbound hourly_count".split()


class Counted:
    """A store that counts the calls of `write`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.writes = 0

    def write(self, use_case: Any, *args: Any, **more: Any) -> Any:
        self.writes += 1
        return self.store.write(use_case, *args, **more)


def verify(store: Counted, number: int) -> None:
    made = wanted(phone=f"+1425{5550000 + number:07}")
    store.write(start, made, RULES, Admission())
    claiming = partial(
        claim.claim_due,
        lease=timedelta(seconds=24),
        limit=9,
        rules=RULES,
        asked_at=0.0,
    )
    sid = new_sid("SM")
    for taken in store.write(claiming):
        store.write(send.accepted, taken, sid=sid)
        for state in (Delivery.SENT, Delivery.DELIVERED):
            told = Report(taken.text_id, sid, state, None, False, None, None)
            store.write(report.reported, told, RULES)
    text = inbound(code_of(made), phone=made.phone)
    assert store.write(answer.judge_text, text, rules=RULES, judged_until=assume_all_judged).answer


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cost.db"
        store = open_store(f"sqlite:///{path}", connections=1)
        counted = Counted(store)
        for number in range(COUNT):
            verify(counted, number)
        rows = {
            name: store.read(lambda tx, n=name: tx.one(f"SELECT count(*) AS n FROM {n}")["n"])
            for name in TABLES
        }
        store.close()
        db = sqlite3.connect(path)
        db.execute("VACUUM")
        db.close()
        print(f"use cases that write: {counted.writes / COUNT:.1f} a verification")
        print("rows:", ", ".join(f"{name} {count / COUNT:g}" for name, count in rows.items()))
        print(f"SQLite: {path.stat().st_size / COUNT:.0f} bytes with indexes")
    server = Server()
    try:
        url = server.new_database()
        store = open_store(url, connections=2)
        before = _measures(url)
        counted = Counted(store)
        for number in range(COUNT):
            verify(counted, number)
        store.close()
        after = _measures(url)
        ask(url, "VACUUM FULL")
        (full,) = ask(url, "SELECT pg_database_size(current_database()) AS size")
        (empty,) = ask(server.new_database(), "SELECT pg_database_size(current_database()) AS size")
        print(
            f"PostgreSQL: {(full['size'] - empty['size']) / COUNT:.0f} bytes with indexes, vacuumed"
        )
        print(f"PostgreSQL: {(after['wal'] - before['wal']) / COUNT:.0f} bytes of its log (WAL)")
        print(f"PostgreSQL: {(after['commits'] - before['commits']) / COUNT:.1f} commits")
    finally:
        server.close()


def _measures(url: str) -> dict[str, Any]:
    ask(url, "SELECT pg_stat_force_next_flush()")
    (row,) = ask(
        url,
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint AS wal, xact_commit AS commits"
        " FROM pg_stat_database WHERE datname = current_database()",
    )
    return row


if __name__ == "__main__":
    main()
