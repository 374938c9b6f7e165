"""The application's own database: accounts, and what came of their verifications."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .textback import Started

SCHEMA = """
CREATE TABLE IF NOT EXISTS account (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    number TEXT,            -- these six: of the present verification
    verification TEXT,
    reference TEXT,
    status_link TEXT,       -- reads it: may be given to the page
    event_link TEXT,        -- these two act on it: they stay here
    terminate_link TEXT,
    sent_at REAL            -- of the newest text that was asked for, seconds since 1970
);
-- All that an account has begun: answers to two starts may be stored in any order.
CREATE TABLE IF NOT EXISTS verification (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    number TEXT NOT NULL
);
INSERT OR IGNORE INTO verification
    SELECT verification, id, number FROM account WHERE verification IS NOT NULL;
CREATE TABLE IF NOT EXISTS outcome (verification TEXT PRIMARY KEY, status TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS webhook (id TEXT PRIMARY KEY);
"""


@dataclass(frozen=True, slots=True)
class Account:
    id: str
    name: str
    number: str
    verification: str
    reference: str
    status_link: str
    event_link: str
    terminate_link: str
    sent_at: float


class Accounts:
    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        with self._transaction() as db:
            db.executescript(SCHEMA)

    def sign_up(self, id: str, name: str) -> None:
        with self._transaction() as db:
            db.execute(
                "INSERT INTO account (id, name) VALUES (?, ?)"
                " ON CONFLICT (id) DO UPDATE SET name = excluded.name",
                (id, name),
            )

    def begin(self, id: str, number: str, started: Started, now: float) -> None:
        """The account's present verification, in place of an earlier one."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO verification VALUES (?, ?, ?)", (started.id, id, number)
            )
            db.execute(
                "UPDATE account SET number = ?, verification = ?, reference = ?, status_link = ?,"
                " event_link = ?, terminate_link = ?, sent_at = ? WHERE id = ?",
                (
                    number,
                    started.id,
                    started.reference,
                    started.status_link,
                    started.event_link,
                    started.terminate_link,
                    now,
                    id,
                ),
            )

    def sent_again(self, id: str, now: float) -> None:
        with self._transaction() as db:
            db.execute("UPDATE account SET sent_at = ? WHERE id = ?", (now, id))

    def find(self, id: str) -> Account | None:
        """Finds an account; None as well if no verification was ever started."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT id, name, number, verification, reference, status_link, event_link,"
                " terminate_link, sent_at FROM account WHERE id = ? AND verification IS NOT NULL",
                (id,),
            ).fetchone()
        return Account(*row) if row else None

    def is_verified(self, id: str) -> bool:
        """Whether the account's current number is verified. The order of events does not matter: an
        outcome may arrive before the response to the start is stored."""
        with self._transaction() as db:
            row = db.execute(
                "SELECT 1 FROM account"
                " JOIN verification ON verification.account = account.id"
                " AND verification.number = account.number"
                " JOIN outcome ON outcome.verification = verification.id"
                " WHERE account.id = ? AND outcome.status = 'approved'",
                (id,),
            ).fetchone()
        return row is not None

    def settle(self, verification: str, status: str) -> None:
        """An outcome that the status told. It never changes once there is one."""
        with self._transaction() as db:
            _settle(db, verification, status)

    def take_webhook(self, webhook_id: str, account: str, verification: str, status: str) -> bool:
        """Stores an outcome from a webhook. Returns False if the event was stored before. An action
        that must happen once (a welcome e-mail) belongs in this transaction, after the insert."""
        with self._transaction() as db:
            if db.execute("SELECT 1 FROM account WHERE id = ?", (account,)).fetchone() is None:
                return False  # Textback sends the outcomes of all callers, not only of this program
            added = db.execute("INSERT OR IGNORE INTO webhook VALUES (?)", (webhook_id,)).rowcount
            if added:
                _settle(db, verification, status)
            return bool(added)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self._path, timeout=10)) as db, db:
            yield db


def _settle(db: sqlite3.Connection, verification: str, status: str) -> None:
    db.execute("INSERT OR IGNORE INTO outcome VALUES (?, ?)", (verification, status))
