"""Codes that people answer with: read from a reply; right, wrong, or an older text's."""

from datetime import datetime

from bot.domain import code, reply
from bot.domain.code import Keyring
from bot.domain.inputs import Attempted
from bot.domain.quotes import quotes_any
from bot.domain.reply import Attempt, PreparedText, Quote, Reading
from bot.domain.verification import Verification
from bot.store import usage, verifications
from bot.store.tx import Tx
from bot.usecases.rules import Rules


def read_reply(tx: Tx, v: Verification, prepared: PreparedText, rules: Rules) -> Reading:
    """Reads a reply. A reaction to an earlier text of the number, perhaps in another language, is a
    quote too."""
    service = rules.service_name
    read = reply.read(
        prepared,
        code_length=v.terms.code_length,
        challenge_text=v.challenge_text,
        service=service,
    )
    if isinstance(read, Attempt) and prepared.comparable:  # more than digits
        earlier = verifications.challenge_texts_of(tx, v.phone)
        is_quote = quotes_any(prepared.comparable, earlier, typed=prepared.text, service=service)
        return Quote() if is_quote else read
    return read


def attempt_of(
    tx: Tx,
    verification: Verification,
    read: Attempt,
    rules: Rules,
    *,
    at: datetime,
    by_text: bool,
) -> Attempted:
    keyring = rules.keyring
    if is_right(verification, read, keyring):
        return Attempted(True, at, by_text=by_text)
    mark = keyring.guess_mark(
        key_id=verification.key_id, nonce=verification.nonce, digits=read.digits
    )
    left = usage.wrong_left(tx, rules.wrong_per_number, phone=verification.phone)
    return Attempted(False, at, by_text=by_text, guess=mark, wrong_left=left)


def is_right(verification: Verification, attempt: Attempt, keyring: Keyring) -> bool:
    """Whether it is the code. A verification whose secret key was removed has none any more."""
    is_known = keyring.knows(verification)
    return is_known and code.is_same(attempt.digits, keyring.code_of(verification))


def is_of_older_text(tx: Tx, pending: Verification, read: Attempt, rules: Rules) -> bool:
    """Whether a code given over HTTP is that of an older text, and no attempt. Past the
    deadline the verification expires, whatever the code."""
    if tx.now >= pending.deadline_at:
        return False
    return older_with_code(tx, pending, read, rules, at=tx.now) is not None


def older_with_code(
    tx: Tx, pending: Verification, attempt: Attempt, rules: Rules, *, at: datetime
) -> Verification | None:
    """The superseded or just approved verification whose text the person was answering at `at`, if
    there is one."""
    for older in verifications.older_texts_of(tx, pending.phone, at=at):
        if older.id != pending.id and is_right(older, attempt, rules.keyring):
            return verifications.load(tx, older.id)  # with its lock, if it is still there
    return None


def writes_code(v: Verification, prepared: PreparedText, rules: Rules) -> bool:
    """Whether a text holds the right code where the person wrote it, whatever else they said: not
    in a quote or below the mark of a signature."""
    digits = reply.written_code(prepared, code_length=v.terms.code_length)
    return digits is not None and is_right(v, Attempt(digits), rules.keyring)
