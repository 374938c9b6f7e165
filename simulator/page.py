"""The page of phones, and the small API that the page and the tests use."""

import re
from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request
from werkzeug.exceptions import BadRequest

from simulator.caller import Caller, Refused
from simulator.faults import Faults
from simulator.receiver import PATH
from simulator.spelling import InvalidNumber, read
from simulator.statuses import Statuses
from simulator.webhooks import Webhooks
from simulator.world import World

FIRST_PHONE = "+14255550123"


def blueprint(
    world: World,
    troubles: Faults,
    webhooks: Webhooks,
    *,
    caller: Caller | None,
    statuses: Statuses | None,
    console_url: str,
) -> Blueprint:
    """Builds the page; without a caller it starts no verifications, without statuses it shows
    none."""
    routes = Blueprint("page", __name__, template_folder="templates", static_folder="static")
    phones = Phones(world, webhooks, caller, statuses, console_url)
    faults = WaitingFaults(troubles)
    for method, path, view in (
        ("GET", "/", phones.page),
        ("GET", "/simulator/phones", phones.show),
        ("POST", "/simulator/phones", phones.add),
        ("GET", "/simulator/textback", phones.textback),
        ("POST", "/simulator/starts", phones.start),
        ("POST", "/simulator/texts", phones.text),
        ("GET", "/simulator/faults", faults.show),
        ("POST", "/simulator/faults", faults.add),
        ("DELETE", "/simulator/faults", faults.clear),
    ):
        routes.add_url_rule(path, f"{method} {path}", view, methods=[method])
    routes.register_error_handler(BadRequest, _refuse)
    return routes


class Phones:
    def __init__(
        self,
        world: World,
        webhooks: Webhooks,
        caller: Caller | None,
        statuses: Statuses | None,
        console_url: str,
    ) -> None:
        self._world = world
        self._webhooks = webhooks
        self._caller = caller
        self._statuses = statuses
        self._console_url = console_url

    def page(self) -> str:
        if not self._world.phones():
            self._world.add_phone(FIRST_PHONE)
        return render_template(
            "phones.html",
            number=self._world.number.phone,
            can_start=self._caller is not None,
            console_url=self._console_url,
            receiver_path=PATH,
        )

    def show(self) -> Response:
        shown = self._world.phones()
        if self._statuses is not None:
            self._statuses.refresh(shown, texts=len(self._world.messages()))
        return jsonify({phone: self._shown(phone) for phone in shown})

    def _shown(self, phone: str) -> dict[str, Any]:
        return {
            "messages": _messages(self._world, phone),
            "answers": [asdict(answer) for answer in self._webhooks.answers(phone)],
            "verification": self._statuses.of(phone) if self._statuses else None,
        }

    def textback(self) -> Response:
        """Whether Textback answered the last request, and the time that deadlines refer to."""
        trouble = self._statuses.trouble if self._statuses else None
        told = (
            {"since": trouble.since.isoformat(), "sentence": trouble.sentence} if trouble else None
        )
        return jsonify({"now": self._world.now().isoformat(), "trouble": told})

    def add(self) -> tuple[Response, int]:
        phone = _line(_sent())
        if phone == self._world.number.phone:
            raise BadRequest("This is the number that Textback texts from.")
        is_new = self._world.add_phone(phone)
        return jsonify({"phone": phone, "is_new": is_new}), 201 if is_new else 200

    def start(self) -> tuple[Response, int]:
        sent = _sent()
        phone, locale = _line(sent), sent.get("locale") or ""
        if not isinstance(locale, str):
            raise BadRequest("locale must be a text")
        if self._caller is None:
            raise BadRequest("this simulator has no key to start verifications with")
        try:
            started = self._caller.start(phone, locale)
        except Refused as error:
            raise BadRequest(str(error)) from None
        if self._statuses is not None:
            self._statuses.note(phone, started)
        return jsonify({"id": started["id"], "reference": started["reference"]}), 201

    def text(self) -> Response:
        sent = _sent()
        body = sent.get("body")
        if not isinstance(body, str):
            raise BadRequest("body must be a text")
        answer = self._webhooks.receive(_phone(sent), body)
        return jsonify(asdict(answer))


class WaitingFaults:
    def __init__(self, troubles: Faults) -> None:
        self._troubles = troubles

    def show(self) -> Response:
        return jsonify([asdict(fault) for fault in self._troubles.waiting()])

    def add(self) -> tuple[Response, int]:
        sent = _sent()
        unknown = set(sent) - {"kind", "times", "phone", "seconds", "code", "status"}
        if unknown or "kind" not in sent:
            raise BadRequest("a fault has kind, times, phone, seconds, code and status, no more")
        try:
            self._troubles.add(**sent)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        return jsonify({}), 201

    def clear(self) -> Response:
        self._troubles.clear()
        return jsonify({})


def _refuse(error: BadRequest) -> tuple[Response, int]:
    return jsonify({"error": error.description}), 400


def _sent() -> dict[str, Any]:
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise BadRequest("send a JSON object as application/json")
    return sent


def _phone(sent: dict[str, Any]) -> str:
    phone = sent.get("phone")
    if not isinstance(phone, str) or not re.fullmatch(r"\+[1-9][0-9]{6,14}", phone):
        raise BadRequest("phone must be a number such as +14255550123")
    return phone


def _line(sent: dict[str, Any]) -> str:
    """Returns a phone, given in any spelling, as Textback spells it."""
    phone = sent.get("phone")
    if not isinstance(phone, str):
        raise BadRequest("phone must be a number such as +14255550123")
    try:
        return read(phone)
    except InvalidNumber as error:
        raise BadRequest(str(error)) from None


def _messages(world: World, phone: str) -> list[dict[str, Any]]:
    return [
        {
            "sid": message.sid,
            "is_from_phone": message.sender == phone,
            "is_code": message.direction == "outbound-api",  # the others are answers
            "body": message.body,
            "at": message.created_at.isoformat(),
            "status": message.status,
        }
        for message in world.of_phone(phone)
    ]
