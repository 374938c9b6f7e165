"""Search for support staff: one text, read in every way that it may be meant."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot import wording
from bot.domain import phone_search
from bot.domain.characters import ascii_digits
from bot.store import inbound, outbox, verification_list, verifications
from bot.store.inbound import IgnoredText
from bot.store.paging import PageCursor
from bot.store.tx import Tx
from bot.store.verification_list import ListFilter
from bot.usecases import read
from bot.usecases.read import VerificationView

LONGEST = 256  # characters; of an id
COUNTED = 10_000  # a search counts no further than this
# Rows with one tag, reference or the like that are looked through for a page, where a filter beside
# it leaves some out: about 50 ms.
LOOKED_THROUGH = 20_000

# Alone, or as texts in English and languages like it and our own pages have it.
_REFERENCE = re.compile(rf"(?:R[EÉI]F(?:ERENCE)?[.:]?\s*)?([{wording.REFERENCE_LETTERS}]{{2}})\.?")
_ERROR_CODE = re.compile(r"(?:.*\berror:?\s+)?([1-9][0-9]{4})[.:]?", re.IGNORECASE)
# Alone, or behind what masks the rest of a number.
_LAST_FOUR = re.compile(r"(?:.*(?:\*\*|••|\.\.|…|[xX]{2})[\W_]*)?([0-9]{4})")
_VERIFY_SID = re.compile(r"VE([0-9a-f]{32})", re.IGNORECASE)
_HEX = re.compile(r"(?:[A-Z]{2})?[0-9A-F]{32}")  # our ids and Twilio's, in capitals
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class By(StrEnum):
    """The field that a search text matched."""

    NUMBER = "number"
    LAST_FOUR = "last_four"
    ERROR_CODE = "error_code"
    REFERENCE = "reference"
    TAG = "tag"
    ID = "id"


@dataclass(frozen=True, slots=True)
class Interpretation:
    by: By
    value: str

    def narrow(self, filter: ListFilter) -> ListFilter:
        match self.by:
            case By.NUMBER:
                return replace(filter, phone=self.value)
            case By.LAST_FOUR:
                return replace(filter, last_four=self.value)
            case By.ERROR_CODE:
                return replace(filter, error_code=int(self.value))
            case By.REFERENCE:
                return replace(filter, reference=self.value)
            case By.TAG:
                return replace(filter, tag=self.value)
            case By.ID:
                # Without the other filters: they could make a search read millions of rows.
                return ListFilter(limit=filter.limit, id_prefix=self.value, after=filter.after)


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search."""

    views: list[VerificationView]
    count: int  # number of matches, counted up to COUNTED + 1, and only among the rows searched
    further: PageCursor | None  # where the next page begins
    is_cut: bool  # there are more than LOOKED_THROUGH: the count is of so many from this page on


def interpretations(text: str, *, home: str) -> list[Interpretation]:
    """All that a text may be, the likeliest first. `home`: the country whose numbers are spelled
    without a country code; ZZ for none.

    >>> [r.value for r in interpretations("(425) 555-0123", home="US")][0]
    '+14255550123'
    >>> [r.by.value for r in interpretations("0123", home="US")]
    ['last_four', 'tag', 'id']
    """
    typed = text.strip()
    if not typed:
        return []
    readings = [
        Interpretation(By.NUMBER, number) for number in phone_search.may_be(typed, home=home)
    ]
    digits = ascii_digits(typed)
    if last_four := _LAST_FOUR.fullmatch(digits):
        readings.append(Interpretation(By.LAST_FOUR, last_four[1]))
    if error_code := _ERROR_CODE.fullmatch(digits):
        readings.append(Interpretation(By.ERROR_CODE, error_code[1]))
    if reference := _REFERENCE.fullmatch(typed.upper()):
        readings.append(Interpretation(By.REFERENCE, reference[1]))
    as_sent = dict.fromkeys([typed, text])  # a tag or an id may begin or end with a blank
    readings += (Interpretation(by, one) for by in (By.TAG, By.ID) for one in as_sent)
    if _HEX.fullmatch(typed):
        readings.append(Interpretation(By.ID, typed.lower()))
    if _UUID.fullmatch(typed):  # as other programs show our ids
        readings.append(Interpretation(By.ID, typed.lower().replace("-", "")))
    return readings


def found(tx: Tx, candidates: Sequence[Interpretation]) -> list[Interpretation]:
    """Keeps the readings that find anything, without the other filters of the list."""
    one = ListFilter(limit=1)
    return [reading for reading in candidates if verification_list.find(tx, reading.narrow(one))]


def page(tx: Tx, filter: ListFilter) -> Found:
    bounded = _bounded(tx, filter)
    # One more, to know whether there is a further page.
    found = verification_list.find(tx, replace(bounded, limit=filter.limit + 1))
    shown = found[: filter.limit]
    is_full = len(found) > filter.limit
    further = (shown[-1].created_at, shown[-1].id) if is_full else bounded.until
    whole = _bounded(tx, replace(filter, after=None))
    counted = bounded if whole.until else whole
    return Found(
        views=read.of_many(tx, shown),
        count=verification_list.count(tx, counted, at_most=COUNTED + 1),
        further=further,
        is_cut=whole.until is not None,
    )


def rows(tx: Tx, wanted: ListFilter) -> list[VerificationView]:
    """The rows of a page, without the count."""
    return read.page(tx, _bounded(tx, wanted)).views


def of_message(tx: Tx, sid: str) -> str | None:
    """The id of the verification whose text has this sid at Twilio."""
    return outbox.verification_of(tx, sid)


def ignored(tx: Tx, sid: str) -> IgnoredText | None:
    """The text that came in under this sid and changed nothing."""
    return inbound.ignored(tx, sid)


def newest_ignored(tx: Tx, *, limit: int) -> list[IgnoredText]:
    return inbound.newest_ignored(tx, limit=limit)


def handled(tx: Tx, message_sids: Sequence[str]) -> frozenset[str]:
    """Returns the messages that came in by webhook or were read from Twilio's list."""
    return inbound.known(tx, message_sids)


def named(tx: Tx, text: str) -> str | None:
    """The id of the one verification that a whole id, Verify's sid or Twilio's sid of a message
    names."""
    typed = text.strip()
    sid = _VERIFY_SID.fullmatch(typed)
    if _HEX.fullmatch(typed.upper()):
        typed = typed[:-32].upper() + typed[-32:].lower()
    for id in (text.strip(), typed):
        if verifications.phone_of(tx, id) is not None:
            return id
    return verifications.id_of_hex(tx, sid[1].lower()) if sid else of_message(tx, typed)


def _bounded(tx: Tx, filter: ListFilter) -> ListFilter:
    """Bounds a search whose query reads rows that the filter rejects."""
    if not verification_list.narrows_a_name(filter):
        return filter
    return replace(filter, until=verification_list.cursor_at(tx, filter, rows=LOOKED_THROUGH))
