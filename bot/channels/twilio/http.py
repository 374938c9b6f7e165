"""How the twilio library reaches Twilio: its HTTP client, over urllib3.

The library's own rests on requests, with which a send took twice the processor time. This one
keeps one connection for each sender, never repeats by itself, remembers what the answer's headers
said, and goes to another address where one is set: the library has no option for that
(twilio-python issue 521). It raises urllib3's own errors.

One absolute deadline bounds a whole call: name look-up, every address, the handshake, writing and
reading. Timeouts of single operations do not: a name with six silent addresses takes six of them,
and an answer that dribbles takes none. The deadline is looked at once more when the connection
stands, before a byte of the request is written, so a call that was held up until its lease was
over sends nothing.
"""

import re
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import certifi
import urllib3
from twilio.http import HttpClient
from twilio.http.response import Response
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError

from bot.concurrency.watchdog import Watchdog

_REBASED = re.compile(r"(api|messaging)(\.[a-z0-9-]+){0,2}\.twilio\.com")
_API = "https://api.twilio.com"

# A resolver that hangs keeps its thread for as long as it likes.
LOOK_UPS_AT_ONCE = 16


class DeadlinePassed(HTTPError):
    """The call came to its deadline."""


@dataclass(slots=True)
class _Call:
    """One request under way in this context."""

    deadline: float  # of time.monotonic()
    is_written: bool = False  # Twilio may have it
    held: socket.socket | None = None  # a second handle of its connection

    @property
    def left(self) -> float:
        return self.deadline - time.monotonic()

    def hold(self, connection: socket.socket) -> None:
        """So that it can be cut whatever has become of the first handle: http.client closes that
        while the answer is still being read, where the server will close the connection."""
        self.let_go()
        self.held = socket.socket(fileno=socket.dup(connection.fileno()))

    def let_go(self) -> None:
        if self.held is not None:
            self.held.close()
            self.held = None

    def cut(self) -> None:
        if self.held is not None:
            with suppress(OSError):
                self.held.shutdown(socket.SHUT_RDWR)


_CALL: ContextVar[_Call] = ContextVar("call")


class PooledHttpClient(HttpClient):
    """Made after the fork, used by many threads. `timeout`: seconds for a whole call. The logger of
    the base class is not used: it would write addresses, which hold numbers."""

    def __init__(self, base_url: str | None, *, timeout: float, connections: int) -> None:
        self._base_url = base_url
        self._timeout = timeout
        self._heard = threading.local()
        self._watchdog = Watchdog()
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

    @property
    def was_written(self) -> bool:
        """Whether the last call in this thread came so far that Twilio may have it."""
        return bool(getattr(self._heard, "was_written", True))

    @property
    def date(self) -> datetime | None:
        """The instant by Twilio's clock at which the last call in this thread was answered."""
        return getattr(self._heard, "date", None)

    def until(self, deadline: float) -> None:
        """Bounds the next call in this thread more tightly than its timeout does."""
        self._heard.deadline = deadline

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
        call = _Call(self._next_deadline())
        self._heard.retry_after = None
        sent = dict(headers or {})
        if auth is not None:
            sent |= urllib3.make_headers(basic_auth=":".join(auth))
        token = _CALL.set(call)
        try:
            with self._watchdog.bound(call.deadline, call.cut) as bound:
                answer = self._pool.request(
                    method.upper(),
                    self._rebased(url) + _query(params),
                    body=urlencode(data, doseq=True) if data else None,
                    headers=sent,
                    redirect=False,
                )
        finally:
            call.let_go()
            _CALL.reset(token)
            self._heard.was_written = call.is_written
        if bound.was_cut:  # an answer without a length seems to end there
            raise DeadlinePassed("the deadline passed before the answer was whole")
        self._heard.retry_after = answer.headers.get("Retry-After")
        self._heard.date = _instant(answer.headers.get("Date"))
        return Response(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)

    def _next_deadline(self) -> float:
        deadline = time.monotonic() + self._timeout
        wanted = getattr(self._heard, "deadline", None)
        self._heard.deadline = None
        return deadline if wanted is None else min(deadline, wanted)

    def _rebased(self, url: str) -> str:
        parts = urlsplit(url)
        if self._base_url is None or not _REBASED.fullmatch(parts.hostname or ""):
            return url
        return self._base_url + parts.path + (f"?{parts.query}" if parts.query else "")


def _instant(date: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(date or "").astimezone(UTC)
    except (ValueError, TypeError):  # something in between has answered
        return None


def _query(params: Mapping[str, Any] | None) -> str:
    given = {name: value for name, value in (params or {}).items() if value is not None}
    return f"?{urlencode(given, doseq=True)}" if given else ""


# -- connections under a deadline ------------------------------------------------------------------


class _Bounded(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        call = _CALL.get()
        connection = _connect(self, call)
        call.hold(connection)
        return connection

    def request(self, *args: Any, **more: Any) -> None:
        call = _CALL.get()
        if self.sock is None:
            self.connect()
        if call.left <= 0:
            raise DeadlinePassed("the deadline passed before the request was written")
        call.hold(self.sock)
        call.is_written = True
        super().request(*args, **more)


class _BoundedTls(_Bounded, HTTPSConnection):
    """Its handshake is read and written through the same socket."""


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTls


def _connect(connection: HTTPConnection, call: _Call) -> socket.socket:
    """To the first address that answers. Each has its share of the time that is left, so that
    silent ones leave some for those after them. Raises NameResolutionError, ConnectTimeoutError."""
    addresses = _look_up(connection, call)
    trouble: OSError | None = None
    for place, (family, kind, protocol, _, address) in enumerate(addresses):
        share = call.left / (len(addresses) - place)
        if share <= 0:
            break
        found = socket.socket(family, kind, protocol)
        try:
            for option in connection.socket_options or ():
                found.setsockopt(*option)
            found.settimeout(share)
            found.connect(address)
        except OSError as error:
            found.close()
            trouble = error
        else:
            found.settimeout(max(0.01, call.left))
            return found
    raise ConnectTimeoutError(connection, f"no address answered: {type(trouble).__name__}")


def _look_up(connection: HTTPConnection, call: _Call) -> list[Any]:
    """The addresses of the host. A resolver cannot be interrupted, so it has a thread of its own,
    which is left behind where it takes too long."""
    host, port = connection._dns_host, connection.port
    try:  # an address needs no resolver
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    if not _look_ups.acquire(timeout=max(0.0, call.left)):
        raise ConnectTimeoutError(connection, "the resolver is busy")
    found: list[Any] = []
    trouble: list[OSError] = []
    is_over = threading.Event()

    def look_up() -> None:
        try:
            found.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            trouble.append(error)
        finally:
            _look_ups.release()
            is_over.set()

    threading.Thread(target=look_up, name="look up", daemon=True).start()
    if not is_over.wait(max(0.0, call.left)):
        raise ConnectTimeoutError(connection, "the resolver does not answer")
    if trouble or not found:
        reason = trouble[0] if trouble else socket.gaierror("no address")
        raise NameResolutionError(host, connection, reason)  # type: ignore[arg-type]
    return found


_look_ups = threading.BoundedSemaphore(LOOK_UPS_AT_ONCE)


def _pool(url: str, **options: Any) -> urllib3.PoolManager:
    """Through the machine's proxy, as its environment says; no proxy leads to loopback."""
    manager = _manager(url, **options)
    manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
    return manager


def _manager(url: str, **options: Any) -> urllib3.PoolManager:
    parts = urlsplit(url)
    proxy = None if parts.scheme == "http" else getproxies().get(parts.scheme)
    if proxy is None or proxy_bypass(parts.hostname or ""):
        return urllib3.PoolManager(**options)
    account = urlsplit(proxy)
    if account.username is not None:
        login = f"{account.username}:{account.password or ''}"
        options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=login)
    return urllib3.ProxyManager(proxy, **options)
