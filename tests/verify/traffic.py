"""Requests and answers as they went over the wire."""

import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs


@dataclass(frozen=True)
class Exchange:
    method: str
    path: str
    form: dict[str, list[str]]
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Recorder:
    """WSGI middleware that keeps what passes."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self._app = app
        self.exchanges: list[Exchange] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        sent = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(sent)
        told: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            told.update(status=int(status[:3]), headers=dict(headers))
            return start_response(status, headers, *rest)

        answered = self._app(environ, start)
        body = b"".join(answered)
        if hasattr(answered, "close"):
            answered.close()
        self.exchanges.append(
            Exchange(
                method=environ["REQUEST_METHOD"],
                path=environ["PATH_INFO"],
                form=parse_qs(sent[:10_000].decode(errors="replace"), keep_blank_values=True),
                status=told["status"],
                headers=told["headers"],
                body=body,
            )
        )
        return [body]
