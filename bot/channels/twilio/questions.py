"""Questions to Twilio for an operator, with one time limit for all. If one is not answered, a
sentence says what to check."""

import time
from collections.abc import Callable
from enum import Enum
from typing import TypeVar
from urllib.parse import urlsplit

from twilio.base.exceptions import TwilioException
from twilio.rest import Client
from urllib3 import exceptions as urllib3_errors

from bot.channels.twilio import errors
from bot.channels.twilio.client import client
from bot.channels.twilio.exceptions import UNREADABLE, http_status, twilio_code
from bot.channels.twilio.http import API
from bot.outbound.bounded import ConnectionRefused
from bot.settings import Settings

T = TypeVar("T")

TOTAL_SECONDS = 60.0  # all questions of one command
_TEST_CREDENTIALS, _MISSING_RIGHT = 20008, 70051


class Why(Enum):
    """Why Twilio did not answer a question."""

    CREDENTIALS = "credentials"  # not accepted at all
    NOT_PERMITTED = "not permitted"  # accepted, but not for this
    TEST_CREDENTIALS = "test credentials"
    NOT_FOUND = "not found"  # 404
    REFUSED = "refused"  # a request that Twilio read
    CONNECTION = "connection"  # Twilio was not reached
    TEMPORARY = "temporary"  # busy, or a fault of its own


class Unanswered(Exception):
    """A question that Twilio did not answer, and why."""

    def __init__(self, why: Why, sentence: str, code: int | None = None) -> None:
        super().__init__(sentence)
        self.why = why
        self.sentence = sentence
        self.code = code


class Questions:
    """Asks one question after the other, with the credentials that send texts."""

    def __init__(
        self, settings: Settings, *, twilio: Client | None = None, ends: float | None = None
    ) -> None:
        """`ends`: an instant of `time.monotonic()`, by which the last one is answered."""
        self.settings = settings
        self.client = twilio or client(settings)
        self.ends = time.monotonic() + TOTAL_SECONDS if ends is None else ends

    def with_token(self, token: str) -> "Questions":
        """Asks with one of the auth tokens, and until the same instant."""
        twilio = client(self.settings, token=token, http_client=self.client.http_client)
        return Questions(self.settings, twilio=twilio, ends=self.ends)

    def ask(self, question: Callable[[], T]) -> T:
        """Asks within the time that is left, and returns Twilio's answer. Raises Unanswered."""
        try:
            with self.client.http_client.bounded_by(self.ends):
                return question()
        except UNREADABLE as error:
            raise unanswered(error, self.settings) from None


def unanswered(error: Exception, settings: Settings) -> Unanswered:
    """The meaning of an exception of the library. The library's own message is not shown, since it
    may contain the phone number."""
    if isinstance(error, urllib3_errors.HTTPError):
        return Unanswered(Why.CONNECTION, _of_connection(error, settings))
    status, code = http_status(error), twilio_code(error)
    if isinstance(error, TwilioException) and status is not None:
        return _answered(status, code, settings)
    return _answered_by_another(settings)


def _answered_by_another(settings: Settings) -> Unanswered:
    return Unanswered(
        Why.CONNECTION,
        f"{_host(settings)} answers, but not with Twilio's API: look for a proxy or a captive"
        " portal between this machine and Twilio.",
    )


def _answered(status: int, code: int | None, settings: Settings) -> Unanswered:
    if code == _TEST_CREDENTIALS:
        return Unanswered(
            Why.TEST_CREDENTIALS,
            "These are Twilio's test credentials (error 20008), which send no text and receive"
            " none. Take the live ones from the first page of Twilio's console.",
            code,
        )
    if code == _MISSING_RIGHT:
        return _not_permitted(code)
    if status == 401 or code == errors.CREDENTIALS:
        return Unanswered(Why.CREDENTIALS, _of_credentials(code, settings), code)
    if code is None and status < 500 and status != 429:
        return _answered_by_another(settings)
    if status == 403:
        return _not_permitted(code)
    if status == 404 or code == errors.NOT_FOUND:
        return Unanswered(Why.NOT_FOUND, f"Twilio does not have this resource{_of(code)}.", code)
    if status == 429 or status >= 500:
        return Unanswered(
            Why.TEMPORARY, f"Twilio is busy or has a fault{_of(code)}: ask again in a minute.", code
        )
    meaning = errors.sentence(code) or "Twilio refuses the request."
    return Unanswered(Why.REFUSED, f"{meaning.rstrip('.')}{_of(code)}.", code)


def _not_permitted(code: int | None) -> Unanswered:
    sentence = f"Twilio does not allow these credentials to do this{_of(code)}."
    return Unanswered(Why.NOT_PERMITTED, sentence, code)


def _of_credentials(code: int | None, settings: Settings) -> str:
    if code not in (None, errors.CREDENTIALS) and errors.sentence(code):  # of a suspended account
        return f"Twilio's error {code}: {errors.with_advice(code)}"
    return f"Twilio does not accept {_credentials(settings)}."


def _credentials(settings: Settings) -> str:
    return (
        "the API key in TWILIO_API_KEY_SID and TWILIO_API_KEY_SECRET (error 20003): it was deleted,"
        " belongs to another account or region, or is mistyped"
        if settings.twilio_api_key_sid
        else "TWILIO_AUTH_TOKEN for TWILIO_ACCOUNT_SID (error 20003): one of them is mistyped or"
        " of another account, the token was rotated, or the account is closed"
    )


def _of(code: int | None) -> str:
    return f" (error {code})" if code else ""


def _of_connection(error: urllib3_errors.HTTPError, settings: Settings) -> str:
    host = _host(settings)
    if isinstance(error, urllib3_errors.ProxyError):
        return (
            f"The proxy in HTTPS_PROXY does not lead to {host}: look at the proxy, or name the host"
            " in NO_PROXY."
        )
    if isinstance(error, urllib3_errors.NameResolutionError):
        return f"The name {host} is not found: look at this machine's DNS and network."
    if isinstance(error, urllib3_errors.SSLError):
        return (
            f"The certificate of {host} is not accepted: look for a proxy that opens TLS, and at"
            " this machine's clock."
        )
    if isinstance(error, ConnectionRefused):
        return f"{host} refuses the connection: look at the address and at firewalls."
    if isinstance(error, urllib3_errors.NewConnectionError | urllib3_errors.ConnectTimeoutError):
        return f"No connection to {host}: look at this machine's network and firewall."
    return (
        f"{host} did not answer within {settings.twilio_timeout_seconds:g} seconds, or broke off:"
        " ask again in a minute."
    )


def _host(settings: Settings) -> str:
    address = settings.twilio_api_base_url or client(settings).get_hostname(API)
    return urlsplit(address).netloc
