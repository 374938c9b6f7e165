"""Phones on a screen, and its own small API that the page and the tests use."""

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
    """Without a caller the page has phones but cannot start verifications, and without statuses it
    does not know of any."""
    routes = Blueprint("page", __name__, template_folder="templates", static_folder="static")

    @routes.get("/")
    def page() -> str:
        if not world.phones():
            world.add_phone(FIRST_PHONE)
        return render_template(
            "phones.html",
            number=world.number.phone,
            can_start=caller is not None,
            console_url=console_url,
            receiver_path=PATH,
        )

    @routes.get("/simulator/phones")
    def phones() -> Response:
        shown = world.phones()
        if statuses is not None:
            statuses.refresh(shown, texts=len(world.messages()))
        return jsonify({phone: _shown(phone) for phone in shown})

    def _shown(phone: str) -> dict[str, Any]:
        return {
            "messages": _messages(world, phone),
            "answers": [asdict(answer) for answer in webhooks.answers(phone)],
            "verification": statuses.of(phone) if statuses else None,
        }

    @routes.get("/simulator/textback")
    def textback() -> Response:
        """Whether Textback was heard at the last look, and the clock that deadlines go by."""
        trouble = statuses.trouble if statuses else None
        told = (
            {"since": trouble.since.isoformat(), "sentence": trouble.sentence} if trouble else None
        )
        return jsonify({"now": world.now().isoformat(), "trouble": told})

    @routes.errorhandler(BadRequest)
    def refuse(error: BadRequest) -> tuple[Response, int]:
        return jsonify({"error": error.description}), 400

    @routes.post("/simulator/phones")
    def add_phone() -> tuple[Response, int]:
        phone = _line(_sent())
        if phone == world.number.phone:
            raise BadRequest("This is the number that Textback texts from.")
        is_new = world.add_phone(phone)
        return jsonify({"phone": phone, "is_new": is_new}), 201 if is_new else 200

    @routes.post("/simulator/starts")
    def start() -> tuple[Response, int]:
        sent = _sent()
        phone, locale = _line(sent), sent.get("locale") or ""
        if not isinstance(locale, str):
            raise BadRequest("locale must be a text")
        if caller is None:
            raise BadRequest("this simulator has no key to start verifications with")
        try:
            started = caller.start(phone, locale)
        except Refused as error:
            raise BadRequest(str(error)) from None
        if statuses is not None:
            statuses.note(phone, started)
        return jsonify({"id": started["id"], "reference": started["reference"]}), 201

    @routes.post("/simulator/texts")
    def text() -> Response:
        sent = _sent()
        body = sent.get("body")
        if not isinstance(body, str):
            raise BadRequest("body must be a text")
        answer = webhooks.receive(_phone(sent), body)
        return jsonify(asdict(answer))

    @routes.get("/simulator/faults")
    def read_faults() -> Response:
        return jsonify([asdict(fault) for fault in troubles.waiting()])

    @routes.post("/simulator/faults")
    def add_fault() -> tuple[Response, int]:
        sent = _sent()
        unknown = set(sent) - {"kind", "times", "phone", "seconds", "code", "status"}
        if unknown or "kind" not in sent:
            raise BadRequest("a fault has kind, times, phone, seconds, code and status, no more")
        try:
            troubles.add(**sent)
        except ValueError as error:
            raise BadRequest(str(error)) from None
        return jsonify({}), 201

    @routes.delete("/simulator/faults")
    def clear_faults() -> Response:
        troubles.clear()
        return jsonify({})

    return routes


def _sent() -> dict[str, Any]:
    sent = request.get_json(silent=True)
    if not isinstance(sent, dict):
        raise BadRequest("send a JSON object, as application/json: no other page can do that")
    return sent


def _phone(sent: dict[str, Any]) -> str:
    phone = sent.get("phone")
    if not isinstance(phone, str) or not re.fullmatch(r"\+[1-9][0-9]{6,14}", phone):
        raise BadRequest("phone must be a number such as +14255550123")
    return phone


def _line(sent: dict[str, Any]) -> str:
    """A phone in any spelling, as Textback spells it."""
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
