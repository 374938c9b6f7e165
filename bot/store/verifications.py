"""The table `verification`: one row each, read whole, written only where it changed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.domain.transitions import AFTERTHOUGHT
from bot.domain.verification import Cause, Verification
from bot.store import rows_aside
from bot.store.rows import (
    Value,
    in_parts,
    placeholder_values,
    placeholders,
    read_row,
    readable,
    to_instant_if_readable,
    to_text,
)
from bot.store.tx import Tx
from bot.store.verification_rows import all_columns, changed_columns, from_row

# No window is open longer after its start: an hour to answer, ten minutes to send
# (settings/texts.py).
LONGEST_OPEN = timedelta(minutes=70)


def load(tx: Tx, id: str) -> Verification | None:
    """Loads a verification and, in a transaction that writes, locks it: until the commit no other
    transaction changes it, its texts or its history. Raises UnreadableRow."""
    return _locked(tx, "id = :id", id=id)


def phone_of(tx: Tx, id: str) -> str | None:
    """Reads the number of a verification without a lock: it never changes."""
    row = tx.one("SELECT phone FROM verification WHERE id = :id", id=id)
    return str(row["phone"]) if row else None


def of_hex_id(tx: Tx, hex_id: str) -> Verification | None:
    """Loads and locks a verification, as `load` does."""
    id = id_of_hex(tx, hex_id)
    return load(tx, id) if id else None


def id_of_hex(tx: Tx, hex_id: str) -> str | None:
    sql = "SELECT id FROM verification WHERE id = :hex_id OR hex_id = :hex_id"
    row = tx.one(sql, hex_id=hex_id)
    return row["id"] if row else None


def load_skip_locked(tx: Tx, ids: Sequence[str]) -> list[Verification]:
    """Loads and locks the verifications that no other transaction holds. Sets aside one that cannot
    be read."""
    sql = f"SELECT * FROM verification WHERE id IN ({placeholders(ids)})"
    rows = tx.lock_skip_locked(sql, **placeholder_values(ids))
    return readable("verification", rows, from_row, unreadable=partial(set_aside, tx))


def of_text(tx: Tx, text_id: str) -> Verification | None:
    """The one that a text belongs to, with its lock."""
    where = "id = (SELECT verification_id FROM outbox WHERE id = :text_id)"
    return _locked(tx, where, text_id=text_id)


def pending_of(tx: Tx, phone: str) -> Verification | None:
    """Loads and locks the pending verification of a number. Raises UnreadableRow."""
    return _locked(tx, "phone = :phone AND status = 'pending'", phone=phone)


def latest_of(tx: Tx, phone: str) -> Verification | None:
    """Loads and locks the newest verification of a number. Raises UnreadableRow."""
    return _locked(tx, "phone = :phone ORDER BY created_at DESC LIMIT 1", phone=phone)


def _locked(tx: Tx, where: str, **params: Value) -> Verification | None:
    row = tx.lock(f"SELECT * FROM verification WHERE {where}", **params)
    return read_row("verification", row, from_row) if row else None


def recent_of(tx: Tx, phone: str) -> list[Verification]:
    """Loads the latest verifications of a number, the newest first, twenty at most. Locks none."""
    sql = "SELECT * FROM verification WHERE phone = :phone ORDER BY created_at DESC LIMIT 20"
    return readable("verification", tx.all(sql, phone=phone), from_row)


def older_texts_of(tx: Tx, phone: str, *, at: datetime) -> list[Verification]:
    """Loads the verifications of a number whose texts a person may still answer at `at` though a
    newer one is pending, the newest first, ten at most: superseded ones whose window was open, and
    those approved shortly before."""
    sql = """
        SELECT * FROM verification
        WHERE phone = :phone AND created_at > :since AND (
            cause = :superseded AND deadline_at > :at OR cause = :answered AND ended_at > :lately)
        ORDER BY created_at DESC LIMIT 10
    """
    params = {
        "phone": phone,
        "since": to_text(at - LONGEST_OPEN - AFTERTHOUGHT),
        "at": to_text(at),
        "lately": to_text(at - AFTERTHOUGHT),
        "superseded": Cause.SUPERSEDED,
        "answered": Cause.ANSWERED,
    }
    return readable("verification", tx.all(sql, **params), from_row)


def challenge_texts_of(tx: Tx, phone: str) -> list[str]:
    """The challenge texts of a number within a day, the newest of each language and wording, ten at
    most. Texts of one wording differ in the reference alone."""
    sql = """
        SELECT challenge_text FROM (
            SELECT challenge_text, created_at, row_number() OVER (
                PARTITION BY locale, replace(challenge_text, reference, '')
                ORDER BY created_at DESC) AS place
            FROM verification WHERE phone = :phone AND created_at > :since
        ) AS lately
        WHERE place = 1 ORDER BY created_at DESC LIMIT 10
    """
    since = to_text(tx.now - timedelta(days=1))
    return [row["challenge_text"] for row in tx.all(sql, phone=phone, since=since)]


def locales_of(tx: Tx, phone: str) -> list[str]:
    """The languages of the newest twenty texts of a number within a day."""
    sql = """
        SELECT DISTINCT locale FROM (
            SELECT locale FROM verification
            WHERE phone = :phone AND created_at > :since ORDER BY created_at DESC LIMIT 20
        ) AS lately WHERE locale IS NOT NULL
    """
    since = to_text(tx.now - timedelta(days=1))
    return [row["locale"] for row in tx.all(sql, phone=phone, since=since)]


def due_ids(tx: Tx, *, limit: int) -> list[str]:
    sql = "SELECT id FROM verification WHERE due_at <= :now ORDER BY due_at LIMIT :limit"
    return [row["id"] for row in tx.all(sql, now=to_text(tx.now), limit=limit)]


def lift_wrong_left(tx: Tx, phone: str, *, left: int | None) -> None:
    """Sets how many wrong answers the pending verification of a number may still get; None: no
    limit."""
    sql = "UPDATE verification SET wrong_left = :left WHERE phone = :phone AND status = 'pending'"
    tx.run(sql, phone=phone, left=left)


def set_unreadable_aside(tx: Tx, *, limit: int) -> None:
    """Sets aside pending verifications whose due time cannot be read."""
    rows = rows_aside.lock_work(tx, "verification", limit=limit)
    readable("verification", rows, from_row, unreadable=partial(set_aside, tx))


def set_aside(tx: Tx, id: str) -> None:
    """Hides a row from the timer until a dispatcher starts again."""
    tx.run("UPDATE verification SET due_at = :never WHERE id = :id", never=rows_aside.NEVER, id=id)


def finished(tx: Tx, ids: Sequence[str]) -> list[str]:
    """Returns the verifications that have ended or are gone."""
    finished_ids: list[str] = []
    for some in in_parts(ids):
        sql = (
            f"SELECT id FROM verification WHERE status = 'pending' AND id IN ({placeholders(some)})"
        )
        pending = {row["id"] for row in tx.all(sql, **placeholder_values(some))}
        finished_ids += [id for id in some if id not in pending]
    return finished_ids


def next_due_at(tx: Tx) -> datetime | None:
    """The instant at which the next one is due; None: none is pending, or it cannot be read."""
    sql = "SELECT min(due_at) AS due_at FROM verification WHERE due_at < :never"
    row = tx.one(sql, never=rows_aside.NEVER)
    return to_instant_if_readable(row["due_at"]) if row else None


def under_other_keys(tx: Tx, key_ids: Sequence[str], *, limit: int) -> list[Verification]:
    """Pending ones whose secret key is not one of these, and that no other transaction holds."""
    sql = f"""
        SELECT * FROM verification
        WHERE due_at IS NOT NULL AND due_at < :never AND key_id NOT IN ({placeholders(key_ids)})
        LIMIT :limit
    """
    values = {"limit": limit, "never": rows_aside.NEVER, **placeholder_values(key_ids)}
    rows = tx.lock_skip_locked(sql, **values)
    return readable("verification", rows, from_row, unreadable=partial(set_aside, tx))


def oldest_pending_since(tx: Tx) -> datetime | None:
    """The instant at which the oldest pending one was started."""
    sql = "SELECT min(created_at) AS since FROM verification WHERE due_at < :never"
    row = tx.one(sql, never=rows_aside.NEVER)
    if row is None or row["since"] is None:
        return None
    return to_instant_if_readable(row["since"]) or tx.now - LONGEST_OPEN


def is_any_pending(tx: Tx) -> bool:
    return tx.one("SELECT 1 FROM verification WHERE status = 'pending' LIMIT 1") is not None


def ids_of(tx: Tx, phone: str) -> list[str]:
    sql = "SELECT id FROM verification WHERE phone = :phone"
    return [row["id"] for row in tx.all(sql, phone=phone)]


def finished_of(tx: Tx, phone: str, *, limit: int) -> list[str]:
    """Ids of finished verifications of a number, readable or not, the oldest first."""
    sql = """
        SELECT id FROM verification WHERE phone = :phone AND status <> 'pending'
        ORDER BY created_at LIMIT :limit
    """
    return [row["id"] for row in tx.all(sql, phone=phone, limit=limit)]


def remove(tx: Tx, id: str) -> int:
    """Removes a verification with its texts and its history. The sids of its messages stay: they
    name no one. Returns 0 if another process has removed it."""
    return tx.run("DELETE FROM verification WHERE id = :id", id=id)


def note_guess(tx: Tx, id: str, guess: str | None) -> None:
    """Remembers a wrong answer to a finished one; nothing that callers see changes."""
    tx.run("UPDATE verification SET last_guess = :guess WHERE id = :id", id=id, guess=guess)


def insert(tx: Tx, verification: Verification) -> None:
    row = all_columns(verification)
    columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
    tx.run(f"INSERT INTO verification ({columns}) VALUES ({values})", **row)


def update(tx: Tx, before: Verification, after: Verification) -> None:
    """Writes the columns that differ."""
    update_each(tx, [(before, after)])


def update_each(tx: Tx, pairs: Iterable[tuple[Verification, Verification]]) -> None:
    """Like `update`, in one statement for all that change alike."""
    alike: dict[tuple[tuple[str, Value], ...], list[str]] = {}
    for before, after in pairs:
        changed = changed_columns(before, after, now=tx.now)
        alike.setdefault(tuple(changed.items()), []).append(after.id)
    for items, ids in alike.items():
        columns = ", ".join(f"{name} = :{name}" for name, _ in items)
        sql = f"UPDATE verification SET {columns} WHERE id IN ({placeholders(ids)})"
        tx.run(sql, **dict(items), **placeholder_values(ids))
