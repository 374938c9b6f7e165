"""The HTTP API of Durable Functions. No other package contains Azure's terms.

routes.py      the table of routes
starting.py    starting an instance, and waiting for its outcome
instances.py   looking at instances, acting on them, removing them
bodies.py      reading bodies
parameters.py  reading ids, reasons and headers
query.py       reading queries and filters
payloads.py    the shapes of answers
history.py     our history as historyEvents
cors.py        pages of other origins that follow a verification
errors.py      refusals of this API, and the shape of its errors
openapi.py     its part of the OpenAPI description
"""

from flask import Blueprint

from bot.faces.durable.errors import DurableShape
from bot.faces.durable.openapi import part
from bot.faces.durable.routes import DurableRoutes
from bot.http import error_handlers
from bot.service import Service

__all__ = ["DurableShape", "blueprint", "part"]


def blueprint(service: Service) -> Blueprint:
    routes = DurableRoutes(service).blueprint()
    error_handlers.register(routes, DurableShape(), refused=service.metrics.refused)
    return routes
