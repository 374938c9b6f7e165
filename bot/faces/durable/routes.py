"""The Durable Functions HTTP API: one table of routes, one function each.

The extension matches route words in any case, ignores a trailing slash, and answers every other
request with an empty 404, never with 405. Flask does none of this, so a catch-all rule takes every
path that no other face has, and looks it up in this table.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, request
from flask.sansio.blueprints import BlueprintSetupState
from werkzeug.routing import BaseConverter

from bot.faces.durable import parameters
from bot.faces.durable.instances import Instances
from bot.faces.durable.payloads import BASE_PATH, INSTANCE
from bot.faces.durable.starting import Starting
from bot.http.paths import mask_after
from bot.service import Service

METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


@dataclass(frozen=True)
class Route:
    method: str
    path: str  # with {words} for the variable parts
    view: Callable[..., Response]

    @property
    def pattern(self) -> re.Pattern[str]:
        # Microsoft's PowerShell module puts two slashes behind the base.
        path = self.path.replace(f"{BASE_PATH}/", f"{BASE_PATH}/+")
        names = path.replace("{", "(?P<").replace("}", ">[^/]+)")
        return re.compile(names, re.IGNORECASE)


class AnyPath(BaseConverter):
    """Flask's own `path` stops at a line break, which an id may hold until we refuse it."""

    part_isolating = False
    regex = "(?s:.+?)"


def _add_converter(state: BlueprintSetupState) -> None:
    state.app.url_map.converters["any_path"] = AnyPath


class DurableRoutes:
    def __init__(self, service: Service) -> None:
        starting, instances = Starting(service), Instances(service)
        self.table = [
            Route("POST", "/orchestrators/{function}", starting.start_with_function_key),
            Route("POST", "/orchestrators/{function}/wait", starting.start_and_wait),
            Route("POST", f"{BASE_PATH}/orchestrators/{{function}}", starting.start),
            Route("POST", f"{BASE_PATH}/orchestrators/{{function}}/{{id}}", starting.start),
            Route("GET", f"{BASE_PATH}/instances", instances.list_instances),
            Route("DELETE", f"{BASE_PATH}/instances", instances.purge_many),
            Route("GET", INSTANCE, instances.status),
            Route("HEAD", INSTANCE, instances.status),
            Route("OPTIONS", INSTANCE, instances.preflight),
            Route("DELETE", INSTANCE, instances.purge),
            Route("POST", f"{INSTANCE}/raiseEvent/{{event}}", instances.raise_event),
            Route("POST", f"{INSTANCE}/terminate", instances.terminate),
            Route("POST", f"{INSTANCE}/suspend", instances.suspend),
            Route("POST", f"{INSTANCE}/resume", instances.resume),
            Route("POST", f"{INSTANCE}/restart", starting.restart),
            Route("POST", f"{INSTANCE}/rewind", instances.rewind),
        ]
        self._patterns = [(route, route.pattern) for route in self.table]

    def blueprint(self) -> Blueprint:
        mask_after("raiseEvent")
        routes = Blueprint("durable", __name__)
        routes.record_once(_add_converter)
        # The home page has GET /.
        of_root = [method for method in METHODS if method not in ("GET", "HEAD")]
        for rule, methods in (("/", of_root), ("/<any_path:path>", METHODS)):
            routes.add_url_rule(
                rule, "find", self._find, methods=methods, provide_automatic_options=False
            )
        return routes

    def _find(self, path: str = "") -> Response:
        if f"/{path}".lower().startswith(("/orchestrators/", BASE_PATH.lower())):
            parameters.refuse_escaped_slash()
        for route, pattern in self._patterns:
            match = pattern.fullmatch("/" + path.rstrip("/"))
            if match and route.method == request.method:
                return route.view(**match.groupdict())
        return Response(status=404)
