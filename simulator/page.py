"""Phones on a screen, and the desk's own small API that the page and the tests use."""

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request

from simulator.faults import Faults
from simulator.webhooks import Webhooks
from simulator.world import World


def blueprint(world: World, troubles: Faults, webhooks: Webhooks, *, service_url: str) -> Blueprint:
    routes = Blueprint("page", __name__, template_folder="templates", static_folder="static")

    @routes.get("/")
    def page() -> str:
        return render_template("phones.html", number=world.number.phone, service_url=service_url)

    @routes.get("/desk/phones")
    def phones() -> Response:
        return jsonify({phone: _messages(world, phone) for phone in world.phones()})

    @routes.post("/desk/phones")
    def add_phone() -> tuple[Response, int]:
        world.add_phone(_sent()["phone"])
        return jsonify({}), 201

    @routes.post("/desk/texts")
    def text() -> Response:
        sent = _sent()
        answer = webhooks.receive(sent["phone"], sent["body"])
        return jsonify(asdict(answer))

    @routes.get("/desk/faults")
    def read_faults() -> Response:
        return jsonify([asdict(fault) for fault in troubles.waiting()])

    @routes.post("/desk/faults")
    def add_fault() -> tuple[Response, int]:
        try:
            troubles.add(**_sent())
        except (TypeError, ValueError) as error:
            return jsonify({"error": str(error)}), 400
        return jsonify({}), 201

    @routes.delete("/desk/faults")
    def clear_faults() -> Response:
        troubles.clear()
        return jsonify({})

    return routes


def _sent() -> dict[str, Any]:
    sent: dict[str, Any] = request.get_json()
    return sent


def _messages(world: World, phone: str) -> list[dict[str, Any]]:
    return [
        {
            "sid": message.sid,
            "is_from_phone": message.sender == phone,
            "body": message.body,
            "at": message.created_at.isoformat(),
            "status": message.status,
        }
        for message in world.of_phone(phone)
    ]
