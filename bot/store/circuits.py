"""The table `circuit`: a row while sending is paused, since Twilio does not know who we are."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.tx import Tx, to_instant_if_readable, to_text

PROBE_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Circuit:
    since: datetime
    error_code: int
    probe_at: datetime


def load(tx: Tx, sender: str) -> Circuit | None:
    """The open circuit of a sender; None: it is closed, and texts go out."""
    sql = "SELECT since, error_code, probe_at FROM circuit WHERE sender = :sender"
    row = tx.one(sql, sender=sender)
    if row is None:
        return None
    since = to_instant_if_readable(row["since"]) or tx.now
    probe_at = to_instant_if_readable(row["probe_at"]) or tx.now
    return Circuit(since, row["error_code"], probe_at)


def open_or_keep(tx: Tx, sender: str, *, error_code: int) -> datetime:
    """Opens it, or keeps it open. Returns when to probe next."""
    sql = """
        INSERT INTO circuit (sender, since, error_code, probe_at)
        VALUES (:sender, :now, :error_code, :probe_at)
        ON CONFLICT (sender) DO UPDATE
        SET error_code = excluded.error_code, probe_at = excluded.probe_at
    """
    probe_at = tx.now + PROBE_EVERY
    tx.run(
        sql,
        sender=sender,
        now=to_text(tx.now),
        error_code=error_code,
        probe_at=to_text(probe_at),
    )
    return probe_at


def close(tx: Tx, sender: str) -> bool:
    return tx.run("DELETE FROM circuit WHERE sender = :sender", sender=sender) == 1
