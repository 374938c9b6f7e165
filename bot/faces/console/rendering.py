"""How pages are made: whole, or 304 where the browser has the same version already."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import (
    Response,
    g,
    make_response,
    render_template,
    request,
)

from bot.domain.errors import (
    EndpointChanged,
    Refusal,
    UnknownEndpoint,
    UnknownEvent,
    UnknownVerification,
)
from bot.domain.operators import Role
from bot.explanations import words
from bot.faces.console.remedies import remedy
from bot.faces.console.sign_in import Session
from bot.service import Service
from bot.store.rows import UnreadableRow
from bot.store.tx import StoreUnavailable
from bot.usecases import read
from bot.usecases.service_state import ServiceState, service_state

log = logging.getLogger(__name__)

# No inline script or style, nothing from elsewhere.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)

STATUSES: dict[type[Refusal], int] = {  # of refusals; of all others 400
    UnknownVerification: 404,
    UnknownEndpoint: 404,
    UnknownEvent: 404,
    EndpointChanged: 409,
}

NOTICES = {
    "canceled": "The verification is canceled.",
    "resent": "The text goes out again, unless one went out within the last 15 seconds.",
    "forgotten": "{number} is forgotten: its verifications, their history, its limits.",
    "cleared": "{number} may be texted again. Twilio itself refuses until it texts START.",
    "not_opted_out": "{number} had not opted out.",
    "limits": "The limits of {number} are cleared.",
    "none_counted": "Nothing counted against {number}.",
    "enabled": "The endpoint is enabled: its waiting events are sent now, if it is still set.",
    "sent_again": "The event is sent again with its id, once its endpoint is set and enabled.",
    "failed_again": "Events that failed since then are sent again as soon as their endpoints are"
    " set and enabled.",
    "most_again": "The oldest 1,000 failed events are sent again. Press the button again for the"
    " rest.",
    "none_failed": "No event has failed since then.",
    "tested": "A test event is sent to each endpoint that is set and enabled.",
}


class Renderer:
    def __init__(self, service: Service, *, is_token: Callable[[Session, str, str], bool]) -> None:
        """`is_token`: whether the token of a notice is valid, so that a link cannot forge one."""
        self._service = service
        self._store = service.store
        self._refused = service.metrics.refused
        self._is_token = is_token

    def live(
        self, template: str, show: Callable[[ServiceState], dict[str, Any]], *, more: str = ""
    ) -> Response:
        """A page, or 304 if the caller has this version of it. The version changes by the minute,
        as counts and limits do, and by the second while texts are queued. `more`: the version of
        data on the page that is not in the history."""
        current = self._store.read(
            service_state,
            from_address=self._service.rules.from_address,
            ahead=self._store.steady.ahead,
        )
        clock = f"{current.now:%H%M%S}" if current.queue else f"{current.now:%H%M}"
        version = f"{current.version}-{'+'.join([*current.faults, *current.notes])}-{clock}{more}"
        if request.headers.get("X-Version") == version:
            return Response(status=304)
        response = self.page(template, **show(current), version=version)
        response.headers["X-Version"] = version
        return response

    def page(self, template: str, status: int = 200, **shown: Any) -> Response:
        word, about = request.args.get("notice", ""), request.args.get("about", "")
        is_ours = self._is_token(g.session, request.args.get("proof", ""), f"{word} {about}")
        notice = NOTICES[word].format(number=about) if is_ours and word in NOTICES else None
        page = render_template(
            template,
            now=self._store.now(),
            stage_words=words.STAGE_WORDS,
            may_act=bool(g.session.operator and g.session.operator.role is Role.OPERATOR),
            deliveries=words.DELIVERIES,
            causes=words.CAUSES,
            notice=notice,
            **shown,
        )
        return make_response(page, status)

    def error_page(self, sentence: str, status: int, **more: Any) -> Response:
        return self.page("console/error.html", status, sentence=sentence, **more)

    def refusal(self, error: Refusal) -> Response:
        self._refused(error.code)
        back = (request.view_args or {}).get("id") if request.blueprint == "console" else None
        is_known = back is not None and self._store.read(read.exists, back)
        status = STATUSES.get(type(error), 400)
        return self.error_page(error.sentence, status, back=back if is_known else None)

    def unreadable(self, error: UnreadableRow) -> Response:
        log.error("%s", error)
        sentence = (
            "A row that this page shows cannot be read. The log names it; docs/operations.md has"
            " what to do, under Rows that cannot be read."
        )
        return self.error_page(sentence, 500)

    def not_started(self, error: Refusal, number: str) -> Response:
        """Renders a refused start: keeps the typed number, and says what can be done."""
        self._refused(error.code)
        return self.error_page(
            error.sentence,
            STATUSES.get(type(error), 400),
            is_start=True,
            number=number,
            remedy=remedy(error, number),
        )


def guarded(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    return response


def unavailable(error: StoreUnavailable) -> Response:
    """Renders an error page without the layout, since the layout queries the store."""
    log.error("the database refuses the console", exc_info=error)
    page = make_response(render_template("console/unavailable.html", sentence=error.sentence), 503)
    page.headers["Retry-After"] = str(error.retry_after_seconds)
    return page


def since(instant: datetime, start: datetime) -> str:
    """A time since the start, as a time line shows it.

    >>> from datetime import UTC
    >>> since(datetime(2026, 1, 31, 12, 1, 30, tzinfo=UTC), datetime(2026, 1, 31, 12, tzinfo=UTC))
    '+ 1:30.0'
    """
    seconds = max(0.0, (instant - start).total_seconds())
    return f"+ {int(seconds // 60)}:{seconds % 60:04.1f}"
