"""The table `circuit`: has a row while sending is paused because Twilio refuses our credentials."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.rows import to_instant_if_readable, to_text
from bot.store.tx import Tx

PROBE_EVERY = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Circuit:
    since: datetime
    error_code: int
    probe_at: datetime


def load(tx: Tx, from_address: str) -> Circuit | None:
    """The open circuit of one of our addresses; None: it is closed, and texts go out."""
    sql = "SELECT since, error_code, probe_at FROM circuit WHERE from_address = :from_address"
    row = tx.one(sql, from_address=from_address)
    if row is None:
        return None
    since = to_instant_if_readable(row["since"]) or tx.now
    probe_at = to_instant_if_readable(row["probe_at"]) or tx.now
    return Circuit(since, row["error_code"], probe_at)


def open_or_keep(tx: Tx, from_address: str, *, error_code: int) -> datetime:
    """Opens it, or keeps it open. Returns when to probe next."""
    sql = """
        INSERT INTO circuit (from_address, since, error_code, probe_at)
        VALUES (:from_address, :now, :error_code, :probe_at)
        ON CONFLICT (from_address) DO UPDATE
        SET error_code = excluded.error_code, probe_at = excluded.probe_at
    """
    probe_at = tx.now + PROBE_EVERY
    tx.run(
        sql,
        from_address=from_address,
        now=to_text(tx.now),
        error_code=error_code,
        probe_at=to_text(probe_at),
    )
    return probe_at


def schedule_probe(tx: Tx, from_address: str) -> None:
    """Keeps the circuit open, and makes the next probe due in `PROBE_EVERY`."""
    sql = "UPDATE circuit SET probe_at = :probe_at WHERE from_address = :from_address"
    tx.run(sql, from_address=from_address, probe_at=to_text(tx.now + PROBE_EVERY))


def close(tx: Tx, from_address: str) -> bool:
    sql = "DELETE FROM circuit WHERE from_address = :from_address"
    return tx.run(sql, from_address=from_address) == 1
