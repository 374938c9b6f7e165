"""Cross-origin requests: a page of an allowed origin may follow a verification by its read link.

Only the status route allows this, and only for the key of a read link: every visitor can read what
a page holds.
"""

from collections.abc import Sequence

from flask import Response, after_this_request, g, request

METHODS = "GET, HEAD, OPTIONS"
PREFLIGHT_SECONDS = 600


class Cors:
    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origins)

    def preflight(self) -> Response:
        """The answer to OPTIONS; 404 to any other origin, as if there were no such route."""
        origin = request.headers.get("Origin", "")
        if origin not in self._origins:
            return Response(status=404, headers={"Vary": "Origin"} if self._origins else None)
        headers = {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Methods": METHODS,
            "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
            "Vary": "Origin",
        }
        return Response(status=204, headers=headers)

    def follow(self) -> None:
        """Lets a page read the answer to the current request if a link opened it (`note_key`), or
        if it is an error and no key was accepted."""
        if not self._origins:
            return
        origin = request.headers.get("Origin", "")

        @after_this_request
        def allow(response: Response) -> Response:
            response.headers.add("Vary", "Origin")
            is_open = g.get("is_opened_by_link", response.status_code >= 400)
            if origin in self._origins and is_open:
                response.headers["Access-Control-Allow-Origin"] = origin
                response.headers["Access-Control-Expose-Headers"] = "Retry-After"
            return response


def note_key(*, is_of_link: bool) -> None:
    """Called once the key of the request is known."""
    g.is_opened_by_link = is_of_link
