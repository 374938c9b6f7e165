"""Start-up: builds store, use cases and faces from the settings, and starts no thread."""

import json
import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException

from bot.admission.circuit_breaker import HOUR, CircuitBreaker, Thresholds
from bot.admission.rate_limits import RateLimits
from bot.admission.usage_follower import UsageFollower
from bot.channels.gateway import Gateway
from bot.channels.twilio import webhooks
from bot.channels.twilio.client import TwilioGateway
from bot.dispatch.loop import Dispatcher
from bot.dispatch.send import Sender
from bot.domain.code import Keyring
from bot.domain.errors import Refusal
from bot.faces import health
from bot.faces.cli import register_commands
from bot.faces.console.routes import Console
from bot.faces.durable import payloads
from bot.faces.durable.routes import JSON, DurableRoutes
from bot.http import openapi
from bot.http.keys import Keys
from bot.http.waiting import Waiting
from bot.observability import change_log
from bot.observability.logs import REQUEST_ID, begin_request, request_id, safe
from bot.observability.metrics import Metrics
from bot.observability.shared_counters import SharedCounters
from bot.settings import Settings
from bot.store.opening import open_store
from bot.store.tx import Store, StoreUnavailable
from bot.usecases.start import Bounds
from bot.usecases.verifications import Verifications

# Generous for a text of 1600 characters or a JSON string.
LARGEST_BODY_BYTES = 64 * 1024

log = logging.getLogger(__name__)


def utc_now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    database_clock: Callable[[], datetime] | None = None,
    store: Store | None = None,
    gateway: Gateway | None = None,
) -> Flask:
    """The WSGI application. `app.extensions["dispatcher"]` sends and expires once it is started.
    `database_clock` decides in place of the database's own; `clock` only measures and signs.

    Raises UnusableDatabase.
    """
    store = store or open_store(
        settings.database_url, connections=settings.database_connections, clock=database_clock
    )
    rate_limits = RateLimits(settings.rate_limits)
    breaker = CircuitBreaker(
        Thresholds(
            settings.breaker_texts_per_prefix,
            settings.breaker_texts_per_country,
            settings.breaker_approved_percent,
        ),
        answer_time=settings.terms.send_within + settings.terms.window,
    )
    secret_keys = (settings.secret_key, *settings.secret_key_fallbacks)
    verifications = Verifications(
        store,
        keyring=Keyring(secret_keys),
        terms=settings.terms,
        sender=settings.sender,
        service=settings.service_name,
        template=settings.challenge_text,
        allowed_countries=settings.countries,
        erases_at_twilio=settings.erase_at_twilio == "yes",
        bounds=Bounds(
            starts=settings.limit_per_number,
            wrong=settings.limit_wrong_per_number,
            rate_limits=rate_limits,
            breaker=breaker,
            following=UsageFollower(
                store,
                longest=max(rate_limits.longest, HOUR),
                counters=[rate_limits.count, breaker.count],
            ),
        ),
    )
    keys = Keys(
        function_keys=settings.function_keys,
        system_keys=settings.system_keys,
        secrets=secret_keys,
    )
    log.info("guess budget: %s", settings.guess_budget)
    metrics = Metrics(guess_chance=settings.guess_budget.chance, clock=clock)
    store.on_commit(metrics.committed)
    store.on_commit(change_log.write)
    shared_counters = SharedCounters(metrics, store)
    gateway = gateway or TwilioGateway(settings)
    sender = Sender(
        verifications,
        gateway,
        timeout_seconds=settings.twilio_timeout_seconds,
        at_once=settings.senders,
        sent=metrics.sent,
    )

    app = Flask(__name__, static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=LARGEST_BODY_BYTES,
        MAX_FORM_MEMORY_SIZE=LARGEST_BODY_BYTES,
        PROPAGATE_EXCEPTIONS=False,
        PROVIDE_AUTOMATIC_OPTIONS=False,
    )
    app.url_map.merge_slashes = False  # a redirect would carry HTML
    app.extensions["settings"] = settings
    app.extensions["metrics"] = metrics
    app.extensions["shared_counters"] = shared_counters
    app.extensions["verifications"] = verifications
    app.extensions["dispatcher"] = Dispatcher(
        verifications, gateway, sender, kept=timedelta(days=settings.retention_days)
    )

    waiting = Waiting(store)
    app.extensions["waiting"] = waiting
    durable = DurableRoutes(
        verifications, keys=keys, public_base_url=settings.public_base_url, waiting=waiting
    )
    app.register_blueprint(webhooks.blueprint(verifications, settings, metrics))
    durable.register(app)
    app.extensions["durable"] = durable
    health.register(app, verifications, keys, metrics, shared_counters)
    if settings.console_key is not None:
        console = Console(verifications, settings, gateway, clock=clock, refused=metrics.refused)
        console.register(app)
    app.add_url_rule("/openapi.json", "openapi", described)
    app.before_request(_name_request)
    app.after_request(_named)
    app.after_request(_untyped_if_empty)
    app.after_request(_closed)
    _register_errors(app)
    register_commands(app)
    return app


def described() -> Response:
    return Response(_described(), content_type=JSON)


@lru_cache(maxsize=1)
def _described() -> str:
    return json.dumps(openapi.document())


def _name_request() -> None:
    id = request_id(request.headers.get("X-Request-ID"))
    request.environ["textback.noted"] = begin_request(id)  # for the access log


def _named(response: Response) -> Response:
    response.headers["X-Request-ID"] = REQUEST_ID.get()
    return response


def _closed(response: Response) -> Response:
    """Nothing here is a page to be framed, guessed at, kept, or told where it was linked from."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"
    )
    return response


def _register_errors(app: Flask) -> None:
    app.register_error_handler(Refusal, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(Exception, _unexpected)


def _refused(error: Refusal) -> Response:
    metrics: Metrics = current_app.extensions["metrics"]
    metrics.refused(error.code)
    status, body, headers = payloads.refusal(error)
    if body is None:
        return _empty(status, headers)
    return Response(json.dumps(body), status, headers, content_type=JSON)


def _http_error(error: HTTPException) -> Response:
    """Werkzeug's own refusals, without their HTML. A wrong method is an unknown path here."""
    status = 404 if error.code == 405 else error.code or 500
    if status != 413:
        return _empty(status)
    sentence = f"The body may have {LARGEST_BODY_BYTES} bytes at most."
    body = payloads.fault(sentence, sentence, "RequestEntityTooLarge", "body_too_large")
    return Response(json.dumps(body), status, content_type=JSON)


def _store_unavailable(error: StoreUnavailable) -> Response:
    """A full disk, a lock that is held for long, a file that cannot be written: nothing was done,
    and it may be done later. Twilio posts again what met this."""
    log.error("the database refuses at %s %s", request.method, safe(request.path), exc_info=error)
    body = payloads.fault(error.sentence, error.sentence, "StoreUnavailable", "store_unavailable")
    headers = {"Retry-After": str(error.retry_after_seconds)}
    return Response(json.dumps(body), 503, headers, content_type=JSON)


def _unexpected(error: Exception) -> Response:
    """Whatever nobody foresaw: the caller gets a number, and the log line of that number the rest.

    The exception's own words stay out of the answer, and the query out of the log.
    """
    if type(error).__module__.startswith("gunicorn.http"):
        return _empty(400)  # a body that breaks off or is no HTTP, noticed while it is read
    id = secrets.token_hex(8)
    log.error("error %s at %s %s", id, request.method, safe(request.path), exc_info=error)
    message = "Something went wrong while processing your request"
    body = payloads.fault(message, f"See the log for error {id}.", "InternalError", "internal")
    return Response(json.dumps(body), 500, content_type=JSON)


def _empty(status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(status=status, headers=headers)


def _untyped_if_empty(response: Response) -> Response:
    """An empty answer has no content type, least of all Flask's default of text/html."""
    if response.calculate_content_length() == 0:
        response.headers.pop("Content-Type", None)
    return response
