"""The table `webhook_endpoint`: addresses that receive outcome events, and their state.

The configured endpoints are stored in the database, so that a transaction that ends a verification
writes an event for each of them, in whichever process it runs.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from bot.domain.urls import in_one_spelling
from bot.store.rows import Row, to_instant_if_readable, to_text
from bot.store.tx import Tx


class DisabledCause(StrEnum):
    GONE = "gone"  # it answered 410
    FAILING = "failing"  # for a day every try failed


@dataclass(frozen=True, slots=True)
class Endpoint:
    id: str
    url: str
    is_configured: bool
    includes_number: bool
    failing_since: datetime | None
    disabled_at: datetime | None
    disabled_cause: DisabledCause | None
    generation: int  # counts enabling and disabling; an action names the one it saw

    @property
    def is_enabled(self) -> bool:
        return self.is_configured and self.disabled_at is None


def id_of(url: str) -> str:
    """Twelve hexadecimal digits: an address can hold a secret, and is long."""
    return hashlib.sha256(url.encode()).hexdigest()[:12]


def list_all(tx: Tx) -> list[Endpoint]:
    """The configured endpoints, then earlier ones."""
    sql = "SELECT * FROM webhook_endpoint ORDER BY is_configured DESC, url"
    return [_from_row(row) for row in tx.all(sql)]


def configured(tx: Tx) -> list[Endpoint]:
    sql = "SELECT * FROM webhook_endpoint WHERE is_configured = 1 ORDER BY url"
    return [_from_row(row) for row in tx.all(sql)]


def load(tx: Tx, id: str) -> Endpoint | None:
    """Loads and locks an endpoint."""
    row = tx.lock("SELECT * FROM webhook_endpoint WHERE id = :id", id=id)
    return _from_row(row) if row else None


def configure(tx: Tx, urls: Sequence[str], *, includes_number: bool) -> None:
    """Makes these the configured endpoints. One that is stored in another spelling stays itself."""
    stored = {in_one_spelling(one.url): one.id for one in reversed(list_all(tx))}
    tx.run("UPDATE webhook_endpoint SET is_configured = 0")
    sql = """
        INSERT INTO webhook_endpoint (id, url, is_configured, includes_number)
        VALUES (:id, :url, 1, :includes_number)
        ON CONFLICT (id) DO UPDATE
        SET url = :url, is_configured = 1, includes_number = :includes_number, failing_since = NULL
    """
    for url in urls:
        id = stored.get(in_one_spelling(url)) or id_of(url)
        tx.run(sql, id=id, url=url, includes_number=int(includes_number))


def forget_failures(tx: Tx, id: str) -> None:
    """Writes only if the endpoint had failed before."""
    sql = """
        UPDATE webhook_endpoint SET failing_since = NULL
        WHERE id = :id AND failing_since IS NOT NULL
    """
    tx.run(sql, id=id)


def failed(tx: Tx, id: str) -> None:
    sql = """
        UPDATE webhook_endpoint SET failing_since = :now
        WHERE id = :id AND failing_since IS NULL
    """
    tx.run(sql, id=id, now=to_text(tx.now))


def forget_idle_failures(tx: Tx) -> None:
    """Resets `failing_since` of endpoints without pending events, since they had nothing to fail
    on. Call it before queuing an event; otherwise one failure could disable an endpoint that failed
    days ago."""
    sql = """
        UPDATE webhook_endpoint SET failing_since = NULL
        WHERE failing_since IS NOT NULL AND NOT EXISTS (
            SELECT 1 FROM webhook_event
            WHERE endpoint_id = webhook_endpoint.id AND due_at IS NOT NULL)
    """
    tx.run(sql)


def disable(tx: Tx, id: str, cause: DisabledCause, *, generation: int) -> bool:
    """False: it was enabled or disabled since this generation."""
    sql = """
        UPDATE webhook_endpoint
        SET disabled_at = :now, disabled_cause = :cause, generation = generation + 1
        WHERE id = :id AND generation = :generation AND disabled_at IS NULL
    """
    now = to_text(tx.now)
    return tx.run(sql, id=id, now=now, cause=cause.value, generation=generation) == 1


def enable(tx: Tx, id: str, *, generation: int) -> bool:
    """False: it was enabled or disabled since this generation."""
    sql = """
        UPDATE webhook_endpoint SET disabled_at = NULL, disabled_cause = NULL, failing_since = NULL,
            generation = generation + 1
        WHERE id = :id AND generation = :generation AND disabled_at IS NOT NULL
    """
    return tx.run(sql, id=id, generation=generation) == 1


def _from_row(row: Row) -> Endpoint:
    cause = row["disabled_cause"]
    return Endpoint(
        id=row["id"],
        url=row["url"],
        is_configured=bool(row["is_configured"]),
        includes_number=bool(row["includes_number"]),
        failing_since=to_instant_if_readable(row["failing_since"]),
        disabled_at=to_instant_if_readable(row["disabled_at"]),
        disabled_cause=DisabledCause(cause) if cause else None,
        generation=row["generation"],
    )
