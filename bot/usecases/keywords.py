"""STOP, START, HELP and NO."""

from datetime import timedelta
from functools import lru_cache

from bot import wording
from bot.domain import phone, reply, signatures
from bot.domain.characters import comparable, words_of
from bot.domain.errors import CannotReceiveTexts, InvalidNumber
from bot.domain.events import EventName
from bot.domain.ignored import IgnoreReason
from bot.domain.keywords import UNMISTAKABLE, Keyword, is_stop_word, keyword, stop_request
from bot.domain.quotes import opens_with_quote, quotes_any
from bot.domain.reply import PreparedText, beginning, first_line, first_paragraph
from bot.domain.signatures import LINE_END
from bot.domain.verification import Cause, Verification
from bot.store import disowns, inbound, opt_outs, verifications
from bot.store.tx import Change, Done, Tx
from bot.usecases.attempts import writes_code
from bot.usecases.failing import cancel
from bot.usecases.inbound_text import InboundText, Judged
from bot.usecases.rules import Rules

KEYWORD_ANSWERS = 3  # to HELP and STOP on a short code: for each number, in a day
LONGEST_KEYWORD = 40  # characters, separators included
LOOKED_AT = 1000  # messages in which these are counted, the newest


def keyword_of(tx: Tx, text: InboundText, rules: Rules) -> Keyword | None:
    """Returns the keyword of a text. A text that opens with a stop word and goes on counts as STOP,
    unless it holds a code that is not part of a text of ours. The service's name may open with a
    stop word."""
    word = _alone(text.prepared)
    request = None if word else stop_request(text.prepared, all_no_words())
    if request is None:
        return word
    tx.lock_name(text.phone)  # before the verification, in the order of a start
    verification = relevant_verification(tx, text.phone)
    if verification is None:
        return _stop_above(text.prepared) or _stop_without_code(
            text.prepared, rules.terms.code_length
        )
    ours, prepared = _texts_of(tx, verification), text.prepared
    if quotes_any(prepared.comparable, ours, typed=prepared.text, service=rules.service_name):
        return None if opens_with_quote(request, ours) else Keyword.STOP
    code_length = verification.terms.code_length
    is_answer = reply.has_code_line(prepared, code_length=code_length)
    if is_answer or writes_code(verification, prepared, rules):
        return None
    return _stop_above(prepared) or _stop_without_code(prepared, code_length)


def is_start_or_stop(prepared: PreparedText, *, code_length: int) -> bool:
    """Whether a text is START or STOP, as far as that can be told without its verification."""
    word = _alone(prepared)
    if word is None and stop_request(prepared, all_no_words()):
        word = _stop_without_code(prepared, code_length)
    return word in (Keyword.START, Keyword.STOP)


def _alone(prepared: PreparedText) -> Keyword | None:
    """The keyword that a text consists of; STOP also above a phone's own signature, and beside
    NO."""
    word, above = keyword(prepared), signatures.above_default_signature(prepared.text)
    if word is not None or len(above) > LONGEST_KEYWORD:
        return word
    opening = beginning(prepared, above)
    is_stop = keyword(opening) is Keyword.STOP or _is_no_and_stop(opening)
    return Keyword.STOP if is_stop else None


def _is_no_and_stop(prepared: PreparedText) -> bool:
    """Whether a text says NO, in any language, and STOP: our texts ask for the one, the network for
    the other."""
    words = words_of(prepared.comparable)
    rest = [word for word in words if word not in UNMISTAKABLE]
    if not rest or len(rest) == len(words):
        return False
    return signatures.is_no(" ".join(rest), all_no_words() - {"non"})  # non-stop


@lru_cache(maxsize=1)
def all_no_words() -> frozenset[str]:
    """NO in all languages."""
    return frozenset(
        comparable(word) for tag in wording.languages() for word in wording.no_words(tag)
    )


def _stop_without_code(prepared: PreparedText, code_length: int) -> Keyword | None:
    """STOP, unless its first paragraph holds a code. Numbers below, such as those of an address, do
    not count."""
    opening = first_paragraph(prepared)
    return None if reply.holds_code_run(opening, code_length=code_length) else Keyword.STOP


def _stop_above(prepared: PreparedText) -> Keyword | None:
    """STOP if the first line is STOP alone. Numbers below it, as in a signature, do not count."""
    return Keyword.STOP if keyword(first_line(prepared)) is Keyword.STOP else None


def is_no(tx: Tx, prepared: PreparedText, v: Verification, *, is_quote: bool) -> bool:
    """NO in the language of its text, or of another text of the number within a day, and not above
    a code: a signature or a quote below it may hold digits. `is_quote`: it holds a text of ours."""
    if not prepared.comparable or reply.has_code_line(prepared, code_length=v.terms.code_length):
        return False
    locales = (v.locale, *verifications.locales_of(tx, v.phone))
    words = {word for one in locales for word in wording.no_words(one)}
    if not is_quote:
        return signatures.is_no(prepared.text, words)
    above, _, below = LINE_END.sub("\n", prepared.text.strip()).partition("\n")
    # Without a code, what looks like a text of ours may be a complaint about it.
    holds_code = reply.may_hold_code(reply.prepare(below), code_length=v.terms.code_length)
    if holds_code and _begins_quote(tx, v, below):
        return signatures.is_no(above, words)
    return signatures.is_no(prepared.text, words, is_quote=holds_code)


def _begins_quote(tx: Tx, v: Verification, below: str) -> bool:
    """Whether it begins with one of our texts, or with the line that mail programs put above one:
    "Anna wrote:"."""
    is_attributed = signatures.is_attribution(below.partition("\n")[0])
    return is_attributed or opens_with_quote(comparable(below), _texts_of(tx, v))


def _texts_of(tx: Tx, v: Verification) -> list[str]:
    return [v.challenge_text, *verifications.challenge_texts_of(tx, v.phone)]


def is_outdated(tx: Tx, text: InboundText) -> bool:
    """Whether a missed keyword is older than another keyword of its number, which counts instead. A
    STOP that came while missed texts were being read is found by its opt-out."""
    if text.age is None or text.is_outdated:
        return text.is_outdated
    opt_out = opt_outs.load(tx, phone=text.phone, from_address=text.from_address)
    return opt_out is not None and opt_out.since > tx.now - text.age


def obey(tx: Tx, text: InboundText, keyword: Keyword, service: str | None) -> Done[Judged]:
    """Applies a keyword. Twilio answers keywords itself, except on a short code of our own without
    Advanced Opt-Out: there Textback answers HELP and STOP."""
    tx.lock_name(text.phone)
    answers = text.is_to_short_code and text.keyword is None and _may_answer(tx, text.phone)
    match keyword:
        case Keyword.START:
            opt_outs.unmark(tx, phone=text.phone, from_address=text.from_address)
            disowns.unmark_until(tx, text.phone, until=tx.now - (text.age or timedelta(0)))
            return Done(Judged(None))
        case Keyword.HELP:
            return Done(Judged(wording.help_text(service) if answers else None))
        case Keyword.STOP:
            return _stop(tx, text, wording.stopped_text(service) if answers else None)


def _stop(tx: Tx, text: InboundText, confirmation: str | None) -> Done[Judged]:
    # Confirmed once: nothing is texted to a number after that.
    if confirmation and opt_outs.load(tx, phone=text.phone, from_address=text.from_address):
        confirmation = None
    # Its lock before the mark, in the order of a reply.
    pending = verifications.pending_of(tx, text.phone)
    # Twilio obeys a text that is one keyword, and on a short code none.
    is_obeyed = is_stop_word(text.prepared) and not text.is_to_short_code
    opt_outs.mark(
        tx,
        phone=text.phone,
        from_address=text.from_address,
        is_by_twilio=text.keyword is not None or is_obeyed,
    )
    changes = cancel(tx, pending, Cause.OPTED_OUT) if pending else ()
    return Done(Judged(confirmation), changes=changes)


def obey_outdated(tx: Tx, text: InboundText, keyword: Keyword) -> Done[Judged]:
    """A missed keyword that a newer one has overruled: the opt-out stays as it is, but a STOP ends
    the verification that was pending when it was sent."""
    tx.lock_name(text.phone)
    pending = verifications.pending_of(tx, text.phone) if keyword is Keyword.STOP else None
    if pending is None or text.predates(pending.created_at, now=tx.now):
        return Done(Judged(None, ignored=IgnoreReason.BEFORE_ITS_START))
    return Done(Judged(None), changes=cancel(tx, pending, Cause.OPTED_OUT))


def _may_answer(tx: Tx, number: str) -> bool:
    """Answers are billed, and anybody can text a keyword: a few a day for each number, and none for
    a number that cannot be verified."""
    try:
        phone.parse(number)
    except (InvalidNumber, CannotReceiveTexts):
        return False
    since = tx.now - timedelta(days=1)
    masked = phone.masked(number)
    tx.lock_name(masked)  # of several at once, each counts the answers before it
    return inbound.count_answers(tx, masked, since=since, among=LOOKED_AT) < KEYWORD_ANSWERS


def opt_out_stands(tx: Tx, text: InboundText, changes: tuple[Change, ...]) -> bool:
    """Whether the number's opt-out still holds, which a right answer may disprove."""
    if opt_outs.load(tx, phone=text.phone, from_address=text.from_address) is None:
        return False
    return not disprove_opt_out(tx, changes, text.from_address)


def disprove_opt_out(tx: Tx, changes: tuple[Change, ...], from_address: str) -> bool:
    """Removes the opt-out of a number if the text of a start that tested it was answered right, by
    whichever way. Returns whether there was one."""
    right = [
        change.after
        for change in changes
        if any(event.name is EventName.RIGHT_ANSWER for event in change.events)
    ]
    return any(
        opt_outs.unmark(tx, phone=v.phone, from_address=from_address, since_before=v.created_at)
        for v in right
    )


def relevant_verification(tx: Tx, number: str) -> Verification | None:
    """The verification that a text of this number is about: the pending one, else the latest."""
    return verifications.pending_of(tx, number) or verifications.latest_of(tx, number)
