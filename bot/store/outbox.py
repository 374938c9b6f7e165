"""The table `outbox`: texts committed with the verification that caused them, sent later.

How a lease works: a dispatcher claims rows in a short transaction. It sets the state to `sending`
and `due_at` to the end of the lease, and increments the number of claims. The network call happens
outside the transaction. Only the newest claim may write a result, so a process that was paused
beyond its lease changes nothing when it continues. One exception: an acceptance by Twilio is always
written, whichever claim reports it.

A writer of a row locks its verification first, as every transaction does.

A row with a lapsed lease belonged to a process that died: whether Twilio has the text is unknown
then, and it is looked up, never simply sent again.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from bot.domain.effects import SendText
from bot.store import rows_aside
from bot.store.rows import (
    placeholder_values,
    placeholders,
    read_row,
    readable,
    to_instant_if_readable,
    to_text,
)
from bot.store.texts import Text, from_row
from bot.store.tx import Tx

_CLAIMED = "id = :id AND state = 'sending' AND claims = :claim"
# Where a report has brought a sid, Twilio has the text: it is looked up instead of sent again.
_QUEUED = "state = CASE WHEN sid IS NULL THEN 'queued' ELSE 'unknown' END"
# Of a try without an acceptance. What a report has brought stays: it knows more.
_ERROR_OF_TRY = """
    error_code = CASE WHEN delivery IS NULL THEN coalesce(:error_code, error_code)
        ELSE error_code END
"""


def enqueue(tx: Tx, text: SendText, *, verification_id: str) -> None:
    sql = """
        INSERT INTO outbox
            (id, verification_id, purpose, channel, from_address, locale, state, queued_at, due_at)
        VALUES (:id, :verification_id, :purpose, :channel, :from_address, :locale,
            'queued', :now, :now)
    """
    tx.run(
        sql,
        id=text.text_id,
        verification_id=verification_id,
        purpose=text.purpose.value,
        channel=text.channel.value,
        from_address=text.from_address,
        locale=text.locale,
        now=to_text(tx.now),
    )


def load(tx: Tx, id: str) -> Text | None:
    row = tx.one("SELECT * FROM outbox WHERE id = :id", id=id)
    return read_row("outbox", row, from_row) if row else None


def of(tx: Tx, verification_id: str) -> list[Text]:
    """The texts of a verification, the oldest first. Raises UnreadableRow."""
    sql = "SELECT * FROM outbox WHERE verification_id = :id ORDER BY queued_at, id"
    return [read_row("outbox", row, from_row) for row in tx.all(sql, id=verification_id)]


def of_many(tx: Tx, verification_ids: Sequence[str]) -> dict[str, list[Text]]:
    """Groups texts by the id of their verification, the oldest first."""
    sql = f"""
        SELECT * FROM outbox WHERE verification_id IN ({placeholders(verification_ids)})
        ORDER BY queued_at, id
    """
    found: dict[str, list[Text]] = {}
    for text in readable("outbox", tx.all(sql, **placeholder_values(verification_ids)), from_row):
        found.setdefault(text.verification_id, []).append(text)
    return found


def lock_due(tx: Tx, *, limit: int, only: str | None = None) -> list[Text]:
    """Due texts, locked together with their verifications. Rows that other transactions hold are
    skipped, and a row that cannot be read is set aside. `only`: the id of the only text wanted."""
    sql = f"""
        SELECT o.* FROM outbox o JOIN verification v ON v.id = o.verification_id
        WHERE o.due_at <= :now {"AND o.id = :only" if only else ""}
        ORDER BY o.due_at LIMIT :limit
    """
    rows = tx.lock_skip_locked(sql, now=to_text(tx.now), limit=limit, only=only)
    return readable("outbox", rows, from_row, unreadable=partial(set_aside, tx))


def is_sending(tx: Tx) -> bool:
    """Whether a text has a lease that has not lapsed."""
    sql = (
        "SELECT 1 FROM outbox WHERE state = 'sending' AND due_at > :now AND due_at < :never LIMIT 1"
    )
    return tx.one(sql, now=to_text(tx.now), never=rows_aside.NEVER) is not None


def due_ids(tx: Tx, *, limit: int) -> list[str]:
    sql = "SELECT id FROM outbox WHERE due_at <= :now ORDER BY due_at LIMIT :limit"
    return [row["id"] for row in tx.all(sql, now=to_text(tx.now), limit=limit)]


def set_unreadable_aside(tx: Tx, *, limit: int) -> None:
    """Sets aside unreadable rows with work to do, which queries by due time do not find."""
    rows = rows_aside.lock_work(tx, "outbox", limit=limit)
    readable("outbox", rows, from_row, unreadable=partial(set_aside, tx))


def set_aside(tx: Tx, id: str) -> None:
    """Sets a text aside that cannot be read or sent: it is neither sent nor looked up until a
    dispatcher starts again. Twilio may have it, so its state becomes unknown."""
    sql = "UPDATE outbox SET state = 'unknown', due_at = :never WHERE id = :id"
    tx.run(sql, id=id, never=rows_aside.NEVER)


def next_due_at(tx: Tx) -> datetime | None:
    row = tx.one("SELECT min(due_at) AS due_at FROM outbox WHERE due_at IS NOT NULL")
    return to_instant_if_readable(row["due_at"]) if row else None


def oldest_queued_at(tx: Tx) -> datetime | None:
    """The instant at which the oldest text not yet given to Twilio was queued."""
    # Not those that Twilio has postponed, or that no dispatcher finds since the rows were edited.
    row = tx.one("""
        SELECT queued_at FROM outbox WHERE state = 'queued' AND tries = 0 AND due_at IS NOT NULL
            AND EXISTS (SELECT 1 FROM verification v WHERE v.id = verification_id)
        ORDER BY queued_at LIMIT 1
    """)
    return to_instant_if_readable(row["queued_at"]) if row else None


def count_by_state(tx: Tx) -> dict[str, int]:
    """How many texts are on their way to Twilio, by state."""
    sql = "SELECT state, count(*) AS count FROM outbox WHERE due_at < :never GROUP BY state"
    return {row["state"]: row["count"] for row in tx.all(sql, never=rows_aside.NEVER)}


def claim(tx: Tx, ids: Sequence[str], *, until: datetime, from_address: str) -> None:
    """Leases the rows, in one statement. A result must name the claim's number later."""
    if not ids:
        return
    sql = f"""
        UPDATE outbox SET state = 'sending', due_at = :until, claims = claims + 1,
            first_try_at = coalesce(first_try_at, :now), from_address = :from_address
        WHERE id IN ({placeholders(ids)})
    """
    now, lapses_at, values = to_text(tx.now), to_text(until), placeholder_values(ids)
    tx.run(sql, until=lapses_at, now=now, from_address=from_address, **values)


def put_back(tx: Tx, id: str, *, claim: int, due_at: datetime, error_code: int | None) -> bool:
    """Queues a text that Twilio did not take for `due_at`. False: the claim is not the newest."""
    sql = f"""
        UPDATE outbox SET {_QUEUED}, due_at = :due_at, tries = tries + 1, looks = 0,
            {_ERROR_OF_TRY}
        WHERE {_CLAIMED}
    """
    due = to_text(due_at)
    return tx.run(sql, id=id, claim=claim, due_at=due, error_code=error_code) == 1


def hand_back(tx: Tx, id: str, *, claim: int) -> None:
    """Queues a claimed but unsent text again; this does not count as a try."""
    sql = f"UPDATE outbox SET {_QUEUED}, due_at = :now WHERE {_CLAIMED}"
    tx.run(sql, id=id, claim=claim, now=to_text(tx.now))


def put_off(tx: Tx, id: str, *, due_at: datetime) -> None:
    """Leaves a row as it is until `due_at`."""
    tx.run("UPDATE outbox SET due_at = :due_at WHERE id = :id", id=id, due_at=to_text(due_at))


def make_queued_due(tx: Tx) -> None:
    """Makes texts due now that are queued for later."""
    sql = "UPDATE outbox SET due_at = :now WHERE state = 'queued' AND due_at > :now"
    tx.run(sql, now=to_text(tx.now))


def schedule_look_up(
    tx: Tx,
    id: str,
    *,
    claim: int,
    due_at: datetime,
    looks: int,
    error_code: int | None = None,
) -> bool:
    """Notes that it is not known whether Twilio has the text, which is looked up at `due_at`.
    False: the claim is not the newest."""
    sql = f"""
        UPDATE outbox SET state = 'unknown', due_at = :due_at, looks = :looks,
            {_ERROR_OF_TRY}
        WHERE {_CLAIMED}
    """
    due = to_text(due_at)
    return tx.run(sql, id=id, claim=claim, due_at=due, looks=looks, error_code=error_code) == 1


def accept(tx: Tx, id: str, *, sid: str) -> bool:
    """Notes that Twilio has the text. False: that was known."""
    sql = """
        UPDATE outbox SET state = 'accepted', due_at = NULL, sid = :sid,
            error_code = CASE WHEN delivery IS NULL THEN NULL ELSE error_code END
        WHERE id = :id AND state <> 'accepted'
    """
    return tx.run(sql, id=id, sid=sid) == 1


def is_known_sid(tx: Tx, sid: str) -> bool:
    """Whether a message of Twilio's is known to be a text of ours."""
    return tx.one("SELECT 1 FROM outbox WHERE sid = :sid", sid=sid) is not None


def verification_of(tx: Tx, sid: str) -> str | None:
    """The id of the verification whose text has this sid at Twilio."""
    row = tx.one("SELECT verification_id FROM outbox WHERE sid = :sid", sid=sid)
    return row["verification_id"] if row else None


def refuse(tx: Tx, id: str, *, error_code: int | None) -> None:
    sql = """
        UPDATE outbox SET state = 'refused', due_at = NULL,
            error_code = coalesce(:error_code, error_code)
        WHERE id = :id AND state <> 'accepted'
    """
    tx.run(sql, id=id, error_code=error_code)


def withdraw(tx: Tx, verification_id: str, *, looks_on: bool = False) -> None:
    """Withdraws unsent texts of a verification that has ended. Unknown ones are no longer looked
    up, unless `looks_on`. One that is being sent at this moment stays claimed; its result is still
    written down."""
    sql = f"""
        UPDATE outbox SET due_at = NULL,
            state = CASE state WHEN 'queued' THEN 'withdrawn' ELSE state END
        WHERE verification_id = :id AND state IN ('queued'{"" if looks_on else ", 'unknown'"})
    """
    tx.run(sql, id=verification_id)


def abandon(tx: Tx, text: Text) -> None:
    """Marks a text as unknown whose verification ended and whose process died during the send."""
    tx.run("UPDATE outbox SET state = 'unknown', due_at = NULL WHERE id = :id", id=text.id)
