"""gunicorn's log in Textback's own form."""

from typing import Any

from gunicorn.glogging import Logger

from bot.domain.masking import safe
from bot.http import paths
from bot.observability.logs import FORMATTER, expect_access_lines


class QuietLogger(Logger):
    """Lines in Textback's own form, the path without its query: a query may hold a key."""

    def __init__(self, cfg: Any) -> None:
        super().__init__(cfg)
        expect_access_lines()

    def _set_handler(self, log: Any, output: Any, fmt: Any, stream: Any = None) -> None:
        super()._set_handler(log, output, FORMATTER, stream)  # type: ignore[misc]

    def access(self, resp: Any, req: Any, environ: Any, request_time: Any) -> None:
        method = safe(environ["REQUEST_METHOD"])
        path = paths.of_environ(environ.get("PATH_INFO") or "")
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
