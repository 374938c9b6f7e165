"""The filter of a list, read from the address of its page."""

from dataclasses import dataclass
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from bot.domain import phone
from bot.domain.errors import Refusal
from bot.domain.verification import FINISHED, Stage, Status, Verification
from bot.store.rows import to_instant, to_text
from bot.store.verification_list import ListFilter
from bot.store.webhook_events import EventState

PAGE = 50

STATUSES = [status.value for status in Status]
EVENT_STATES = [state.value for state in EventState]


@dataclass(frozen=True, slots=True)
class Filters:
    """The fields as they were typed, for showing again; what cannot be used is a fault in words."""

    status: str
    country: str
    number: str
    id: str
    tag: str
    began_from: str
    began_to: str
    wanted: ListFilter
    faults: tuple[str, ...]

    @property
    def fields(self) -> dict[str, str]:
        """Those that are set, for the address of another page."""
        fields = {
            "status": self.status,
            "country": self.country,
            "number": self.number,
            "id": self.id,
            "tag": self.tag,
            "from": self.began_from,
            "to": self.began_to,
        }
        return {name: value for name, value in fields.items() if value}


def read(query: MultiDict[str, str]) -> Filters:
    def typed(name: str) -> str:
        return query.get(name, "").strip()[:256]

    faults: list[str] = []
    began_from, began_to = instant(typed("from"), faults), instant(typed("to"), faults)
    wanted = ListFilter(
        limit=PAGE + 1,  # one more, to know whether there is an older page
        stages=_stages(typed("status"), faults),
        country=_country(typed("country"), faults),
        phone=_phone(typed("number"), faults),
        id_prefix=typed("id"),
        tag=typed("tag"),
        created_from=began_from,
        created_to=began_to,
        newest_first=True,
        after=_after(query.get("after", ""), faults),
    )
    if wanted.id_prefix:
        # An id names one, so nothing else narrows it: and no search reads a million rows for a few.
        wanted = ListFilter(limit=wanted.limit, id_prefix=wanted.id_prefix, after=wanted.after)
    return Filters(
        status=typed("status"),
        country=typed("country"),
        number=typed("number"),
        id=typed("id"),
        tag=typed("tag"),
        began_from=typed("from"),
        began_to=typed("to"),
        wanted=wanted,
        faults=tuple(faults),
    )


def event_state(text: str, faults: list[str]) -> EventState | None:
    """Of the events that are wanted; None: all."""
    if text and text not in EVENT_STATES:
        faults.append("This state is unknown.")
    return EventState(text) if text in EVENT_STATES else None


def place_of(verification: Verification) -> str:
    """Where a page ends, for the address of the next."""
    return f"{to_text(verification.created_at)} {verification.id}"


def _after(text: str, faults: list[str]) -> tuple[datetime, str] | None:
    if not text:
        return None
    at, _, id = text.partition(" ")
    try:
        return to_instant(at).astimezone(UTC), id
    except (ValueError, OverflowError):
        faults.append("This page is unknown; here is the first one.")
        return None


def _stages(text: str, faults: list[str]) -> frozenset[Stage]:
    if not text:
        return frozenset()
    if text == Status.PENDING:
        return frozenset(Stage) - FINISHED
    if text not in STATUSES:
        faults.append("This status is unknown.")
        return frozenset()
    return frozenset([Stage(text)])


def _country(text: str, faults: list[str]) -> str:
    if text and not phone.is_country(text.upper()):
        faults.append("A country is two letters, such as US.")
        return ""
    return text.upper()


def _phone(text: str, faults: list[str]) -> str:
    if not text:
        return ""
    try:
        return phone.parse(text).number
    except Refusal as refusal:
        faults.append(refusal.sentence)
        return ""


def instant(text: str, faults: list[str]) -> datetime | None:
    """As browsers send a date and time; taken as UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        faults.append("A time looks like 2026-01-31T09:30.")
        return None
