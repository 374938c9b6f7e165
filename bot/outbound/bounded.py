"""Connections whose calls are bounded by one absolute deadline.

The deadline covers a whole call: name look-up, all addresses, the handshake, writing and reading.
Timeouts of single operations do not: a name with six silent addresses takes six timeouts, and an
answer that arrives byte by byte never reaches one. The deadline is checked again when the
connection is made, before the first byte of the request: a delayed call whose lease is over sends
nothing.
"""

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NameResolutionError

from bot.concurrency.watchdog import Watchdog, shut
from bot.outbound.answers import response_class

# A resolver that hangs cannot be interrupted and keeps its thread, so the threads are bounded.
LOOK_UPS_AT_ONCE = 16
_look_ups = threading.BoundedSemaphore(LOOK_UPS_AT_ONCE)

# A connection that was idle for longer is replaced: a firewall or proxy may have dropped it
# silently, and a request on it would wait until the deadline.
LONGEST_IDLE_SECONDS = 30.0


class ConnectionRefused(ConnectTimeoutError):
    """An address answered that nothing listens there."""


class DeadlinePassed(HTTPError):
    """The call came to its deadline."""


@dataclass(slots=True)
class Call:
    """One request under way in this context."""

    deadline: float  # of time.monotonic()
    # Called with each resolved address and its port before connecting; may raise to forbid it.
    check: Callable[[str, int], None] | None = None
    look_ups: threading.BoundedSemaphore = _look_ups  # held while a name is looked up
    is_new: bool = False  # its connection was made for it
    is_written: bool = False  # the other side may have it
    duplicates: list[int] = field(default_factory=list)  # descriptors of its connection

    @property
    def left(self) -> float:
        return self.deadline - time.monotonic()

    def keep_duplicate(self, connection: socket.socket) -> None:
        """Keeps a second descriptor, with which the connection can be cut: http.client may close
        the first one while the answer is still being read, if the server will close the
        connection. It stays open until no watchdog can cut the call, since another connection
        may get its number then. A socket object costs ten times as much."""
        self.duplicates.append(socket.dup(connection.fileno()))

    def close_duplicates(self) -> None:
        while self.duplicates:
            socket.close(self.duplicates.pop())

    def cut(self) -> None:
        for duplicate in self.duplicates:
            shut(duplicate)


CALL: ContextVar[Call] = ContextVar("call")


@contextmanager
def under_way(call: Call, watchdog: Watchdog) -> Iterator[None]:
    """Assigns the requests of this block to `call`. Raises DeadlinePassed if the call was cut:
    otherwise a cut answer without a length would seem complete."""
    token = CALL.set(call)
    try:
        with watchdog.bound(call.deadline, call.cut) as bound:
            yield
    finally:
        call.close_duplicates()
        CALL.reset(token)
    if bound.was_cut:
        raise DeadlinePassed("the deadline passed before the answer was whole")


def _seconds_left() -> float:
    call = CALL.get(None)
    return math.inf if call is None else call.left


class _Bounded(HTTPConnection):
    response_class = response_class(_seconds_left)
    _used_at = 0.0  # of time.monotonic()

    @property
    def is_connected(self) -> bool:
        """The pool asks before it uses a connection again."""
        is_fresh = time.monotonic() - self._used_at <= LONGEST_IDLE_SECONDS
        return is_fresh and super().is_connected

    def _new_conn(self) -> socket.socket:
        call = CALL.get()
        connection = _connect(self, call)
        call.keep_duplicate(connection)
        call.is_new = True
        return connection

    def request(self, *args: Any, **kwargs: Any) -> None:
        call = CALL.get()
        if self.sock is None:
            self.connect()
        if call.left <= 0:
            raise DeadlinePassed("the deadline passed before the request was written")
        if not call.is_new:
            call.keep_duplicate(self.sock)
        call.is_written = True
        super().request(*args, **kwargs)
        self._used_at = time.monotonic()


class _BoundedTls(_Bounded, HTTPSConnection):
    """Reads and writes its handshake through the same socket."""


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Bounded


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _BoundedTls


def _connect(connection: HTTPConnection, call: Call) -> socket.socket:
    """Connects to the first address that answers. Each gets its share of the time that is left, so
    that silent ones leave some for the next. Raises NameResolutionError, ConnectTimeoutError;
    ConnectionRefused if the last address refused."""
    addresses = resolve(connection, call)
    if call.check is not None:
        for *_, address in addresses:
            call.check(address[0], address[1])
    trouble: OSError | None = None
    for place, (family, kind, protocol, _, address) in enumerate(addresses):
        share = call.left / (len(addresses) - place)
        if share <= 0:
            break
        sock = socket.socket(family, kind, protocol)
        try:
            for option in connection.socket_options or ():
                sock.setsockopt(*option)
            sock.settimeout(share)
            sock.connect(address)
        except OSError as error:
            sock.close()
            trouble = error
        else:
            sock.settimeout(max(0.01, call.left))
            return sock
    kind = ConnectionRefused if isinstance(trouble, ConnectionRefusedError) else ConnectTimeoutError
    raise kind(connection, f"no address answered: {type(trouble).__name__}")


def resolve(connection: HTTPConnection, call: Call) -> list[Any]:
    """Returns the addresses of the host. A resolver cannot be interrupted, so it runs in its own
    thread, which is abandoned if it takes too long."""
    host, port = connection._dns_host, connection.port
    try:  # an address needs no resolver
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        pass
    except UnicodeError:  # an empty label, or one of more than 63 characters
        raise NameResolutionError(host, connection, socket.gaierror("no host name")) from None
    if not call.look_ups.acquire(timeout=max(0.0, call.left)):
        raise ConnectTimeoutError(connection, "the resolver is busy")
    addresses: list[Any] = []
    trouble: list[OSError] = []
    is_over = threading.Event()

    def look_up() -> None:
        try:
            addresses.extend(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
        except OSError as error:
            trouble.append(error)
        finally:
            call.look_ups.release()
            is_over.set()

    threading.Thread(target=look_up, name="look up", daemon=True).start()
    if not is_over.wait(max(0.0, call.left)):
        raise ConnectTimeoutError(connection, "the resolver does not answer")
    if trouble or not addresses:
        reason = trouble[0] if trouble else socket.gaierror("no address")
        raise NameResolutionError(host, connection, reason)  # type: ignore[arg-type]
    return addresses


def pool(url: str, **options: Any) -> urllib3.PoolManager:
    """A pool that goes through the proxy which the environment names, but never to loopback."""
    return _bounded(_manager(url, **options))


def direct_pool(**options: Any) -> urllib3.PoolManager:
    """A pool without a proxy, which would look names up itself, so that no address could be
    checked."""
    return _bounded(urllib3.PoolManager(**options))


def _bounded(manager: urllib3.PoolManager) -> urllib3.PoolManager:
    manager.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}
    return manager


def is_proxy(address: str) -> bool:
    """Whether a value of HTTPS_PROXY can be used; without a scheme it is one of http, as for curl.

    >>> is_proxy("http://proxy.local:3128"), is_proxy("proxy.local:3128"), is_proxy("socks5://x:1")
    (True, True, False)
    """
    try:
        parts = urlsplit(_with_scheme(address))
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none, or half of an IPv6 address
        return False


def _with_scheme(address: str) -> str:
    return address if "://" in address else f"http://{address}"


def _manager(url: str, **options: Any) -> urllib3.PoolManager:
    parts = urlsplit(url)
    proxy = None if parts.scheme == "http" else getproxies().get(parts.scheme)
    if proxy is None or proxy_bypass(parts.hostname or ""):
        return urllib3.PoolManager(**options)
    proxy = _with_scheme(proxy)
    account = urlsplit(proxy)
    if account.username is not None:
        login = f"{unquote(account.username)}:{unquote(account.password or '')}"
        options["proxy_headers"] = urllib3.make_headers(proxy_basic_auth=login)
    return urllib3.ProxyManager(proxy, **options)
