"""gunicorn's gevent worker, with bounds on what a client may do on a connection.

A connection costs a greenlet, not a thread, so a client that sends half a request blocks no other.
It still costs memory and a file descriptor. So each connection has deadlines for sending and
reading, and the number of connections is bounded, in all and per address
(`bot/server/connections.py`).

gunicorn answers broken requests with HTML, and its log lines contain the request line, whose query
may hold a key and whose path may hold a number or a line break. This worker replaces both with
short forms.
"""

import contextlib
import json
import logging
import sys
import time
from functools import partial
from socket import SO_SNDBUF, SOL_SOCKET
from typing import Any

import gevent
from gevent.event import Event
from gevent.pool import Pool
from gevent.server import StreamServer
from gunicorn import util
from gunicorn.http.body import ChunkedReader
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.ggevent import GeventWorker

from bot import service as services
from bot.concurrency.blocking import yield_control
from bot.domain import timings
from bot.http.error_handlers import INVALID_HTTP, PlainShape
from bot.observability.logs import end_request
from bot.server import file_limit
from bot.server.connection import DRAINED_BYTES, UNREAD_BYTES, Connection, TooMuch
from bot.server.connections import Connections
from bot.server.turn import Turn
from bot.store.tx import StoreUnavailable

BEGIN_AGAIN_SECONDS = 1.0  # pause after a failed start: gunicorn starts the next process at once
# After SIGTERM: for requests that are being answered. A connection without a whole request is cut.
FINISH_SECONDS = 8.0
HALF_SENT_SECONDS = 1.0  # and for the rest of a head or a body
POLL_SECONDS = 0.02
# More greenlets than connections: one that is refused needs one too, for a moment.
ROOM_TO_REFUSE = 64
TRAILER_BYTES = 8 * 1024  # after a chunked body; gunicorn's own bound lets it buffer 800 KB

log = logging.getLogger(__name__)

_INTERNAL = (500, "Internal Server Error", "internal", "Something went wrong.")
_MALFORMED = (400, "Bad Request", "invalid_request", "The request is not valid HTTP.")
_REFUSALS = {
    LimitRequestLine: (414, "URI Too Long", "address_too_long", "The address is too long."),
    LimitRequestHeaders: (431, "Too Large", "headers_too_large", "The headers are too large."),
}


class Worker(GeventWorker):
    def init_process(self) -> None:
        self._is_stopping = Event()
        self._under_way: set[Any] = set()  # requests that are being answered
        self._turn_of_pipelined = Turn()
        # Plain attributes: gunicorn looks for twenty of them a request, each in `__getattr__`.
        vars(self.cfg).update((name, one.get()) for name, one in self.cfg.settings.items())
        try:
            super().init_process()
        except StoreUnavailable as error:
            # An uncaught error would exit with code 3: gunicorn then ends the other processes too.
            log.error("this process cannot start; gunicorn will start another: %s", error)
            time.sleep(BEGIN_AGAIN_SECONDS)
            sys.exit(1)
        except SystemExit:
            if not self.booted:  # the reason is logged; gunicorn would start the next one at once
                time.sleep(BEGIN_AGAIN_SECONDS)
            raise

    def run(self) -> None:
        app: Any = self.wsgi
        service = services.of(app)
        settings = service.settings
        most = file_limit.allowed(settings)
        self._connections = Connections(
            most=most,
            of_one_address=settings.connections_per_address,
            keepalive=self.cfg.keepalive,
            cut=service.metrics.connection_cut,
            end_a_wait=service.waiting.end_oldest,
        )
        pool = Pool(most + ROOM_TO_REFUSE)
        for listener in self.sockets:  # what it accepts has the same bound
            listener.setsockopt(SOL_SOCKET, SO_SNDBUF, UNREAD_BYTES)
        servers = [
            StreamServer(listener, handle=partial(self.handle, listener), spawn=pool)
            for listener in self.sockets
        ]
        for server in servers:
            if self.cfg.workers > 1:
                server.max_accept = 1  # at a time: the other processes take their share
            server.start()
        while self.alive:
            self.notify()
            self._connections.report()
            self._connections.keep_free()
            self._is_stopping.wait(1.0)
        self._finish(servers, pool)

    def _finish(self, servers: list[Any], pool: Any) -> None:
        """Stops accepting, and answers the requests that arrive whole within a second."""
        for server in servers:
            server.stop_accepting()
        # gunicorn reads the listener's name when it begins to handle a connection. Yield once, so
        # that connections accepted just now begin before the listener is closed.
        gevent.sleep(0)
        for server in servers:
            server.close()
        self._connections.refuse_more()
        # Not in the signal handler: it may run between the head of an answer and its end.
        for request in list(self._under_way):
            request.force_close()  # its answer says that the connection will be closed
        began = time.monotonic()
        while len(pool) and time.monotonic() - began < FINISH_SECONDS:
            self.notify()
            gevent.sleep(POLL_SECONDS)
            elapsed = time.monotonic() - began
            if elapsed > timings.IDLE_AT_STOP_SECONDS:
                self._connections.end_waiting()
            if elapsed > HALF_SENT_SECONDS:
                self._connections.end_half_sent()
        if len(pool):
            log.warning("%d connections are cut, since the process stops", len(pool))
            # Not by killing their greenlets: a COMMIT under way must end by itself.
            self._connections.end_all()
            pool.join(timeout=1)
        self._connections.report(is_last=True)

    def handle(self, listener: Any, client: Any, addr: Any) -> None:
        connection = Connection(self._connections, fileno=client.detach())
        with self._connections.admit(connection, addr) as is_admitted:
            if is_admitted:
                super().handle(listener, connection, addr)
            else:
                connection.close()

    def timeout_ctx(self) -> Any:
        """The connection has deadlines of its own."""
        return contextlib.nullcontext()

    def handle_request(self, listener_name: Any, req: Any, sock: Any, addr: Any) -> bool:
        if sock.is_over:  # closed to make room, though a whole request had been read ahead
            raise StopIteration
        sock.begin_body()
        reader = req.body.reader
        if isinstance(reader, ChunkedReader):
            reader.limit_trailer_section = TRAILER_BYTES  # type: ignore[attr-defined]
        elif getattr(reader, "length", 0) > DRAINED_BYTES:
            # The answer must say that the connection will be closed: otherwise the client's next
            # request would be lost on it.
            req.force_close()
        self._under_way.add(req)
        try:
            is_kept = super().handle_request(listener_name, req, sock, addr)
            sock.answered()
            _drain(req)
        except (StopIteration, TooMuch):  # it is answered, and will be closed
            if _is_unread(req.body):
                sock.linger()
            raise
        finally:
            self._under_way.discard(req)
        end_request()
        has_begun = bool(req.unreader.buf.getvalue().strip(b"\r\n"))
        sock.begin_waiting(has_begun=has_begun)
        if has_begun:  # a thousand clients that pipeline take no more of the loop than one
            self._turn_of_pipelined.take()
        else:  # a client whose next request is always ready would otherwise block the others
            yield_control()
        return is_kept

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Handles SIGINT and SIGQUIT, as Ctrl-C sends them: what is committed is still answered."""
        self.handle_exit(sig, frame)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Handles SIGTERM: stops sending new texts and releases waiting callers; the last requests
        are still answered."""
        app = getattr(self, "wsgi", None)
        if app is not None:
            service = services.of(app)
            service.waiting.release()
            service.dispatcher.refuse_more()
        super().handle_exit(sig, frame)
        self._is_stopping.set()

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Answers a request that never reached the application."""
        is_ours = not isinstance(exc, INVALID_HTTP)
        refusal = _INTERNAL if is_ours else _REFUSALS.get(type(exc), _MALFORMED)
        status, _, code, _ = refusal
        app: Any = self.wsgi
        services.of(app).metrics.refused(code)
        log.warning(
            "answered a request with %d: %s",
            status,
            type(exc).__name__,
            exc_info=exc if is_ours else None,
            extra={"client": addr[0] if isinstance(addr, tuple) and addr else None},
        )
        try:
            util.write_nonblock(client, _answer(*refusal))
            client.linger()
        except OSError:
            log.info("the client was gone")


def _answer(status: int, reason: str, code: str, sentence: str) -> bytes:
    body = json.dumps(PlainShape().fault(code, sentence))
    head = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def _drain(request: Any) -> None:
    """Reads what the application left of a body, so that the connection can be kept. gunicorn would
    read on for as long as a client sends. Raises StopIteration, which closes the connection."""
    left = DRAINED_BYTES + 1  # one more, to see that it ends there
    try:
        while left > 0 and (data := request.body.read(min(left, 8192))):
            left -= len(data)
    except ParseException:  # the request is answered already
        raise StopIteration from None
    if left <= 0 or request.body.failed:
        raise StopIteration


def _is_unread(body: Any) -> bool:
    """Whether some of it has not been read, which ends the connection."""
    if isinstance(body.reader, ChunkedReader):
        return body.failed or body.reader.parser is not None
    return body.failed or getattr(body.reader, "length", 0) > 0
