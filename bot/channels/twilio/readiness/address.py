"""Whether PUBLIC_BASE_URL leads to Textback, as far as this machine can tell."""

import json
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

from urllib3 import exceptions as urllib3_errors

from bot.channels.gateway import Finding
from bot.channels.twilio.http import PooledHttpClient
from bot.channels.twilio.readiness.findings import FindingKind, good, warning
from bot.outbound.bounded import ConnectionRefused
from bot.settings import Settings

ALIVE = {"status": "alive"}


def findings(settings: Settings) -> Iterator[Finding]:
    """Calls it from this machine. Twilio calls it from outside, so no result is a proof."""
    url = f"{settings.public_base_url}/healthz"
    client = PooledHttpClient(
        settings.public_base_url, timeout=settings.twilio_timeout_seconds, connections=1
    )
    try:
        answer = client.request("GET", url)
    except urllib3_errors.HTTPError as error:
        yield warning(FindingKind.ADDRESS, f"{url} does not answer this machine: {_reason(error)}.")
        return
    found = None
    with suppress(ValueError):
        found = json.loads(answer.text)
    if answer.status_code == 200 and found == ALIVE:
        host = urlsplit(url).hostname
        yield good(FindingKind.ADDRESS, f"Textback answers at {host}, asked from this machine.")
    else:
        yield warning(
            FindingKind.ADDRESS,
            f"{url} is answered by something other than Textback, with HTTP status"
            f" {answer.status_code}: look at the proxy in front, and whether Textback runs.",
        )


def _reason(error: urllib3_errors.HTTPError) -> str:
    if isinstance(error, urllib3_errors.NameResolutionError):
        return "its name is not found, so look at its DNS record"
    if isinstance(error, urllib3_errors.SSLError):
        return "its certificate is not accepted, and Twilio would not accept it either"
    if isinstance(error, urllib3_errors.ProxyError):
        return "the proxy of this machine does not lead there"
    if isinstance(error, ConnectionRefused):
        return "the connection is refused, so look whether Textback and the proxy before it run"
    return "no answer came in time, so look whether Textback runs, and at firewalls"
