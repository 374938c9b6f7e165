"""The table `erasure`: texts whose bodies Twilio is to empty, since their verification is over."""

from dataclasses import dataclass
from datetime import timedelta

from bot.store.tx import Tx, to_text

# Twilio refuses while a text is still on its way, so there is no hurry; what it refuses for a day
# it will not do.
AGAIN = timedelta(minutes=1)
LONGEST_WAIT = timedelta(hours=1)
MOST_TRIES = 30


@dataclass(frozen=True, slots=True)
class Erasure:
    sid: str
    tries: int


def add(tx: Tx, verification_id: str) -> None:
    """The text of a verification, where Twilio has it."""
    sql = """
        INSERT INTO erasure (sid, due_at)
        SELECT sid, :now FROM outbox
        WHERE verification_id = :id AND sid IS NOT NULL
        ON CONFLICT (sid) DO NOTHING
    """
    tx.run(sql, id=verification_id, now=to_text(tx.now))


def due(tx: Tx, *, limit: int) -> list[Erasure]:
    sql = "SELECT sid, tries FROM erasure WHERE due_at <= :now ORDER BY due_at LIMIT :limit"
    rows = tx.all(sql, now=to_text(tx.now), limit=limit)
    return [Erasure(row["sid"], row["tries"]) for row in rows]


def remove(tx: Tx, sid: str) -> None:
    tx.run("DELETE FROM erasure WHERE sid = :sid", sid=sid)


def put_off(tx: Tx, erasure: Erasure) -> None:
    sql = "UPDATE erasure SET due_at = :due_at, tries = tries + 1 WHERE sid = :sid"
    wait = min(LONGEST_WAIT, AGAIN * 2**erasure.tries)
    tx.run(sql, sid=erasure.sid, due_at=to_text(tx.now + wait))
