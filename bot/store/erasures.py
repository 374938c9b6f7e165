"""The table `erasure`: messages whose bodies Twilio is to empty: texts whose verification is over,
and replies that held a code. Only the sid is kept, so the row outlives a forgotten number."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store.rows import to_text
from bot.store.tx import Tx

# Twilio refuses to erase a text that is still on its way, so retry slowly; after a day of refusals,
# give up.
AGAIN = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
MOST_TRIES = 30
LEASE = timedelta(minutes=10)  # for a few calls to Twilio, each with its timeout


@dataclass(frozen=True, slots=True)
class Erasure:
    sid: str
    tries: int


def add(tx: Tx, verification_id: str) -> None:
    """Adds the texts of a verification that Twilio is known to have."""
    sql = """
        INSERT INTO erasure (sid, due_at)
        SELECT sid, :now FROM outbox
        WHERE verification_id = :id AND sid IS NOT NULL
        ON CONFLICT (sid) DO NOTHING
    """
    tx.run(sql, id=verification_id, now=to_text(tx.now))


def add_sid(tx: Tx, sid: str) -> None:
    """A message that belongs to no verification any more, or to none of its texts."""
    sql = "INSERT INTO erasure (sid, due_at) VALUES (:sid, :now) ON CONFLICT (sid) DO NOTHING"
    tx.run(sql, sid=sid, now=to_text(tx.now))


def take(tx: Tx, *, limit: int) -> list[Erasure]:
    """Leases due messages that no other process has leased: sets their due time to the end of the
    lease."""
    sql = "SELECT sid, tries FROM erasure WHERE due_at <= :now ORDER BY due_at LIMIT :limit"
    erasures = [
        Erasure(row["sid"], row["tries"])
        for row in tx.lock_skip_locked(sql, now=to_text(tx.now), limit=limit)
    ]
    for erasure in erasures:
        _set_due(tx, erasure.sid, tx.now + LEASE)
    return erasures


def are_due(tx: Tx) -> bool:
    sql = "SELECT 1 FROM erasure WHERE due_at <= :now LIMIT 1"
    return tx.one(sql, now=to_text(tx.now)) is not None


def remove(tx: Tx, sid: str) -> None:
    tx.run("DELETE FROM erasure WHERE sid = :sid", sid=sid)


def put_off(tx: Tx, erasure: Erasure) -> None:
    tx.run("UPDATE erasure SET tries = tries + 1 WHERE sid = :sid", sid=erasure.sid)
    _set_due(tx, erasure.sid, tx.now + min(LONGEST_WAIT, AGAIN * 2**erasure.tries))


def _set_due(tx: Tx, sid: str, due_at: datetime) -> None:
    sql = "UPDATE erasure SET due_at = :due_at WHERE sid = :sid"
    tx.run(sql, sid=sid, due_at=to_text(due_at))
