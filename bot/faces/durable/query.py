"""Reads query parameters as the extension does: names are case-insensitive, and a value that does
not parse is ignored.

The removal of many instances is stricter: ignoring a filter there would remove more than the
caller asked for, so a parameter that is not understood is refused.
"""

import base64
import json
import math
import re
from datetime import UTC, datetime

from werkzeug.datastructures import MultiDict

from bot.domain.verification import Stage
from bot.faces.durable.errors import InvalidFilter, InvalidToken, MissingCreatedTimeFrom
from bot.faces.durable.payloads import RUNTIME_STATUSES
from bot.http.whole_numbers import whole_number
from bot.store.verification_list import ListFilter

PAGE = 100  # instances of a page, the extension's default
LONGEST_PAGE = 1000
PURGED_AT_ONCE = 500

# The words by the numbers they have in the extension. ContinuedAsNew and Canceled never happen.
_NUMBERS = {
    "0": "Running",
    "1": "Completed",
    "2": "ContinuedAsNew",
    "3": "Failed",
    "4": "Canceled",
    "5": "Terminated",
    "6": "Pending",
    "7": "Suspended",
}
_WORDS = {word.lower(): word for word in _NUMBERS.values()} | _NUMBERS

_NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
LONGEST_INSTANT = 64  # the pattern below takes quadratic time
# The plus of an offset that was not escaped is a blank by the time it is read.
_UNESCAPED_OFFSET = re.compile(r"(.*[T ]\d\d.*) (\d\d(?::?\d\d)?)")
# Parameters of a removal: its filters, the key, and the names of a task hub and a connection.
_COMMON_NAMES = frozenset(["code", "taskhub", "connection"])
_FILTER = re.compile("createdtime(from|to)|runtimestatus", re.IGNORECASE)
_PURGE_NAMES = _COMMON_NAMES | {"createdtimefrom", "createdtimeto", "runtimestatus"}


class Query:
    def __init__(self, args: MultiDict[str, str]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in args.items(multi=True):
            self._values.setdefault(name.lower(), []).append(value)

    def text(self, name: str) -> str | None:
        return next(iter(self.values(name)), None)

    def flag(self, name: str, *, default: bool) -> bool:
        """Reads a boolean as .NET does: `true` and `false` in any case; 1 and yes count as
        absent."""
        word = (self.text(name) or "").strip().lower()
        return {"true": True, "false": False}.get(word, default)

    def seconds(self, *names: str) -> float | None:
        """A finite number of seconds, from the first of these names that is there."""
        for name in names:
            text = (self.text(name) or "").strip()
            # float() also takes 1_0 and digits of other scripts, which .NET does not.
            if _NUMBER.fullmatch(text) and math.isfinite(value := float(text)):
                return value
        return None

    @property
    def names(self) -> frozenset[str]:
        """The names of all parameters, in lower case."""
        return frozenset(self._values)

    def values(self, name: str) -> list[str]:
        return self._values.get(name.lower(), [])

    def instant(self, name: str) -> datetime | None:
        """The instant in UTC, which is assumed without an offset. None: absent or unreadable."""
        text = (self.text(name) or "").strip().upper()  # RFC 3339 allows "t" and "z"
        if len(text) > LONGEST_INSTANT:
            return None
        offset = _UNESCAPED_OFFSET.fullmatch(text)
        if offset is not None:
            text = f"{offset[1]}+{offset[2]}"
        year, dash, rest = text.partition("-")
        try:  # the clients send years below 1000 without their zeros
            instant = datetime.fromisoformat(year.zfill(4) + dash + rest)
        except ValueError:
            return None
        try:
            return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
        except OverflowError:  # of the first or the last day there is
            return instant.replace(tzinfo=UTC)

    def count(self, name: str, *, default: int, most: int) -> int:
        number = whole_number((self.text(name) or "").strip())
        return min(number, most) if number else default

    def runtime_statuses(self) -> list[str]:
        """The words asked for, in lower case, whether or not there are such statuses."""
        values = self.values("runtimeStatus")
        return [word.strip().lower() for value in values for word in value.split(",")]


def wanted_page(query: Query, token: str) -> ListFilter | None:
    """The page asked for; None where no instance can be in it. Raises InvalidToken."""
    stages = _stages(query)
    if stages is None:
        return None
    return ListFilter(
        limit=query.count("top", default=PAGE, most=LONGEST_PAGE),
        created_from=query.instant("createdTimeFrom"),
        created_to=query.instant("createdTimeTo"),
        stages=stages,
        id_prefix=query.text("instanceIdPrefix") or "",
        after=_after(token, prefix=query.text("instanceIdPrefix") or "") if token else None,
    )


def wanted_purge(query: Query) -> ListFilter | None:
    """The filter of a removal; None if no instance can match it. Raises MissingCreatedTimeFrom, and
    InvalidFilter for a parameter that is not understood."""
    if query.instant("createdTimeFrom") is None:
        raise MissingCreatedTimeFrom("Please provide value for 'createdTimeFrom' parameter.")
    created_from = _instant_or_refuse(query, "createdTimeFrom")
    _refuse_unknown(query)
    _refuse_hidden_filters(query)
    stages = _stages(query)
    if stages is None:
        return None
    return ListFilter(
        limit=PURGED_AT_ONCE,
        created_from=created_from,
        created_to=_instant_or_refuse(query, "createdTimeTo"),
        stages=stages,
    )


def _refuse_hidden_filters(query: Query) -> None:
    """A filter within another value was escaped once too often, and would widen the removal."""
    for name in _COMMON_NAMES:
        if any(_FILTER.search(value) for value in query.values(name)):
            raise InvalidFilter(
                f"{name} contains a filter: do not escape its &. Nothing was removed."
            )


def refuse_filters(query: Query) -> None:
    """Raises InvalidFilter: the removal of one instance has no filter, and one that did nothing
    would be taken for a condition."""
    _refuse_names(query, _COMMON_NAMES, "parameter", "The removal of one instance has no filters.")
    _refuse_hidden_filters(query)


def _instant_or_refuse(query: Query, name: str) -> datetime | None:
    values = query.values(name)
    if not values:
        return None
    instant = query.instant(name)
    # A year of two digits is not the first century's. .NET's least date is sent as 1-01-01.
    has_year = re.match(r"\s*([0-9]{4}|1-01-01)", values[0])
    if instant is None or not has_year or len(values) > 1:
        raise InvalidFilter(
            f"{name} must be one instant such as 2026-01-31T09:30:00Z. Nothing was removed."
        )
    return instant


def _refuse_names(query: Query, known: frozenset[str], kind: str, advice: str) -> None:
    unknown = sorted(query.names - known)
    if unknown:
        raise InvalidFilter(f"Unknown {kind} {unknown[0][:40]!r}. {advice} Nothing was removed.")


def _refuse_unknown(query: Query) -> None:
    advice = "The filters are createdTimeFrom, createdTimeTo and runtimeStatus."
    _refuse_names(query, _PURGE_NAMES, "filter", advice)
    unknown = [word for word in query.runtime_statuses() if word not in _WORDS]
    if unknown:
        raise InvalidFilter(
            f"Unknown runtimeStatus {unknown[0][:40]!r}. The values are"
            f" {', '.join(_NUMBERS.values())}. Nothing was removed."
        )


def token(created_at: datetime, id: str, *, prefix: str) -> str:
    """Encodes the place at which the next page goes on. Opaque to callers. `prefix`: the list with
    another one has another order."""
    place = json.dumps([created_at.isoformat(), id, prefix])
    return base64.urlsafe_b64encode(place.encode()).decode()


def _after(token: str, *, prefix: str) -> tuple[datetime, str]:
    try:
        place = json.loads(base64.urlsafe_b64decode(token.encode()))
        if not isinstance(place, list):
            raise TypeError
        created_at, id, of_prefix = place
        instant = datetime.fromisoformat(created_at).astimezone(UTC)
        id.encode()
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidToken("Unknown continuation token.") from None
    if of_prefix != prefix:
        raise InvalidToken("The continuation token is of another instanceIdPrefix.")
    return instant, id


def _stages(query: Query) -> frozenset[Stage] | None:
    """The stages asked for, unknown words left out. Empty set: no filter. None: only words that
    Textback never reports."""
    wanted = {_WORDS[word] for word in query.runtime_statuses() if word in _WORDS}
    if not wanted:
        return frozenset()
    return frozenset(s for s, word in RUNTIME_STATUSES.items() if word in wanted) or None
