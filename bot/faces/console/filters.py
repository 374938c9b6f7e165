"""Reads the filter of a list from the address of its page."""

from dataclasses import dataclass
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from bot.domain import phone
from bot.domain.operators import Action
from bot.domain.verification import Stage, Status, stages_of
from bot.store.audit import AuditFilter
from bot.store.paging import PageCursor
from bot.store.rows import to_instant, to_text
from bot.store.verification_list import ListFilter
from bot.store.webhook_events import EventState
from bot.usecases.search import LONGEST, By

PAGE = 50

STATUSES = [status.value for status in Status]
EVENT_STATES = [state.value for state in EventState]
ACTIONS = [action.value for action in Action]


@dataclass(frozen=True, slots=True)
class Filters:
    """The fields as typed, to show them again, and a sentence for each unusable field."""

    search: str
    by: By | None  # the field that is searched; None: any that finds something
    fields: dict[str, str]  # those that are set, as an address has them
    wanted: ListFilter  # without the search
    faults: tuple[str, ...]


def read(query: MultiDict[str, str], *, limit: int = PAGE) -> Filters:
    names = ("q", "by", "status", "country", "from", "to")
    typed = {name: query.get(name, "").strip()[:LONGEST] for name in names}
    if typed.get("q"):  # a tag may begin or end with a blank
        typed["q"] = query["q"][:LONGEST]
    faults: list[str] = []
    by = By(typed["by"]) if typed["by"] in frozenset(By) else None
    filter = ListFilter(
        limit=limit,
        stages=_stages(typed["status"], faults),
        country=_country(typed["country"], faults),
        created_from=instant(typed["from"], faults),
        created_to=instant(typed["to"], faults),
        newest_first=True,
        after=page_cursor(query.get("after", ""), faults),
    )
    typed |= {"from": _typed(filter.created_from), "to": _typed(filter.created_to)}
    fields = {name: value for name, value in typed.items() if value}
    return Filters(typed["q"], by, fields, filter, tuple(faults))


@dataclass(frozen=True, slots=True)
class AuditFilters:
    fields: dict[str, str]
    wanted: AuditFilter
    faults: tuple[str, ...]


def of_audit(query: MultiDict[str, str]) -> AuditFilters:
    typed = {name: query.get(name, "").strip()[:LONGEST] for name in ("who", "what", "from", "to")}
    faults: list[str] = []
    if typed["what"] and typed["what"] not in ACTIONS:
        faults.append("This action is unknown.")
    filter = AuditFilter(
        limit=PAGE + 1,  # one more, to know whether there is an older page
        operator=typed["who"],
        action=Action(typed["what"]) if typed["what"] in ACTIONS else None,
        at_from=instant(typed["from"], faults),
        at_to=instant(typed["to"], faults),
        after=page_cursor(query.get("after", ""), faults),
    )
    typed |= {"from": _typed(filter.at_from), "to": _typed(filter.at_to)}
    fields = {name: value for name, value in typed.items() if value}
    return AuditFilters(fields, filter, tuple(faults))


def event_state(text: str, faults: list[str]) -> EventState | None:
    """Reads the state of the wanted events; None: all."""
    if text and text not in EVENT_STATES:
        faults.append("This state is unknown.")
    return EventState(text) if text in EVENT_STATES else None


def address_of(place: PageCursor) -> str:
    """Encodes the end of a page for the address of the next page."""
    at, id = place
    return f"{to_text(at)} {id}"


def page_cursor(text: str, faults: list[str]) -> PageCursor | None:
    if not text:
        return None
    at, _, id = text.partition(" ")
    try:
        return to_instant(at).astimezone(UTC), id
    except (ValueError, OverflowError):
        faults.append("This page is unknown.")
        return None


def instant(text: str, faults: list[str]) -> datetime | None:
    """Parses a date and time as browsers send it; taken as UTC."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
        return at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        faults.append("A time looks like 2026-01-31T09:30.")
        return None


def _typed(at: datetime | None) -> str:
    """An instant as a browser's field takes it; it complains in its console of anything else."""
    if at is None:
        return ""
    return at.replace(tzinfo=None).isoformat(timespec="seconds" if at.second else "minutes")


def _stages(text: str, faults: list[str]) -> frozenset[Stage]:
    if not text:
        return frozenset()
    if text not in STATUSES:
        faults.append("This status is unknown.")
        return frozenset()
    return stages_of(Status(text))


def _country(text: str, faults: list[str]) -> str:
    if text and not phone.is_country(text.upper()):
        faults.append("A country is two letters, such as US.")
        return ""
    return text.upper()
