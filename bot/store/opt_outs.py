"""The table `opt_out`: numbers that opted out of texts from one of our addresses."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.numbering import other_spellings
from bot.store.rows import (
    Row,
    Value,
    placeholder_values,
    placeholders,
    to_instant_if_readable,
    to_text,
)
from bot.store.tx import Tx

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OptOut:
    since: datetime
    last_tried: datetime | None  # when a start was last let through
    is_by_twilio: bool  # Twilio refuses texts to the number too


def load(tx: Tx, *, phone: str, from_address: str) -> OptOut | None:
    """The opt-out of a number, under whichever spelling it was stored."""
    where, params = _of(phone, from_address)
    sql = f"""
        SELECT since, last_tried, is_by_twilio FROM opt_out WHERE {where}
        ORDER BY since DESC LIMIT 1
    """
    row = tx.one(sql, **params)
    if row is None:
        return None
    last_tried = to_instant_if_readable(row["last_tried"])
    return OptOut(_since(tx, row), last_tried, bool(row["is_by_twilio"]))


def _since(tx: Tx, row: Row) -> datetime:
    """A mark whose time cannot be read stays, as if it were new."""
    since = to_instant_if_readable(row["since"])
    if since is None:
        log.error("opt_out: the time of a mark cannot be read; it counts as new")
    return since or tx.now


def mark(tx: Tx, *, phone: str, from_address: str, is_by_twilio: bool = True) -> None:
    """`is_by_twilio`: Twilio refuses texts to the number too, as far as is known. It stays so until
    a start is let through; if Twilio refuses that one, the number is marked again."""
    sql = """
        INSERT INTO opt_out (phone, from_address, since, is_by_twilio)
        VALUES (:phone, :from_address, :now, :is_by_twilio)
        ON CONFLICT (phone, from_address) DO UPDATE SET since = excluded.since, last_tried = NULL,
            is_by_twilio = CASE WHEN opt_out.is_by_twilio = 1 AND opt_out.last_tried IS NULL THEN 1
                ELSE excluded.is_by_twilio END
    """
    now = to_text(tx.now)
    tx.run(sql, phone=phone, from_address=from_address, now=now, is_by_twilio=int(is_by_twilio))


def unmark(tx: Tx, *, phone: str, from_address: str, since_before: datetime | None = None) -> bool:
    """`since_before`: only if the number had opted out before that instant."""
    where, params = _of(phone, from_address)
    before = to_text(since_before or datetime.max.replace(tzinfo=UTC))
    sql = f"DELETE FROM opt_out WHERE {where} AND since < :before"
    return tx.run(sql, before=before, **params) > 0


def note_test(tx: Tx, *, phone: str, from_address: str) -> None:
    """Notes when a start was let through to a marked number: it tests the mark."""
    where, params = _of(phone, from_address)
    tx.run(f"UPDATE opt_out SET last_tried = :now WHERE {where}", now=to_text(tx.now), **params)


def _of(phone: str, from_address: str) -> tuple[str, dict[str, Value]]:
    """The condition for the mark of a number, with its values. Opt-outs are kept for years, so one
    may have a spelling that was canonical earlier."""
    phones = [phone, *other_spellings(phone)]
    where = f"phone IN ({placeholders(phones)}) AND from_address = :from_address"
    return where, {"from_address": from_address, **placeholder_values(phones)}


def newest(tx: Tx, *, from_address: str, limit: int) -> list[tuple[str, datetime]]:
    sql = """
        SELECT phone, since FROM opt_out WHERE from_address = :from_address
        ORDER BY since DESC LIMIT :limit
    """
    rows = tx.all(sql, from_address=from_address, limit=limit)
    return [(row["phone"], _since(tx, row)) for row in rows]
