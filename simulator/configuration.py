"""The account, its number and its Messaging Service in Twilio's REST API, with the fields of
Twilio's OpenAPI descriptions that Textback reads. Tests put faults into the `World`."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from simulator import access, registrations
from simulator.access import BASE, ApiError, known, page_v1, require, require_found
from simulator.world import Service, World

NUMBER_FIELDS = frozenset(
    ["SmsUrl", "SmsMethod", "SmsFallbackUrl", "SmsFallbackMethod", "SmsApplicationSid"]
)
SERVICE_FIELDS = frozenset(["InboundRequestUrl", "InboundMethod", "UseInboundWebhookOnNumber"])


def blueprint(world: World) -> Blueprint:
    routes = Blueprint("configuration", __name__)
    access.guard(routes, world)
    _account(routes, world)
    _numbers(routes, world)
    _services(routes, world)
    _pool(routes, world)
    registrations.add(routes, world)
    return routes


def _account(routes: Blueprint, world: World) -> None:
    @routes.get("/2010-04-01/Accounts/<sid>.json")
    def read_account(sid: str) -> Response:
        account = world.account
        if g.key is not None:
            raise ApiError(20003, 401)  # only a main key may
        if account.has_test_credentials:
            raise ApiError(20008, 403)
        if sid != account.sid:
            raise ApiError(20404, 404)
        return jsonify(
            {
                "sid": account.sid,
                "owner_account_sid": account.owner_sid or account.sid,
                "status": account.status,
                "type": account.type,
                "friendly_name": "The simulator's",
            }
        )


def _numbers(routes: Blueprint, world: World) -> None:
    @routes.get(f"{BASE}/IncomingPhoneNumbers.json")
    def read_numbers() -> Response:
        require(world, access.NUMBERS)
        wanted = request.args.get("PhoneNumber", "")
        fits = not world.number.is_short_code and wanted in world.number.phone
        return _page("incoming_phone_numbers", [_number(world)] if fits else [])

    @routes.get(f"{BASE}/SMS/ShortCodes.json")
    def read_short_codes() -> Response:
        require(world, access.NUMBERS)
        wanted = request.args.get("ShortCode", "")
        fits = world.number.is_short_code and wanted in world.number.phone
        return _page("short_codes", [_number(world)] if fits else [])

    @routes.get(f"{BASE}/IncomingPhoneNumbers/<sid>.json")
    @routes.get(f"{BASE}/SMS/ShortCodes/<sid>.json", endpoint="read_short_code")
    def read_number(sid: str) -> Response:
        require(world, access.NUMBERS)
        require_found(sid == world.number.sid)
        return jsonify(_number(world))

    @routes.post(f"{BASE}/IncomingPhoneNumbers/<sid>.json")
    @routes.post(f"{BASE}/SMS/ShortCodes/<sid>.json", endpoint="set_short_code")
    def set_number(sid: str) -> Response:
        require(world, access.NUMBERS)
        require_found(sid == world.number.sid)
        if set(request.form) - NUMBER_FIELDS:
            raise ApiError(20001)
        fields = {"SmsUrl": "sms_url", "SmsMethod": "sms_method"}
        fields["SmsApplicationSid"] = "application_sid"
        world.configure_number(
            **{
                ours: request.form[theirs]
                for theirs, ours in fields.items()
                if theirs in request.form
            }
        )
        return jsonify(_number(world))


def _services(routes: Blueprint, world: World) -> None:
    @routes.get("/v1/Services")
    def read_services() -> Response:
        require(world, access.SERVICES)
        return page_v1("services", [_service(world, world.service)] if world.service else [])

    @routes.get("/v1/Services/<sid>")
    def read_service(sid: str) -> Response:
        require(world, access.SERVICES)
        return jsonify(_service(world, known(world, sid)))

    @routes.post("/v1/Services/<sid>")
    def set_service(sid: str) -> Response:
        require(world, access.SERVICES)
        service, form = known(world, sid), request.form
        if set(form) - SERVICE_FIELDS:
            raise ApiError(20001)
        url = form.get("InboundRequestUrl", service.inbound_url)
        if "#" in url and not service.takes_fragments:
            raise ApiError(20001)
        uses = form.get("UseInboundWebhookOnNumber")
        world.configure_service(
            replace(
                service,
                inbound_url=url,
                inbound_method=form.get("InboundMethod", service.inbound_method),
                uses_number_webhook=service.uses_number_webhook if uses is None else uses == "true",
            )
        )
        return jsonify(_service(world, known(world, sid)))


def _pool(routes: Blueprint, world: World) -> None:
    @routes.get("/v1/Services/<sid>/PhoneNumbers")
    @routes.get("/v1/Services/<sid>/ShortCodes", endpoint="read_pool_codes")
    def read_pool(sid: str) -> Response:
        require(world, access.SERVICES)
        is_of_codes = request.path.endswith("ShortCodes")
        number, service = world.number, known(world, sid)
        is_there = bool(service.number_sid) and number.is_short_code is is_of_codes
        shown = {
            "sid": service.number_sid,
            "short_code" if is_of_codes else "phone_number": number.phone,
            "country_code": "US",
            "capabilities": ["SMS"] if number.can_sms else ["Voice"],
        }
        return page_v1(
            "short_codes" if is_of_codes else "phone_numbers", [shown] if is_there else []
        )

    @routes.get("/v1/Services/<sid>/AlphaSenders")
    @routes.get("/v1/Services/<sid>/DestinationAlphaSenders", endpoint="read_names_by_country")
    def read_names(sid: str) -> Response:
        require(world, access.SERVICES)
        is_by_country = "Destination" in request.path
        service = known(world, sid)
        names = service.names_by_country if is_by_country else service.names
        return page_v1("alpha_senders", [{"sid": "AI", "alpha_sender": name} for name in names])

    @routes.get("/v1/Services/<sid>/ChannelSenders")
    def read_channels(sid: str) -> Response:
        require(world, access.SERVICES)
        shown = [
            {"sid": "XE", "sender": sender, "sender_type": sender.partition(":")[0].upper()}
            for sender in known(world, sid).channels
        ]
        return page_v1("senders", shown)


def _number(world: World) -> dict[str, Any]:
    number = world.number
    shown: dict[str, Any] = {
        "sid": number.sid,
        "account_sid": world.account.sid,
        "sms_url": number.sms_url,
        "sms_method": number.sms_method,
        "sms_fallback_url": "",
        "sms_fallback_method": "POST",
    }
    if number.is_short_code:
        return {**shown, "short_code": number.phone}
    return {
        **shown,
        "phone_number": number.phone,
        "sms_application_sid": number.application_sid,
        "capabilities": {"sms": number.can_sms, "voice": True, "mms": False, "fax": False},
    }


def _service(world: World, service: Service) -> dict[str, Any]:
    return {
        "sid": service.sid,
        "account_sid": world.account.sid,
        "use_inbound_webhook_on_number": service.uses_number_webhook,
        "inbound_request_url": service.inbound_url or None,
        "inbound_method": service.inbound_method,
        "sticky_sender": service.has_sticky_sender,
        "us_app_to_person_registered": service.campaign_status == "VERIFIED",
        "usecase": "verification",
    }


def _page(key: str, rows: list[dict[str, Any]]) -> Response:
    return jsonify({key: rows, "page": 0, "next_page_uri": None})
