"""What delivery reports change in the table `outbox`, and the error that they bring."""

from bot.domain.delivery import Delivery
from bot.store.rows import to_text
from bot.store.texts import Text
from bot.store.tx import Tx


def set_sid(tx: Tx, text: Text, *, sid: str) -> None:
    """Stores the sid of a text whose outcome was unknown, from a delivery report. A report does not
    say when Twilio accepted the text, so a queued or unknown text is looked up now. A text that is
    being sent is not, since its sender will write the result; nor is a withdrawn one."""
    sql = """
        UPDATE outbox SET sid = :sid,
            state = CASE WHEN state IN ('queued', 'withdrawn') THEN 'unknown' ELSE state END,
            due_at = CASE WHEN state IN ('queued', 'unknown') THEN :now ELSE due_at END
        WHERE id = :id
    """
    tx.run(sql, id=text.id, sid=sid, now=to_text(tx.now))


def report(tx: Tx, text: Text, *, delivery: Delivery, error_code: int | None) -> bool:
    """Writes down a delivery state, forward only. False: it was known. The first one says that
    Twilio has the text, so an error of the send is over."""
    if not delivery.is_later_than(text.delivery):
        return False
    sql = """
        UPDATE outbox SET delivery = :delivery,
            error_code = CASE WHEN delivery IS NULL THEN :error_code
                ELSE coalesce(:error_code, error_code) END
        WHERE id = :id
    """
    return tx.run(sql, id=text.id, delivery=delivery.value, error_code=error_code) == 1


def newest_error(tx: Tx, verification_id: str) -> int | None:
    """Twilio's error for the newest text of a verification."""
    sql = """
        SELECT error_code FROM outbox WHERE verification_id = :id
        ORDER BY queued_at DESC, id DESC LIMIT 1
    """
    row = tx.one(sql, id=verification_id)
    return row["error_code"] if row else None
