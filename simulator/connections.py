"""A WSGI server that keeps connections, as Twilio does.

werkzeug's development server closes each connection after one answer, since it does not know
whether the request was read to its end. This one reads the body before the application runs.
"""

import io
import socket
import sys
from contextlib import suppress
from typing import Any, ClassVar
from wsgiref.handlers import SimpleHandler

from werkzeug.exceptions import BadRequest, HTTPException, RequestEntityTooLarge
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

LARGEST_BODY_BYTES = 1024 * 1024


class _Answer(SimpleHandler):
    http_version = "1.1"
    os_environ: ClassVar[dict[str, str]] = {}  # otherwise a copy of this process's for each request
    is_last = False

    def cleanup_headers(self) -> None:
        super().cleanup_headers()
        has_no_body = self.status[:3] in ("204", "304")
        if "Content-Length" not in self.headers and not has_no_body:
            self.is_last = True  # a stream, which ends with the connection
        if self.is_last:
            self.headers["Connection"] = "close"

    def handle_error(self) -> None:
        """Closes the connection, since the headers may announce more than was sent."""
        super().handle_error()
        self.is_last = True


class Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # buffered, so that head and body leave in one packet

    def handle_expect_100(self) -> bool:
        is_accepted = super().handle_expect_100()
        self.wfile.flush()
        return is_accepted

    def finish(self) -> None:
        with suppress(OSError):  # the client has gone, and the buffer cannot be written
            super().finish()
        self.rfile.close()  # which is left open then, and the socket with it

    def run_wsgi(self) -> None:
        environ = self.make_environ()
        try:
            body = io.BytesIO(_body(environ))
        except HTTPException as error:
            self.close_connection = True  # the rest of the body is unread
            self.send_error(error.code or 400)
            return
        environ["wsgi.input"] = body
        answer = _Answer(body, self.wfile, sys.stderr, environ)
        # The client may send trailers after its chunks, and this server does not read them.
        answer.is_last = environ.get("wsgi.input_terminated", False)
        answer.run(self.server.app)
        self.close_connection |= answer.is_last


def _body(environ: dict[str, Any]) -> bytes:
    """Raises BadRequest, RequestEntityTooLarge."""
    is_chunked = environ.get("wsgi.input_terminated", False)
    length = str(LARGEST_BODY_BYTES + 1) if is_chunked else environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal():
        raise BadRequest
    if int(length) > LARGEST_BODY_BYTES and not is_chunked:
        raise RequestEntityTooLarge
    try:
        body: bytes = environ["wsgi.input"].read(int(length))
    except ConnectionError:
        raise
    except OSError as error:  # a malformed chunk
        raise BadRequest from error
    if len(body) > LARGEST_BODY_BYTES:
        raise RequestEntityTooLarge
    return body


class Server(ThreadedWSGIServer):
    # Connections that wait to be accepted. With werkzeug's 128 the system resets some of several
    # hundred at once.
    request_queue_size = 1024

    def __init__(self, host: str, port: int, app: Any) -> None:
        self._kept: set[socket.socket] = set()
        super().__init__(host, port, app, Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._kept.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._kept.discard(request)
        super().shutdown_request(request)

    def close_kept(self) -> None:
        """Closes idle connections, and others once their request is answered."""
        for connection in list(self._kept):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RD)
