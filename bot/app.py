"""Start-up: builds the service from the settings, registers faces and hooks, starts no thread."""

import logging
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache

from flask import Flask

from bot import service as services
from bot.admission.admission import Admission
from bot.admission.circuit_breaker import CircuitBreaker, Thresholds
from bot.admission.rate_limits import RateLimits
from bot.admission.usage_follower import UsageFollower
from bot.channels.gateway import Gateway
from bot.channels.twilio import commands as twilio_commands
from bot.channels.twilio import readiness as twilio_readiness
from bot.channels.twilio import routes as twilio_routes
from bot.channels.twilio.client import TwilioGateway
from bot.dispatch.catch_up import CatchUp
from bot.dispatch.duties import all_duties
from bot.dispatch.loop import Dispatcher
from bot.dispatch.notify import Notifier
from bot.dispatch.send import SendDuty
from bot.dispatch.sweep import Sweeper
from bot.domain.code import Keyring
from bot.faces import cli, console, durable, health, home, verify
from bot.http import access, error_handlers, hooks, openapi, openapi_webhooks
from bot.http.keys import Keys
from bot.http.waiting import Waiting
from bot.observability import change_log
from bot.observability.metrics import Metrics
from bot.observability.shared_counters import SharedCounters
from bot.service import LazyService, Service
from bot.settings import Settings, validate
from bot.store.opening import open_store, require_current
from bot.store.tx import Store, UnusableDatabase
from bot.usecases.rules import Languages, Rules
from bot.webhooks.client import WebhookClient

# The error format of routes outside the faces' APIs. It is kept because it was published;
# error_handlers.PlainShape is the alternative.
ERROR_SHAPE = durable.DurableShape()

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
    serves: bool = True,
) -> Flask:
    """The WSGI application; its parts are `service.of(app)`. `database_clock` decides in place of
    the database's own; `clock` only measures and signs. `serves`: False for a command that only
    shows the application, and may run with other settings than the service.

    Raises UnusableDatabase.
    """
    store = store or _opened(settings, database_clock, prepares=serves)
    gateway = gateway or TwilioGateway(settings)
    service = _service(settings, store, gateway, clock, serves=serves)
    if serves:
        service.configure_endpoints()
    app = _bounded_application()
    services.attach(service, app)
    hooks.register(app)
    error_handlers.register(app, ERROR_SHAPE, refused=service.metrics.refused)
    app.register_blueprint(twilio_routes.blueprint(service))
    links: list[str] = []  # a line for each face, so that a face can be removed with its lines
    links += console.links(service)
    app.register_blueprint(home.blueprint(links))
    app.register_blueprint(verify.blueprint(service))
    app.register_blueprint(durable.blueprint(service))
    app.register_blueprint(health.blueprint(service))
    app.register_blueprint(console.blueprint(service))
    app.register_blueprint(openapi.blueprint(openapi_document()))
    _add_commands(app)
    return app


def _bounded_application() -> Flask:
    app = hooks.Application(__name__, static_folder=None)
    app.config.update(PROPAGATE_EXCEPTIONS=False, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.url_map.merge_slashes = False  # a redirect would carry HTML
    return app


def create_commands(
    environment: Callable[[], Mapping[str, str]], *, prepares_database: bool = False
) -> Flask:
    """The commands without the routes. Settings are read, and the database is opened, when a
    command asks for them; unusable settings end the process with a line for each fault.
    `prepares_database`: whether the command may make or migrate it."""

    def build(settings: Settings) -> Service:
        try:
            store = _opened(settings, None, prepares=prepares_database)
        except UnusableDatabase as error:
            sys.exit(str(error))
        return _service(settings, store, TwilioGateway(settings), utc_now, serves=False)

    app = Flask(__name__, static_folder=None)
    services.attach_lazy(LazyService(lambda: validate(environment()), build), app)
    _add_commands(app)
    return app


def _add_commands(app: Flask) -> None:
    check = cli.check_command(twilio_readiness.findings)
    for command in (*cli.COMMANDS, check, *twilio_commands.COMMANDS):
        app.cli.add_command(command)


def _opened(settings: Settings, clock: Callable[[], datetime] | None, *, prepares: bool) -> Store:
    if not prepares:
        require_current(settings.database_url)
    return open_store(settings.database_url, connections=settings.database_connections, clock=clock)


@cache
def openapi_document() -> openapi.Json:
    return openapi.document(
        [
            durable.part(),
            verify.part(),
            twilio_routes.part(),
            health.part(),
            home.part(),
            openapi_webhooks.part(),
            access.part(),
            error_handlers.part(ERROR_SHAPE),
            openapi.part(),
        ]
    )


def _service(
    settings: Settings,
    store: Store,
    gateway: Gateway,
    clock: Callable[[], datetime],
    *,
    serves: bool,
) -> Service:
    rules = _rules(settings)
    log.info("guess budget: %s", settings.guess_budget)
    metrics = Metrics(clock=clock)
    store.on_commit(metrics.committed)
    store.on_commit(change_log.write)
    catch_up = CatchUp(store, gateway, rules, serves=serves, on_ignored=metrics.webhook_ignored)
    sweeper = Sweeper(store, kept=timedelta(days=settings.retention_days))
    send = SendDuty(
        store,
        gateway,
        rules,
        timeout_seconds=settings.twilio_timeout_seconds,
        at_once=settings.send_concurrency,
        on_sent=metrics.sent,
    )
    notifier = _notifier(settings, store, metrics)
    duties = all_duties(store, gateway, rules, sweeper)
    return Service(
        settings=settings,
        store=store,
        rules=rules,
        admission=_admission(settings, store),
        gateway=gateway,
        keys=_keys(settings),
        waiting=Waiting(store),
        dispatcher=Dispatcher(store, send, catch_up, sweeper, notifier, duties),
        judged_until=catch_up.judged_until,
        metrics=metrics,
        shared_counters=SharedCounters(metrics, store),
        clock=clock,
    )


def _keys(settings: Settings) -> Keys:
    return Keys(
        function_keys=settings.starters,
        system_keys=settings.managers,
        secrets=settings.secret_keys,
    )


def _notifier(settings: Settings, store: Store, metrics: Metrics) -> Notifier:
    if not settings.webhook_urls:
        return Notifier(store, None, on_result=metrics.notified)
    client = WebhookClient(
        settings.webhook_secret,
        allows_private=settings.webhook_allow_private == "yes",
        own_port=settings.port,
        endpoints=len(settings.webhook_urls),
        clock=utc_now,  # receivers compare it with their own
    )
    return Notifier(store, client, on_result=metrics.notified)


def _rules(settings: Settings) -> Rules:
    return Rules(
        keyring=Keyring(settings.secret_keys),
        terms=settings.terms,
        from_address=settings.from_address,
        service_name=settings.service_name,
        challenge_template=settings.challenge_text,
        most_segments=settings.allow_segments,
        languages=Languages(
            offered=settings.offered_locales,
            default=settings.default_locale,
            by_country=dict(settings.country_locales),
        ),
        allowed_countries=settings.countries,
        wrong_per_number=settings.limit_wrong_per_number,
        erases_at_twilio=settings.erase_at_twilio == "yes",
    )


def _admission(settings: Settings, store: Store) -> Admission:
    rate_limits = RateLimits(settings.rate_limits)
    circuit_breaker = CircuitBreaker(
        Thresholds(
            texts_per_prefix=settings.breaker_texts_per_prefix,
            texts_per_country=settings.breaker_texts_per_country,
            approved_percent=settings.breaker_approved_percent,
        ),
        answer_time=settings.terms.send_within + settings.terms.window,
    )
    return Admission(
        starts_per_number=settings.limit_per_number,
        wrong_per_number=settings.limit_wrong_per_number,
        rate_limits=rate_limits,
        circuit_breaker=circuit_breaker,
        follower=UsageFollower(
            store,
            longest=max(rate_limits.longest, circuit_breaker.longest),
            counters=[rate_limits.count, circuit_breaker.count],
        ),
        disruptions=lambda: store.disruptions,
    )
