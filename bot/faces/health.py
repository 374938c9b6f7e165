"""Alive, and ready: for whoever restarts processes and whoever sends them requests."""

import json
import logging

from flask import Flask, Response, request

from bot.domain.errors import Forbidden, Unauthorized
from bot.faces.durable.routes import JSON
from bot.http.access import Access
from bot.http.keys import Keys, Power
from bot.observability.metrics import CONTENT_TYPE, Gauges, Metrics
from bot.observability.shared_counters import SharedCounters
from bot.store.tx import StoreUnavailable
from bot.usecases.verifications import Verifications

log = logging.getLogger(__name__)

SENTENCES = {
    "store": "The database cannot be read.",
    "dispatcher": "Work is overdue: no dispatcher runs, or it is stuck.",
    "clock": "Stored time is ahead of the clock: a clock was ahead once. Windows and limits hold,"
    " and nothing old is removed. docs/operations.md, under Clocks, says how to get out.",
    "set_aside": "Rows of the database cannot be read and are left alone. The log names them; mend"
    " or remove them and restart.",
    "twilio_credentials": "Twilio does not know these credentials. Check TWILIO_ACCOUNT_SID and"
    " TWILIO_AUTH_TOKEN, or the API key. Sending goes on by itself when it does.",
}


def register(
    app: Flask,
    verifications: Verifications,
    keys: Keys,
    metrics: Metrics,
    shared_counters: SharedCounters,
) -> None:
    access = Access(keys, verifications)

    @app.get("/healthz")
    def healthz() -> Response:
        """The process answers; nothing more is said to whoever asks."""
        return Response(json.dumps({"status": "alive"}), content_type=JSON)

    @app.get("/readyz")
    def readyz() -> Response:
        """200 or 503 for everybody; the reasons for who has a system key."""
        found = _faults(verifications)
        body: dict[str, object] = {"status": "not ready" if found else "ready"}
        if _may_know(access):
            body["reasons"] = {word: SENTENCES[word] for word in found}
        return Response(json.dumps(body), 503 if found else 200, content_type=JSON)

    @app.get("/metrics")
    def prometheus() -> Response:
        """For a system key, sent as Prometheus sends its own: as a bearer token."""
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        caller = keys.caller(token.strip()) if kind.lower() == "bearer" else None
        if caller is None:
            raise Unauthorized("A system key is needed, as a bearer token.")
        if caller.power is not Power.ALL:
            raise Forbidden("This key does not open the metrics: use a system key.")
        text = metrics.text(shared_counters.of_all(), _gauges(verifications))
        return Response(text, content_type=CONTENT_TYPE)


def _gauges(verifications: Verifications) -> Gauges:
    load = verifications.load()
    return Gauges(
        pending=load.pending,
        queue=load.queue,
        queue_age_seconds=load.queue_age.total_seconds(),
        overdue_seconds=load.overdue.total_seconds(),
        open_areas=len(verifications.open_areas()),
        is_twilio_known=load.circuit is None,
        clock_ahead_seconds=load.ahead.total_seconds(),
        set_aside=load.set_aside,
    )


def _faults(verifications: Verifications) -> list[str]:
    try:
        return verifications.faults()
    except StoreUnavailable:
        log.exception("the database cannot be read")
        return ["store"]


def _may_know(access: Access) -> bool:
    try:
        access.manager()
    except (Unauthorized, Forbidden):
        return False
    return True
