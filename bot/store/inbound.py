"""The table `inbound`: every message handled, by MessageSid, with the answer it was given."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.store.tx import Tx, placed, places, to_text

# Longer than Twilio keeps messages for a repeat (a year).
KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Given:
    """The answer of the first time; None: none was given."""

    answer: str | None


def recall(tx: Tx, message_sid: str) -> Given | None:
    row = tx.one("SELECT answer FROM inbound WHERE message_sid = :sid", sid=message_sid)
    return Given(row["answer"]) if row else None


def known(tx: Tx, message_sids: Sequence[str]) -> frozenset[str]:
    """Those of them that were handled."""
    sql = f"SELECT message_sid FROM inbound WHERE message_sid IN ({places(message_sids)})"
    return frozenset(row["message_sid"] for row in tx.all(sql, **placed(message_sids)))


def remember(tx: Tx, message_sid: str, *, answer: str | None) -> None:
    sql = """
        INSERT INTO inbound (message_sid, received_at, answer) VALUES (:sid, :now, :answer)
    """
    tx.run(sql, sid=message_sid, now=to_text(tx.now), answer=answer)


def drop_old(tx: Tx, *, limit: int) -> int:
    sql = """
        DELETE FROM inbound WHERE message_sid IN (
            SELECT message_sid FROM inbound WHERE received_at < :before LIMIT :limit)
    """
    return tx.run(sql, before=to_text(tx.now - KEPT), limit=limit)
