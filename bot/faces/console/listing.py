"""The list of verifications: searched, filtered, and exported as CSV or JSON."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any

from flask import Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from bot.concurrency.blocking import yielding
from bot.explanations import words
from bot.explanations.summary import FIELDS, summary
from bot.faces.console import filters
from bot.faces.console.filters import Filters
from bot.faces.console.rendering import Renderer
from bot.service import Service
from bot.store.paging import PageCursor
from bot.store.verification_list import ListFilter
from bot.usecases import search
from bot.usecases.search import By, Interpretation

EXPORTED = 1000  # rows of one file
BUILT_AT_ONCE = 50  # of them: a few milliseconds

# A spreadsheet takes a cell that begins with one of these for a formula, but not a phone number.
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


class Listing:
    def __init__(self, service: Service, renderer: Renderer) -> None:
        self._store = service.store
        self._home = service.settings.home_country
        self._renderer = renderer

    def page(self) -> AnyResponse:
        query = filters.read(request.args)
        named = self._named(query)
        if named is not None:
            return redirect(url_for("console.one", id=named), 303)
        return self._renderer.live("console/list.html", lambda _: self._shown(query))

    def _named(self, query: Filters) -> str | None:
        """The id of the one verification that the text names. A text that is a number of others too
        leads to the list, which offers the id."""
        if not query.search or query.by not in (None, By.ID):
            return None
        named = self._store.read(search.named, query.search)
        is_number = named is not None and query.by is None and self._is_number(query)
        return None if is_number else named

    def _is_number(self, query: Filters) -> bool:
        return any(one.by is By.NUMBER for one in self._candidates(query))

    def export(self, form: str) -> AnyResponse:
        """A file of the list, beginning with the first row of the page."""
        query = filters.read(request.args, limit=EXPORTED)
        if query.faults:  # the page shows them
            after = request.args.get("after")
            return redirect(url_for("console.listing", **query.fields, after=after), 303)  # type: ignore[arg-type]
        wanted = _wanted(query, self._reading(query, self._candidates(query)))
        found = self._store.read(search.rows, wanted) if wanted else []
        rows = [summary(view) for view in yielding(found, every=BUILT_AT_ONCE)]
        body, kind = (_csv(rows), "text/csv") if form == "csv" else (_json(rows), _JSON)
        name = f"verifications.{form}"
        return Response(
            body,
            content_type=f"{kind}; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _shown(self, query: Filters) -> dict[str, Any]:
        candidates = self._candidates(query)
        reading = self._reading(query, candidates)
        context: dict[str, Any] = {
            "filters": query,
            "statuses": filters.STATUSES,
            "status_words": words.STATUS_WORDS,
            "found": None,
            "is_first": query.wanted.after is None,
            "ignored": self._store.read(search.ignored, query.search),
            "ignored_words": words.IGNORED,
        }
        wanted = _wanted(query, reading)
        if wanted is None:
            return context
        found = self._store.read(search.page, wanted)
        return {
            **context,
            "found": found,
            "counted": search.COUNTED,
            "looked_through": search.LOOKED_THROUGH,
            "further": found.further and _page_after(found.further, query.fields),
            "reading": reading,
            "is_by_id_alone": reading is not None
            and reading.by is By.ID
            and not query.fields.keys() <= {"q", "by"},
            "others": [other for other in candidates if other != reading],
            "by_words": words.FOUND_BY,
            "export": {**query.fields, "after": request.args.get("after")},
            "exported": EXPORTED,
        }

    def _candidates(self, query: Filters) -> Sequence[Interpretation]:
        """The readings of the search text that find something."""
        every = search.interpretations(query.search, home=self._home)
        return self._store.read(search.found, every)

    def _reading(
        self, query: Filters, candidates: Sequence[Interpretation]
    ) -> Interpretation | None:
        fitting = [one for one in candidates if query.by in (None, one.by)]
        return fitting[0] if fitting else None


def _wanted(query: Filters, reading: Interpretation | None) -> ListFilter | None:
    """Builds the filter of the list; None if a filter cannot be used or the search finds
    nothing."""
    if query.faults or (query.search and reading is None):
        return None
    return reading.narrow(query.wanted) if reading else query.wanted


def _page_after(place: PageCursor, fields: dict[str, str]) -> str:
    return url_for("console.listing", **fields, after=filters.address_of(place))  # type: ignore[arg-type]


_JSON = "application/json"


def _json(rows: list[dict[str, Any]]) -> str:
    """One row on each line."""
    lines = (json.dumps(row, ensure_ascii=False) for row in yielding(rows, every=BUILT_AT_ONCE))
    return "[\n" + ",\n".join(lines) + "\n]\n"


def _csv(rows: list[dict[str, Any]]) -> str:
    written = io.StringIO()
    writer = csv.DictWriter(written, FIELDS)
    writer.writeheader()
    for row in yielding(rows, every=BUILT_AT_ONCE):
        writer.writerow({name: _cell(name, row[name]) for name in FIELDS})
    return written.getvalue()


def _cell(name: str, value: Any) -> Any:
    is_formula = isinstance(value, str) and value.startswith(_FORMULAS) and name != "number"
    return f"'{value}" if is_formula else value
