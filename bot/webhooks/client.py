"""One try: signed, sent to a checked address, and what its answer means."""

import re
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from urllib.parse import urlsplit

import certifi
import urllib3
from standardwebhooks import Webhook
from urllib3.exceptions import HTTPError, ProtocolError

import bot
from bot.concurrency.watchdog import Watchdog
from bot.domain.webhook_response import WebhookResponse, WebhookResult
from bot.outbound import addresses
from bot.outbound.addresses import ForbiddenAddress
from bot.outbound.bounded import (
    Call,
    direct_pool,
    under_way,
)

CALL_SECONDS = 10.0  # of a whole call
LONGEST_RETRY_AFTER_SECONDS = 3600.0
READ_BYTES = 64 * 1024  # of an answer, so that its connection can be kept; more closes it
CONNECTIONS = 8  # to each endpoint, kept open
# In a web process all look-ups share gevent's ten threads, so this bound leaves some for Twilio's.
LOOK_UPS_AT_ONCE = 6
HOSTS = 10
_SECONDS = re.compile(r"[0-9]+(?:\.[0-9]*)?")  # the standard has no fractions; receivers do


@cache  # reading the certificates takes a tenth of a second
def trusting() -> ssl.SSLContext:
    """Trusts the public authorities, and those that the machine or SSL_CERT_FILE names: receivers
    inside a network often have certificates of its own authority."""
    context = ssl.create_default_context(cafile=certifi.where())
    context.load_default_certs()
    return context


class WebhookClient:
    """Used by many threads. `clock`: wall time, for timestamps."""

    def __init__(
        self,
        secrets: Sequence[str],
        *,
        allows_private: bool,
        own_port: int,
        clock: Callable[[], datetime],
        endpoints: int = 1,
    ) -> None:
        """`endpoints`: how many there are, whose hosts share the look-ups."""
        self._signers = [Webhook(secret) for secret in secrets]
        self._allows_private = allows_private
        self._own_port = own_port
        self._clock = clock
        self._watchdog = Watchdog()
        # Each host has its share: a name that hangs holds up no other.
        self._look_ups_at_once = max(1, LOOK_UPS_AT_ONCE // endpoints)
        self._look_ups: dict[str, threading.BoundedSemaphore] = {}
        self._pool = direct_pool(
            num_pools=HOSTS,
            maxsize=CONNECTIONS * endpoints,  # to each host: all may be of one
            timeout=urllib3.Timeout(connect=CALL_SECONDS, read=CALL_SECONDS),
            retries=False,
            ssl_context=trusting(),
        )

    def headers(self, id: str, body: str) -> dict[str, str]:
        """Builds the headers, with a signature under each secret: a receiver may know either of
        them."""
        now = self._clock().astimezone(UTC)  # the library takes any other zone for UTC
        signatures = [signer.sign(msg_id=id, timestamp=now, data=body) for signer in self._signers]
        return {
            "content-type": "application/json",
            "user-agent": f"Textback/{bot.__version__}",
            "webhook-id": id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": " ".join(signatures),
        }

    def post(self, url: str, id: str, body: str) -> WebhookResponse:
        """Takes ten seconds at most, whatever the receiver does."""
        check = addresses.address_check(
            allows_private=self._allows_private,
            allows_loopback=addresses.is_loopback_host(urlsplit(url).hostname or ""),
            own_port=self._own_port,
        )
        look_ups = self._look_ups.setdefault(
            urlsplit(url).netloc, threading.BoundedSemaphore(self._look_ups_at_once)
        )
        call = Call(time.monotonic() + CALL_SECONDS, check, look_ups)
        answer: WebhookResponse | None = None
        try:
            # ValueError: a chunk of a negative size.
            with suppress(HTTPError, OSError, ValueError), under_way(call, self._watchdog):
                response = self._call(call, url, self.headers(id, body), body)
                if call.left > 0:  # headers that are cut seem to end there
                    answer = self._answer(response)  # even if reading its body fails
                _read_rest(response)
        except ForbiddenAddress:
            return WebhookResponse(WebhookResult.FORBIDDEN_ADDRESS)
        is_late = time.monotonic() >= call.deadline
        return answer or WebhookResponse(
            WebhookResult.TIMEOUT if is_late else WebhookResult.UNREACHABLE
        )

    def _call(
        self, call: Call, url: str, headers: dict[str, str], body: str
    ) -> urllib3.BaseHTTPResponse:
        """Calls once more where the receiver closed a kept connection at that moment: servers do so
        after some idle seconds. If it had the event already, it gets the same one twice."""
        while True:
            call.is_new = False
            try:
                return self._request(url, headers, body)
            except ProtocolError:
                if call.is_new or call.left <= 0:
                    raise

    def _request(self, url: str, headers: dict[str, str], body: str) -> urllib3.BaseHTTPResponse:
        return self._pool.request(
            "POST",
            url,
            body=body.encode(),
            headers=headers,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )

    def _answer(self, response: urllib3.BaseHTTPResponse) -> WebhookResponse:
        status = response.status
        if 200 <= status < 300:
            return WebhookResponse(WebhookResult.DELIVERED, status)
        if status == 410:
            return WebhookResponse(WebhookResult.GONE, status)
        result = WebhookResult.REDIRECTED if 300 <= status < 400 else WebhookResult.REFUSED
        return WebhookResponse(result, status, self._retry_after(response))

    def _retry_after(self, response: urllib3.BaseHTTPResponse) -> float:
        """Parses Retry-After as seconds or a date, limited to one hour. Unreadable values count as
        zero; of several headers, as of a receiver and its proxy, the longest counts."""
        waits = map(self._wait, response.headers.getlist("Retry-After"))
        return min(max(waits, default=0.0), LONGEST_RETRY_AFTER_SECONDS)

    def _wait(self, text: str) -> float:
        if _SECONDS.fullmatch(text.strip()):
            return float(text[:9])
        try:
            at = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return 0.0
        seconds = (at.replace(tzinfo=at.tzinfo or UTC) - self._clock()).total_seconds()
        return max(0.0, seconds)


def _read_rest(response: urllib3.BaseHTTPResponse) -> None:
    """Reads a short body, so that the connection can be kept. Raises HTTPError, OSError."""
    is_short = False
    try:
        is_short = len(response.read(READ_BYTES)) < READ_BYTES
    finally:
        if is_short:
            response.release_conn()
        else:
            response.close()
