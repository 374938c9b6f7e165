"""gunicorn's threaded worker and its logger, except that they keep what they say short.

Their own answers to broken requests are HTML, their own log lines repeat the request line, whose
query may be a key, and write the path as it came, which may hold a number or a line break.
"""

import logging
from typing import Any

from gunicorn import util
from gunicorn.glogging import Logger
from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine
from gunicorn.workers.gthread import ThreadWorker

from bot.logs import safe

log = logging.getLogger(__name__)

_STATUSES = {LimitRequestLine: (414, "URI Too Long"), LimitRequestHeaders: (431, "Too Large")}


class QuietThreadWorker(ThreadWorker):
    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: nothing new is sent from here on, and nobody waits, while the last requests are
        answered."""
        app = getattr(self, "wsgi", None)
        if app is not None:
            app.extensions["waiting"].release()
            app.extensions["dispatcher"].refuse_more()
        super().handle_exit(sig, frame)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """A request that never reached the application: its status, and nothing else."""
        is_ours = not type(exc).__module__.startswith("gunicorn.http")
        status, reason = (
            (500, "Internal Server Error")
            if is_ours
            else _STATUSES.get(type(exc), (400, "Bad Request"))
        )
        log.warning("answered a request with %d: %s", status, type(exc).__name__)
        lines = f"HTTP/1.1 {status} {reason}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
        try:
            util.write_nonblock(client, lines.encode())
        except OSError:
            log.info("the client was gone")


class QuietLogger(Logger):
    """Lines in Textback's own form, the path without its query: a query may hold a key."""

    def _set_handler(self, log: Any, output: Any, fmt: Any, stream: Any = None) -> None:
        ours = logging.getLogger().handlers[0].formatter
        super()._set_handler(log, output, ours, stream)  # type: ignore[misc]

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        method, path = environ["REQUEST_METHOD"], safe(environ.get("PATH_INFO") or "")
        status = int(str(resp.status).split(maxsplit=1)[0])
        self.access_log.info(
            "%s %s %d",
            method,
            path,
            status,
            extra={
                **environ.get("textback.noted", {}),
                "client": environ.get("REMOTE_ADDR"),
                "method": method,
                "path": path,
                "status": status,
                "milliseconds": round(request_time.total_seconds() * 1000, 1),
            },
        )
