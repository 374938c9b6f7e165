"""The table `inbound`: every message handled, by MessageSid, with the answer it was given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.domain.ignored import IgnoreReason
from bot.store.rows import Row, count_of, placeholder_values, placeholders, to_instant, to_text
from bot.store.tx import Tx

# Longer than Twilio keeps messages for a repeat (a year).
KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class RecordedAnswer:
    """The answer to the first delivery of a message; None: none was given."""

    answer: str | None


def load(tx: Tx, message_sid: str) -> RecordedAnswer | None:
    row = tx.one("SELECT answer FROM inbound WHERE message_sid = :sid", sid=message_sid)
    return RecordedAnswer(row["answer"]) if row else None


def known(tx: Tx, message_sids: Sequence[str]) -> frozenset[str]:
    """Returns the messages that were handled before."""
    sql = f"SELECT message_sid FROM inbound WHERE message_sid IN ({placeholders(message_sids)})"
    return frozenset(row["message_sid"] for row in tx.all(sql, **placeholder_values(message_sids)))


@dataclass(frozen=True, slots=True)
class IgnoredText:
    message_sid: str
    at: datetime
    reason: IgnoreReason
    masked_phone: str


def add(
    tx: Tx,
    message_sid: str,
    *,
    answer: str | None,
    ignored: IgnoreReason | None = None,
    masked_phone: str | None = None,
) -> None:
    """`masked_phone`: the sender, of a text that was ignored, or of a keyword that was answered."""
    sql = """
        INSERT INTO inbound (message_sid, received_at, answer, ignored, masked_phone)
        VALUES (:sid, :now, :answer, :ignored, :masked_phone)
    """
    tx.run(
        sql,
        sid=message_sid,
        now=to_text(tx.now),
        answer=answer,
        ignored=ignored.value if ignored else None,
        masked_phone=masked_phone,
    )


def count_answers(tx: Tx, masked_phone: str, *, since: datetime, among: int) -> int:
    """Counts answers to keywords of a masked number, among the newest `among` messages."""
    sql = """
        SELECT count(*) AS count FROM (
            SELECT masked_phone, answer FROM inbound WHERE received_at > :since
            ORDER BY received_at DESC LIMIT :among
        ) AS lately WHERE masked_phone = :masked_phone AND answer IS NOT NULL
    """
    row = tx.one(sql, since=to_text(since), among=among, masked_phone=masked_phone)
    return count_of(row)


def newest_ignored(tx: Tx, *, limit: int) -> list[IgnoredText]:
    sql = """
        SELECT message_sid, received_at, ignored, masked_phone FROM inbound
        WHERE ignored IS NOT NULL ORDER BY received_at DESC LIMIT :limit
    """
    return [_ignored_from(row) for row in tx.all(sql, limit=limit)]


def ignored(tx: Tx, message_sid: str) -> IgnoredText | None:
    sql = """
        SELECT message_sid, received_at, ignored, masked_phone FROM inbound
        WHERE message_sid = :sid AND ignored IS NOT NULL
    """
    row = tx.one(sql, sid=message_sid)
    return _ignored_from(row) if row else None


def drop_old(tx: Tx, *, limit: int) -> int:
    sql = """
        DELETE FROM inbound WHERE message_sid IN (
            SELECT message_sid FROM inbound WHERE received_at < :before LIMIT :limit)
    """
    return tx.run(sql, before=to_text(tx.now - KEPT), limit=limit)


def _ignored_from(row: Row) -> IgnoredText:
    return IgnoredText(
        row["message_sid"],
        to_instant(row["received_at"]),
        IgnoreReason(row["ignored"]),
        row["masked_phone"] or "",
    )
