"""The actions of the console: one method for each button."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import (
    Response,
    g,
    redirect,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from bot.domain import phone
from bot.domain.errors import InvalidNumber, Refusal
from bot.domain.operators import CONSOLE_CALLER, Action, Operator
from bot.explanations import webhooks as explained
from bot.faces.console import filters
from bot.faces.console.pages import Pages
from bot.faces.console.rendering import Renderer
from bot.faces.console.sign_in import SignIn
from bot.http.whole_numbers import whole_number
from bot.observability.logs import REQUEST_ID
from bot.service import Service
from bot.store.tx import Done, Tx
from bot.usecases import clear, control, forget, read, resend, webhooks
from bot.usecases.audit import AuditedStore
from bot.usecases.restart import restart
from bot.usecases.rules import Rules
from bot.usecases.start import StartRequest, begin


class Actions:
    def __init__(self, service: Service, sign_in: SignIn, renderer: Renderer, pages: Pages) -> None:
        self._service = service
        self._sign_in = sign_in
        self._renderer = renderer
        self._pages = pages

    def start(self) -> AnyResponse:
        number = request.form.get("number", "")
        start_request = StartRequest(
            started_by=CONSOLE_CALLER,
            request_id=REQUEST_ID.get(),
            operator=self._name,
        )
        service = self._service
        try:
            verification = begin(
                self._as(Action.STARTED),
                number,
                start_request,
                rules=service.rules,
                admission=service.admission,
            )
        except Refusal as refusal:
            return self._renderer.not_started(refusal, number)
        return redirect(url_for("console.one", id=verification.id), 303)

    def cancel(self, id: str) -> AnyResponse:
        self._as(Action.CANCELED).write(
            control.cancel, id, reason="canceled at the console", operator=self._name
        )
        return self._noticed("canceled", "one", id=id)

    def resend(self, id: str) -> AnyResponse:
        service = self._service
        resend.begin_resend(
            self._as(Action.RESENT),
            id,
            rules=service.rules,
            admission=service.admission,
            operator=self._name,
        )
        return self._noticed("resent", "one", id=id)

    def restart_verification(self, id: str) -> AnyResponse:
        service = self._service
        number = service.store.read(read.view, id).verification.phone
        try:
            verification = restart(
                self._as(Action.STARTED),
                id,
                request_id=REQUEST_ID.get(),
                rules=service.rules,
                admission=service.admission,
                operator=self._name,
            )
        except Refusal as refusal:
            return self._renderer.not_started(refusal, number)
        return redirect(url_for("console.one", id=verification.id), 303)

    def forget(self, id: str) -> AnyResponse:
        store = self._service.store
        number = store.read(read.view, id).verification.phone
        as_operator = self._as(Action.FORGOTTEN, number=number)
        forget.forget_number(store, as_operator, number, operator=self._name)
        return self._noticed("forgotten", "listing", about=number)

    def clear_limits(self) -> AnyResponse:
        page = self._pages.limits
        words = ("limits", "none_counted")
        return self._clear(
            Action.LIMITS_CLEARED, clear.clear_limits, page=page, notices=words, endpoint="limits"
        )

    def clear_opt_out(self) -> AnyResponse:
        page = self._pages.opt_outs
        words = ("cleared", "not_opted_out")
        return self._clear(
            Action.OPT_OUT_CLEARED,
            clear.clear_opt_out,
            page=page,
            notices=words,
            endpoint="opt_outs",
        )

    def _clear(
        self,
        action: Action,
        use_case: Callable[[Tx, Sequence[str], Rules], Done[Any]],
        *,
        page: Callable[[str], Response],
        notices: tuple[str, str],
        endpoint: str,
    ) -> AnyResponse:
        """`page`, at `endpoint`, is where the number was typed. `notices`: if something was
        cleared, and if there was nothing to clear."""
        try:
            phones = phone.known_as(request.form.get("number", ""))
        except InvalidNumber as refusal:
            return self._refused_number(page, refusal)
        as_operator = self._as(action, number=phones[0])
        is_done = as_operator.write(use_case, phones, self._service.rules)
        return self._noticed(notices[0 if is_done else 1], endpoint, about=phones[0])

    def enable(self, id: str) -> AnyResponse:
        seen = whole_number(request.form.get("generation", ""))
        # No endpoint has the generation -1, which stands for unreadable input.
        generation = -1 if seen is None else seen
        as_operator = self._as(Action.ENDPOINT_ENABLED, detail=id)
        webhooks.enable_and_send(self._service.store, as_operator, id, generation=generation)
        return self._noticed("enabled", "webhooks")

    def replay_event(self, id: str) -> AnyResponse:
        """Returns to the verification's page if the button was pressed there."""
        verification = request.form.get("verification", "")
        self._as(Action.EVENT_REPLAYED, detail=id).write(webhooks.replay, id, operator=self._name)
        if verification:
            return self._noticed("sent_again", "one", id=verification)
        return self._noticed("sent_again", "webhooks")

    def replay_failed_events(self) -> AnyResponse:
        faults: list[str] = []
        since = filters.instant(request.form.get("since", "") or "nothing", faults)
        if since is not None and since > self._service.store.now():
            faults.append("This time is still to come. The field is in UTC.")
        if since is None or faults:
            return self._renderer.error_page(" ".join(faults), 400)
        count = self._as(Action.FAILED_EVENTS_REPLAYED).write(
            webhooks.replay_failed, since=since, operator=self._name
        )
        word = "failed_again" if count < webhooks.REPLAYED_AT_ONCE else "most_again"
        return self._noticed(word if count else "none_failed", "webhooks")

    def send_test(self) -> AnyResponse:
        if not self._as(Action.WEBHOOKS_TESTED).write(webhooks.send_test, sent_by=CONSOLE_CALLER):
            return self._renderer.error_page(explained.NOT_SET, 400)
        return self._noticed("tested", "webhooks")

    def _refused_number(self, page: Callable[[str], Response], refusal: Refusal) -> Response:
        """The page where the number was typed, with the number and what was wrong with it."""
        self._service.metrics.refused(refusal.code)
        response = page(refusal.sentence)
        response.status_code = 400
        return response

    @property
    def _name(self) -> str:
        """The name of the operator who pressed the button."""
        operator: Operator = g.session.operator
        return operator.name

    def _as(self, action: Action, *, number: str | None = None, detail: str = "") -> AuditedStore:
        """The store as the operator writes to it."""
        return AuditedStore(
            self._service.store, g.session.operator, action, number=number, detail=detail
        )

    def _noticed(self, word: str, page: str, *, about: str = "", **where: str) -> AnyResponse:
        """Redirects to a page with a notice of what was done, and to which number. The notice is
        signed, so a forged link shows none."""
        proof = self._sign_in.token(g.session, f"{word} {about}")
        query = {"notice": word, "about": about or None, "proof": proof, **where}
        return redirect(url_for(f"console.{page}", **query), 303)  # type: ignore[arg-type]
