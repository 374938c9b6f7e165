"""Doing: one method a button."""

import json

from flask import (
    g,
    redirect,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from bot.domain import phone
from bot.faces.console.sign_in import SignIn
from bot.observability.logs import REQUEST_ID
from bot.service import Service
from bot.usecases import clear, control, forget, read
from bot.usecases.start import Request, begin, restart

CALLER = "console"  # whose starts these are


class Actions:
    def __init__(self, service: Service, sign_in: SignIn) -> None:
        self._service = service
        self._store = service.store
        self._sign_in = sign_in

    def start(self) -> AnyResponse:
        number = request.form.get("number", "")
        asked = Request(
            started_by=CALLER, start_input=json.dumps(number), request_id=REQUEST_ID.get()
        )
        service = self._service
        verification = begin(
            self._store, number, asked, rules=service.rules, admission=service.admission
        )
        return redirect(url_for("console.one", id=verification.id), 303)

    def cancel(self, id: str) -> AnyResponse:
        self._store.write(control.terminate, id, reason="canceled at the console")
        return self._noticed("canceled", "one", id=id)

    def again(self, id: str) -> AnyResponse:
        service = self._service
        verification = restart(
            self._store,
            id,
            request_id=REQUEST_ID.get(),
            rules=service.rules,
            admission=service.admission,
        )
        return redirect(url_for("console.one", id=verification.id), 303)

    def forget(self, id: str) -> AnyResponse:
        number = self._store.read(read.view, id).verification.phone
        forget.forget_number(self._store, number)
        return self._noticed("forgotten", "listing")

    def clear_limits(self) -> AnyResponse:
        phones = phone.known_as(request.form.get("number", ""))
        self._store.write(clear.clear_limits, phones, self._service.rules)
        return self._noticed("limits", "limits")

    def clear_opt_out(self) -> AnyResponse:
        phones = phone.known_as(request.form.get("number", ""))
        self._store.write(clear.clear_opt_out, phones, self._service.rules)
        return self._noticed("cleared", "opt_outs")

    def _noticed(self, word: str, page: str, **where: str) -> AnyResponse:
        """To a page that says what was done; a forged link cannot make it say so."""
        proof = self._sign_in.token(g.session, word)
        address = url_for(f"console.{page}", notice=word, proof=proof, **where)  # type: ignore[arg-type]
        return redirect(address, 303)
