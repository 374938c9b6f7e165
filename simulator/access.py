"""Access to the API: Basic auth with an auth token or an API key, and Twilio's error bodies."""

from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from simulator.world import Service, World

BASE = "/2010-04-01/Accounts/<account>"

MESSAGES = {
    20001: "Invalid parameter",
    20003: "Authenticate",
    20008: "Resource not accessible with Test Account Credentials",
    20404: "The requested resource was not found",
    20429: "Too Many Requests",
    20500: "An internal server error has occurred",
    21211: "Invalid 'To' Phone Number",
    21502: "Invalid SmsUrl",
    21602: "Message body is required",
    21266: "'To' and 'From' number cannot be the same",
    21603: "'From' phone number is required",
    21604: "'To' phone number is required",
    21606: "The 'From' phone number is not a valid, SMS-capable number of your account",
    21609: "The 'StatusCallback' URL is not a valid URL",
    21610: "Attempt to send to unsubscribed recipient",
    21617: "The concatenated message body exceeds the 1600 character limit",
    21624: "Invalid ValidityPeriod",
    21703: "The Messaging Service does not have a phone number available",
    21705: "The Messaging Service Sid is invalid",
    70051: "Authorization Failed",
}

# The rights of a restricted API key, by the endpoint they open.
SEND, READ, ERASE = "send", "read", "erase"
NUMBERS, SERVICES, REGISTRATION = "numbers", "services", "registration"


class ApiError(Exception):
    def __init__(self, code: int, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


def guard(routes: Blueprint, world: World) -> None:
    """Refuses as Twilio does, before anything else is looked at."""

    @routes.errorhandler(ApiError)
    def refuse(error: ApiError) -> tuple[Response, int]:
        body = {
            "code": error.code,
            "message": MESSAGES.get(error.code, "Refused on request"),
            "more_info": f"https://www.twilio.com/docs/errors/{error.code}",
            "status": error.status,
        }
        return jsonify(body), error.status

    @routes.before_request
    def authenticate() -> None:
        sent = request.authorization
        user, password = (sent.username, sent.password) if sent else (None, None)
        account = world.account
        tokens = (account.auth_token, account.secondary_token)
        key = next((k for k in world.api_keys if (k.sid, k.secret) == (user, password)), None)
        if key is None and (user != account.sid or not password or password not in tokens):
            raise ApiError(20003, 401)
        g.key = key
        if (request.view_args or {}).pop("account", account.sid) != account.sid:
            raise ApiError(20404, 404)


def require(world: World, right: str) -> None:
    """Requires a right of the credentials of the request."""
    if g.key is not None and g.key.rights is not None and right not in g.key.rights:
        raise ApiError(70051, 403)
    if world.account.has_test_credentials and right != SEND:
        raise ApiError(20008, 403)


def known(world: World, sid: str) -> Service:
    service = world.service
    if service is None or service.sid != sid:
        raise ApiError(20404, 404)
    return service


def require_found(is_found: bool) -> None:
    if not is_found:
        raise ApiError(20404, 404)


def page_v1(key: str, rows: list[dict[str, Any]]) -> Response:
    meta = {
        "page": 0,
        "page_size": 50,
        "key": key,
        "next_page_url": None,
        "previous_page_url": None,
        "first_page_url": request.url,
        "url": request.url,
    }
    return jsonify({key: rows, "meta": meta})
