"""Transactions that are held open, and the rows that they write."""

import threading
from collections.abc import Callable

from bot.admission.admission import Admission
from bot.domain.effects import UsageKind
from bot.domain.events import Event, EventName
from bot.store import history, opt_outs, usage
from bot.store.postgres import PostgresStore
from bot.store.tx import Done, Tx
from bot.usecases.start import start
from tests.builders import OUR_NUMBER, PHONE, RULES
from tests.builders import start as wanted
from tests.postgres import ask


def mark(tx: Tx, phone: str = PHONE) -> Done[None]:
    opt_outs.mark(tx, phone=phone, from_address=OUR_NUMBER)
    return Done(None)


def marks(store: PostgresStore) -> int:
    return store.read(lambda tx: tx.one("SELECT count(*) AS n FROM opt_out")["n"])


class Held:
    """A write transaction in a thread of its own, open between `began` and `let_go`."""

    def __init__(self, store: PostgresStore, use_case: Callable[[Tx], Done[None]]) -> None:
        self._may_end = threading.Event()
        has_begun = threading.Event()

        def held(tx: Tx) -> Done[None]:
            done = use_case(tx)
            has_begun.set()
            self._may_end.wait(10)
            return done

        self._thread = threading.Thread(target=store.write, args=(held,))
        self._thread.start()
        assert has_begun.wait(10)

    def let_go(self) -> None:
        self._may_end.set()
        self._thread.join(10)


def count_start(tx: Tx, id: str) -> Done[None]:
    usage.add(tx, UsageKind.START, phone=PHONE, country="US", started_by="function", run_id=id)
    return Done(None)


def note(tx: Tx, id: str) -> Done[None]:
    history.append(tx, id, [Event(EventName.STARTED)])
    return Done(None)


ENDPOINT = "https://app.example.com/webhooks"


def waits_for_a_lock(url: str) -> bool:
    sql = "SELECT 1 FROM pg_locks l JOIN pg_stat_activity USING (pid)"
    return bool(ask(url, f"{sql} WHERE NOT granted AND datname = current_database()"))


def begin(store: PostgresStore, phone: str = PHONE) -> str:
    new = wanted(phone=phone, id=f"id-{phone[-4:]}")
    return store.write(start, new, RULES, Admission()).id
