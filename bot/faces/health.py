"""Liveness, readiness and metrics: for supervisors, load balancers and Prometheus."""

import logging
from datetime import timedelta

from flask import Blueprint, Response

from bot.explanations.state import FAULTS
from bot.http import openapi
from bot.http.access import Access
from bot.http.errors import Forbidden, Unauthorized
from bot.http.json_responses import json_response
from bot.http.openapi import Part
from bot.observability.exposition import CONTENT_TYPE, Gauges
from bot.service import Service
from bot.store.tx import StoreUnavailable
from bot.usecases import readiness, webhooks
from bot.usecases.readiness import Fault, Readiness
from bot.usecases.service_state import service_state

log = logging.getLogger(__name__)


def blueprint(service: Service) -> Blueprint:
    health = Health(service)
    routes = Blueprint("health", __name__)
    routes.add_url_rule("/healthz", view_func=health.healthz)
    routes.add_url_rule("/readyz", view_func=health.readyz)
    routes.add_url_rule("/metrics", view_func=health.metrics)
    return routes


class Health:
    def __init__(self, service: Service) -> None:
        self._service = service
        self._access = Access(service.keys, service.store)

    def healthz(self) -> Response:
        """Reports that the process is alive. Needs no key and reveals nothing else."""
        return json_response({"status": "alive"})

    def readyz(self) -> Response:
        """200 or 503 without a key; with a system key the reasons, and notes beside them."""
        found = _readiness(self._service)
        body: dict[str, object] = {"status": "not ready" if found.faults else "ready"}
        if _may_know(self._access):
            body["reasons"] = {fault: FAULTS[fault] for fault in found.faults}
            body["notes"] = {fault: FAULTS[fault] for fault in found.notes}
        return json_response(body, 503 if found.faults else 200)

    def metrics(self) -> Response:
        """Serves /metrics to a system key, which Prometheus sends as a bearer token."""
        self._access.require_manager()
        service = self._service
        text = service.metrics.text(service.shared_counters.of_all(), _gauges(service))
        return Response(text, content_type=CONTENT_TYPE)


def part() -> Part:
    text = {"type": "string"}
    sentences = {"type": "object", "additionalProperties": text}
    ready = openapi.operation(
        "getReadiness", "Whether it can do its work", {200: "Ready", 503: "Ready"}
    )
    metrics = openapi.operation(
        "getMetrics",
        "Counters for Prometheus, for a system key as bearer token",
        {200: openapi.Body("Metrics", "text/plain"), 401: "Fault", 403: "Fault", 503: "Fault"},
        security=[{"bearer": []}, {"header": []}, {"query": []}],
    )
    return Part(
        paths={
            "/healthz": {
                "get": openapi.operation(
                    "getLiveness", "The process is alive", {200: "Alive"}, security=[]
                )
            },
            "/readyz": {"get": ready},
            "/metrics": {"get": metrics},
        },
        schemas={
            "Metrics": text,
            "Alive": openapi.an_object({"status": {"const": "alive"}}),
            "Ready": {
                "type": "object",
                "properties": {"status": text, "reasons": sentences, "notes": sentences},
                "required": ["status"],
            },
        },
        security={"bearer": {"type": "http", "scheme": "bearer"}},
    )


def _gauges(service: Service) -> Gauges:
    current = service.store.read(
        service_state, from_address=service.rules.from_address, ahead=service.store.steady.ahead
    )
    backlog = service.store.read(webhooks.backlog)
    return Gauges(
        pending=current.pending,
        queue=current.queue,
        queue_age_seconds=(current.queue_age or timedelta(0)).total_seconds(),
        overdue_seconds=current.overdue.total_seconds(),
        open_areas=len(service.admission.open_areas(service.store)),
        is_twilio_known=current.circuit is None,
        is_writable=not service.store.outages.is_open,
        clock_ahead_seconds=current.ahead.total_seconds(),
        rows_set_aside=current.rows_set_aside,
        webhook_endpoints_disabled=backlog.disabled,
        webhook_pending=backlog.pending,
        webhook_oldest_pending_seconds=backlog.oldest.total_seconds(),
        guess_chance=service.settings.guess_budget.chance,
    )


def _readiness(service: Service) -> Readiness:
    try:
        return readiness.check(service.store, service.rules.from_address)
    except StoreUnavailable as error:
        log.error("the database cannot be read or written: %s", error)
        return Readiness([Fault.STORE])


def _may_know(access: Access) -> bool:
    try:
        access.require_manager()
    except (Unauthorized, Forbidden):
        return False
    return True
