"""How the twilio library reaches Twilio: its HTTP client, over urllib3.

The library's own rests on requests, with which a send took twice the processor time. This one
keeps one connection for each sender, never repeats by itself, remembers what Retry-After said, and
goes to another address where one is set: the library has no option for that (twilio-python issue
521). It raises urllib3's own errors.
"""

import re
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi
import urllib3
from twilio.http import HttpClient
from twilio.http.response import Response

_REBASED = re.compile(r"(api|messaging)(\.[a-z0-9-]+){0,2}\.twilio\.com")
_API = "https://api.twilio.com"


class PooledHttpClient(HttpClient):
    """Made after the fork, used by many threads. `timeout`: seconds to connect, and again to read.
    The logger of the base class is not used: it would write addresses, which hold numbers."""

    def __init__(self, base_url: str | None, *, timeout: float, connections: int) -> None:
        self._base_url = base_url
        self._heard = threading.local()
        self._pool = _pool(
            base_url or _API,
            maxsize=connections,
            timeout=urllib3.Timeout(connect=timeout, read=timeout),
            retries=False,
            ca_certs=certifi.where(),
        )

    @property
    def retry_after_seconds(self) -> float | None:
        """What the last answer in this thread asked for."""
        text = getattr(self._heard, "retry_after", None)
        return float(text) if text and re.fullmatch(r"[0-9]{1,4}", text) else None

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
        self._heard.retry_after = None
        sent = dict(headers or {})
        if auth is not None:
            sent |= urllib3.make_headers(basic_auth=":".join(auth))
        answer = self._pool.request(
            method.upper(),
            self._rebased(url) + _query(params),
            body=urlencode(data, doseq=True) if data else None,
            headers=sent,
            redirect=False,
        )
        self._heard.retry_after = answer.headers.get("Retry-After")
        return Response(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)

    def _rebased(self, url: str) -> str:
        parts = urlsplit(url)
        if self._base_url is None or not _REBASED.fullmatch(parts.hostname or ""):
            return url
        return self._base_url + parts.path + (f"?{parts.query}" if parts.query else "")


def _query(params: Mapping[str, Any] | None) -> str:
    given = {name: value for name, value in (params or {}).items() if value is not None}
    return f"?{urlencode(given, doseq=True)}" if given else ""


def _pool(url: str, **options: Any) -> urllib3.PoolManager:
    """Through the machine's proxy, as its environment says; no proxy leads to loopback."""
    parts = urlsplit(url)
    proxy = None if parts.scheme == "http" else getproxies().get(parts.scheme)
    if proxy is None or proxy_bypass(parts.hostname or ""):
        return urllib3.PoolManager(**options)
    account = urlsplit(proxy)
    if account.username is not None:
        login = f"{account.username}:{account.password or ''}"
        options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=login)
    return urllib3.ProxyManager(proxy, **options)
