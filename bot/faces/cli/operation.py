"""Commands on the service: its dispatcher and clock."""

import logging
import signal
import threading

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

import bot
from bot import service as services
from bot.concurrency import gc_settings
from bot.domain.operators import Action
from bot.faces.cli.operator import audited
from bot.faces.cli.output import json_option, say
from bot.observability.logs import configure as configure_logs
from bot.observability.redaction import hide
from bot.settings import all_secrets
from bot.usecases import timekeeping

RESET_SECONDS = 600.0

log = logging.getLogger(__name__)

clock_group = AppGroup("clock", help="Correct stored time that is ahead, because a clock was.")


@click.command()
@with_appcontext
def dispatch() -> None:
    """Send and expire in a process of its own, until SIGTERM, SIGHUP or Ctrl-C."""
    service = services.of(current_app)
    configure_logs(service.settings.log_format)
    hide(all_secrets.values(service.settings))
    for warning in services.settings_check_of(current_app).warnings:
        log.warning("settings: %s", warning)
    gc_settings.apply()
    service.configure_endpoints()
    service.shared_counters.start()
    dispatcher = service.dispatcher
    is_over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(name) is not signal.SIG_IGN:  # as nohup sets it
            signal.signal(name, lambda *_: is_over.set())
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)  # gunicorn's, to open its log files anew
    dispatcher.start()
    click.echo("The dispatcher is running.")
    while not is_over.wait(60):
        pass
    is_done = dispatcher.stop()
    service.shared_counters.stop()
    if not is_done:
        raise click.ClickException("Some texts were still being sent; they will be looked up.")


@click.command()
@json_option
def version(as_json: bool) -> None:
    """Print the version of Textback."""
    say(as_json, {"version": bot.__version__}, f"Textback {bot.__version__}")


@clock_group.command("reset")
@json_option
@with_appcontext
def clock_reset(as_json: bool) -> None:
    """Set stored times that are later than the clock back to it. Stop all processes first."""
    store = services.of(current_app).store
    store.now()  # the steady clock reads stored time
    ahead = store.steady.ahead
    now = store.steady.latest - ahead
    resetting = audited(Action.CLOCK_RESET, at=now)
    try:
        count = resetting.write_within(RESET_SECONDS, timekeeping.reset, clock=now)
    except timekeeping.StillPending:
        raise click.ClickException(
            "Verifications are pending, and their deadlines are in stored time. Wait until they"
            " have ended, which takes minutes while a dispatcher runs; a row that cannot be read"
            " never ends and is to be repaired or removed (docs/operations.md). Then stop all"
            " processes and try again."
        ) from None
    seconds = round(ahead.total_seconds())
    say(
        as_json,
        {"secondsAhead": seconds, "stamps": count},
        f"Stored time was {seconds} s ahead; the timestamps of {count} rows were corrected.",
    )
