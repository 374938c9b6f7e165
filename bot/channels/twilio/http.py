"""How the twilio library reaches Twilio: its HTTP client, over urllib3.

The library's own client uses requests, which doubled the processor time of a send. This client
keeps a connection for each sending thread, never repeats a request, remembers headers of answers,
and can call another address, for which the library has no option (twilio-python issue 521). It
raises urllib3's own errors. One deadline bounds each call (`bot/outbound/bounded.py`).
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import certifi
import urllib3
from twilio.http import HttpClient
from twilio.http.response import Response

from bot.concurrency.watchdog import Watchdog
from bot.outbound.bounded import Call, pool, under_way
from bot.settings.twilio import is_cloud

_REBASED = re.compile(r"(accounts|api|messaging)(\.[a-z0-9-]+){0,2}\.twilio\.com")
# A host of Twilio's own has one product, the API of messages.
_REBASED_AT_TWILIO = re.compile(r"api(\.[a-z0-9-]+){0,2}\.twilio\.com")
API = "https://api.twilio.com"


class PooledHttpClient(HttpClient):
    """Made after the fork, used by many threads. `timeout`: seconds for a whole call. The logger of
    the base class is not used: it would write addresses, which hold numbers."""

    def __init__(self, base_url: str | None, *, timeout: float, connections: int) -> None:
        self.base_url = base_url
        self._rebased_hosts = _REBASED_AT_TWILIO if is_cloud(base_url) else _REBASED
        self._timeout = timeout
        self._heard = threading.local()
        self._watchdog = Watchdog()
        self.pool = pool(
            base_url or API,
            maxsize=connections,
            timeout=urllib3.Timeout(connect=timeout, read=timeout),
            retries=False,
            ca_certs=certifi.where(),
        )
        self._pool_of = lru_cache(maxsize=None)(self.pool.connection_from_url)

    @property
    def retry_after_seconds(self) -> float | None:
        """The Retry-After of the last answer in this thread."""
        return seconds(getattr(self._heard, "retry_after", None))

    @property
    def was_written(self) -> bool:
        """Whether the last call in this thread began to write, so that Twilio may have it."""
        return bool(getattr(self._heard, "was_written", True))

    @property
    def date(self) -> datetime | None:
        """The instant by Twilio's clock at which the last call in this thread was answered."""
        return getattr(self._heard, "date", None)

    def until(self, deadline: float) -> None:
        """Bounds the next call in this thread more tightly than its timeout does."""
        self._heard.deadline = deadline

    @contextmanager
    def bounded_by(self, deadline: float) -> Iterator[None]:
        """Bounds all calls in this block: a list may take several."""
        self._heard.ends = deadline
        try:
            yield
        finally:
            self._heard.ends = None

    def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Redirects are answers; a timeout for one call is not offered. Raises HTTPError."""
        call = Call(self.next_deadline())
        parts = urlsplit(self.rebased(url) + _query(params))
        self._heard.retry_after = None
        sent = dict(headers or {})
        if auth is not None:
            sent |= urllib3.make_headers(basic_auth=":".join(auth))
        try:
            with under_way(call, self._watchdog):
                answer = self._pool_of(f"{parts.scheme}://{parts.netloc}").urlopen(
                    method.upper(),
                    parts._replace(scheme="", netloc="").geturl(),
                    body=urlencode(data, doseq=True) if data else None,
                    headers=sent,
                    redirect=False,
                )
        finally:
            self._heard.was_written = call.is_written
        self._heard.retry_after = answer.headers.get("Retry-After")
        self._heard.date = _instant(answer.headers.get("Date"))
        return Response(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)

    def next_deadline(self) -> float:
        wanted: float | None = getattr(self._heard, "deadline", None)
        ends: float | None = getattr(self._heard, "ends", None)
        self._heard.deadline = None
        bounds = [time.monotonic() + self._timeout, wanted, ends]
        return min(bound for bound in bounds if bound is not None)

    def rebased(self, url: str) -> str:
        parts = urlsplit(url)
        if self.base_url is None or not self._rebased_hosts.fullmatch(parts.hostname or ""):
            return url
        return self.base_url + parts.path + (f"?{parts.query}" if parts.query else "")


def seconds(retry_after: str | None) -> float | None:
    """The seconds of a Retry-After; None for a date, which Twilio does not send.

    >>> seconds("86400"), seconds(" 1.5 "), seconds("Mon, 30 Nov 2026 05:00:00 GMT")
    (86400.0, 1.5, None)
    """
    text = (retry_after or "").strip()
    return float(text) if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text) else None


def _instant(date: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(date or "").astimezone(UTC)
    except (ValueError, TypeError, OverflowError):  # a proxy has answered in place of Twilio
        return None


def _query(params: Mapping[str, Any] | None) -> str:
    given = {name: value for name, value in (params or {}).items() if value is not None}
    return f"?{urlencode(given, doseq=True)}" if given else ""
