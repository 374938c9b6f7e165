"""Messages in Twilio's REST API, version 2010-04-01, as far as Textback uses it. Forms may have
only the fields of Twilio's OpenAPI description, and errors have Twilio's bodies."""

import re
import socket
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, jsonify, request

from simulator import access, faults
from simulator.access import BASE, ApiError
from simulator.faults import Faults
from simulator.webhooks import Webhooks
from simulator.world import Message, World

# Parameters of POST Messages.json in twilio_api_v2010.json (release 2.6.7).
SEND_FIELDS = frozenset(
    """To StatusCallback ApplicationSid MaxPrice ProvideFeedback Attempt ValidityPeriod
    ForceDelivery ContentRetention AddressRetention SmartEncoded PersistentAction TrafficType
    ShortenUrls
    ScheduleType SendAt SendAsMms ContentVariables RiskCheck From MessagingServiceSid Body MediaUrl
    ContentSid FallbackFrom""".split()
)


def blueprint(world: World, troubles: Faults, webhooks: Webhooks) -> Blueprint:
    routes = Blueprint("api", __name__)
    access.guard(routes, world)
    messages = Messages(world, troubles, webhooks)
    every, one = f"{BASE}/Messages.json", f"{BASE}/Messages/<sid>.json"
    routes.post(every)(messages.send)
    routes.get(every)(messages.read_list)
    routes.get(one)(messages.read_one)
    routes.post(one)(messages.redact)
    return routes


class Messages:
    def __init__(self, world: World, troubles: Faults, webhooks: Webhooks) -> None:
        self._world = world
        self._troubles = troubles
        self._webhooks = webhooks

    def send(self) -> tuple[Response, int]:
        access.require(self._world, access.SEND)
        form = request.form
        _check_send(form, self._world)
        _misbehave_before(self._troubles, form["To"])
        message = self._world.outbound(
            recipient=form["To"],
            body=form["Body"],
            status_callback=form.get("StatusCallback", ""),
            service_sid=form.get("MessagingServiceSid"),
        )
        self._webhooks.report(message)
        _misbehave_after(self._troubles, form["To"])
        return jsonify(_shown(message, self._world)), 201

    def read_list(self) -> Response:
        access.require(self._world, access.READ)
        if self._troubles.take(faults.LIST_ERROR, request.args.get("To")):
            raise ApiError(20500, 500)
        size = min(1000, int(request.args.get("PageSize", 50)))
        page = int(request.args.get("Page", 0))
        found = [m for m in reversed(self._world.messages()) if _matches(m, request.args)]
        shown = found[page * size : (page + 1) * size]
        has_more = len(found) > (page + 1) * size
        return jsonify(
            {
                "messages": [_shown(message, self._world) for message in shown],
                "page": page,
                "page_size": size,
                "uri": _page_uri(page),
                "first_page_uri": _page_uri(0),
                "previous_page_uri": _page_uri(page - 1) if page else None,
                "next_page_uri": _page_uri(page + 1) if has_more else None,
                "start": page * size,
                "end": page * size + max(0, len(shown) - 1),
            }
        )

    def read_one(self, sid: str) -> Response:
        access.require(self._world, access.READ)
        message = self._message(sid)
        if self._troubles.take(faults.LIST_ERROR, message.recipient):
            raise ApiError(20500, 500)
        return jsonify(_shown(message, self._world))

    def redact(self, sid: str) -> Response:
        access.require(self._world, access.ERASE)
        message = self._message(sid)
        if dict(request.form) != {"Body": ""} or message.status in ("queued", "sending"):
            raise ApiError(20001)
        self._world.erase(sid)
        return jsonify(_shown(replace(message, body=""), self._world))

    def _message(self, sid: str) -> Message:
        message = self._world.message(sid)
        if message is None:
            raise ApiError(20404, 404)
        return message


def _check_send(form: Mapping[str, str], world: World) -> None:
    if set(form) - SEND_FIELDS:
        raise ApiError(20001)
    if not form.get("To"):
        raise ApiError(21604)
    if not re.fullmatch(r"\+[1-9][0-9]{6,14}", form["To"]):
        raise ApiError(21211)
    if not form.get("Body"):
        raise ApiError(21602)
    if len(form["Body"]) > 1600:
        raise ApiError(21617)
    validity = form.get("ValidityPeriod", "36000")
    if not re.fullmatch("[0-9]{1,5}", validity) or not 1 <= int(validity) <= 36000:
        raise ApiError(21624)
    if not re.match(r"https?://[^/_]+(/|$)", form.get("StatusCallback", "https://default")):
        raise ApiError(21609)
    _check_sender(form, world)
    if world.has_opted_out(form["To"]):
        raise ApiError(21610)


def _check_sender(form: Mapping[str, str], world: World) -> None:
    sid = form.get("MessagingServiceSid")
    if sid is None and "From" not in form:
        raise ApiError(21603)
    if sid is None and form["From"] != world.number.phone:
        raise ApiError(21606)
    if form["To"] == form.get("From"):
        raise ApiError(21266)
    if sid is not None and (world.service is None or world.service.sid != sid):
        raise ApiError(21705)
    if sid is not None and world.service is not None and not world.service.number_sid:
        raise ApiError(21703)


def _misbehave_before(troubles: Faults, phone: str) -> None:
    delay = troubles.take(faults.DELAY, phone)
    if delay:
        time.sleep(delay.seconds)
    refusal = troubles.take(faults.REFUSE, phone)
    if refusal:
        raise ApiError(refusal.code, refusal.http_status)
    if troubles.take(faults.ERROR_BEFORE, phone):
        raise ApiError(20500, 500)


def _misbehave_after(troubles: Faults, phone: str) -> None:
    if troubles.take(faults.ERROR_AFTER, phone):
        raise ApiError(20500, 500)
    if troubles.take(faults.LOSE_ANSWER, phone):
        connection: Any = request.environ["werkzeug.socket"]
        connection.shutdown(socket.SHUT_RDWR)


def _matches(message: Message, wanted: Mapping[str, str]) -> bool:
    if wanted.get("To") not in (None, message.recipient):
        return False
    if wanted.get("From") not in (None, message.sender):
        return False
    since = wanted.get("DateSent>")
    return since is None or message.created_at.replace(microsecond=0) >= _instant(since)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text if "T" in text else f"{text}T00:00:00Z")


def _page_uri(page: int) -> str:
    query = {**request.args.to_dict(), "Page": str(page)}
    return f"{request.path}?{urlencode(query)}"


def _shown(message: Message, world: World) -> dict[str, Any]:
    created = format_datetime(message.created_at.replace(microsecond=0))
    uri = f"/2010-04-01/Accounts/{world.account.sid}/Messages/{message.sid}.json"
    is_new = message.status == "queued"
    is_of_pool = is_new and message.service_sid is not None
    return {
        "account_sid": world.account.sid,
        "api_version": "2010-04-01",
        "body": "" if message.is_erased else message.body,
        "date_created": created,
        "date_sent": None if is_new else created,
        "date_updated": created,
        "direction": message.direction,
        "error_code": message.error_code,
        "error_message": None,
        "from": None if is_of_pool else message.sender,
        "messaging_service_sid": message.service_sid,
        "num_media": "0",
        "num_segments": "0" if is_of_pool else "1",  # not known before a sender is chosen
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": "accepted" if is_of_pool else message.status,
        "subresource_uris": {"media": uri.replace(".json", "/Media.json")},
        "to": message.recipient,
        "uri": uri,
    }
