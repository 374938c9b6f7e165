"""Commands for whoever runs Textback, all of them behind `flask`."""

import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial

import click
from flask import Flask, current_app
from flask.cli import AppGroup, with_appcontext

from bot.channels.twilio import errors, number
from bot.domain import phone
from bot.domain.errors import Refusal
from bot.domain.verification import Status
from bot.observability.logs import configure as configure_logs
from bot.observability.logs import request_id
from bot.server import gc_settings
from bot.settings import Settings
from bot.usecases import timekeeping
from bot.usecases.read import VerificationView
from bot.usecases.verifications import Verifications

LOOK_EVERY_SECONDS = 0.2
RESET_SECONDS = 600.0

limits_group = AppGroup("limits", help="What counts against a number.")
optout_group = AppGroup("optout", help="Numbers that have texted STOP.")
clock_group = AppGroup("clock", help="Stored time, where a clock was ahead once.")
number_group = AppGroup("number", help="The webhook of the sending number at Twilio.")


def register_commands(app: Flask) -> None:
    for command in (
        start,
        show,
        list_newest,
        forget,
        dispatch,
        check,
        number_group,
        clock_group,
        limits_group,
        optout_group,
    ):
        app.cli.add_command(command)


@click.command()
@click.argument("phone_number")
@click.option("--wait/--no-wait", default=True, help="Wait for the outcome.")
@with_appcontext
def start(phone_number: str, wait: bool) -> None:
    """Start a verification and wait for its outcome. Exit code 0: approved."""
    try:
        verification = _verifications().start(
            phone_number,
            started_by="cli",
            start_input=json.dumps(phone_number),
            request_id=request_id(None),
        )
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.code}: {refusal.sentence}") from None
    current_app.extensions["shared_counters"].end()
    click.echo(f"{verification.id}  reference {verification.reference}")
    if wait:
        _await_outcome(verification.id)


@click.command()
@click.argument("id")
@with_appcontext
def show(id: str) -> None:
    """Show one verification with its history."""
    try:
        view = _verifications().view(id, with_history=True)
    except Refusal as refusal:
        raise click.ClickException(refusal.sentence) from None
    verification = view.verification
    click.echo(f"{verification.id}  {verification.phone}  reference {verification.reference}")
    click.echo(_outcome(view))
    trouble = errors.sentence(view.text.error_code)
    if trouble is not None:
        click.echo(f"Twilio's error {view.text.error_code}: {trouble}")
    for line in view.history:
        after = (line.at - verification.created_at).total_seconds()
        detail = ", ".join(f"{name} {value}" for name, value in line.detail.items() if value)
        click.echo(f"{after:>8.1f} s  {line.event:<22}{detail}")


@click.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@with_appcontext
def list_newest(limit: int) -> None:
    """List the newest verifications."""
    for view in _verifications().newest(limit):
        verification = view.verification
        began = verification.created_at.strftime("%Y-%m-%d %H:%M:%S")
        click.echo(f"{began}  {verification.id}  {verification.phone:<16}  {_outcome(view)}")


@click.command()
@click.argument("phone_number")
@with_appcontext
def forget(phone_number: str) -> None:
    """Erase a number: its verifications, their history, and what counts against it."""
    try:
        forgotten, is_gone = _verifications().forget(phone_number)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.code}: {refusal.sentence}") from None
    current_app.extensions["shared_counters"].end()
    click.echo(
        f"Erased {forgotten.verifications} verifications"
        f"{' (one was pending and is canceled)' if forgotten.was_pending else ''}"
        f" and {forgotten.tallies} entries that counted against limits."
    )
    if not is_gone:
        click.echo("The bytes stay on the disk until the database has written over them.", err=True)
    click.echo(
        "Not erased: a STOP of this number, which it is owed; backups of the database; and what"
        " Twilio keeps of its texts."
    )


@click.command()
@with_appcontext
def dispatch() -> None:
    """Send and expire in a process of its own, until SIGTERM or Ctrl-C."""
    configure_logs(_settings().log_format)
    gc_settings.settle()
    shared_counters = current_app.extensions["shared_counters"]
    shared_counters.start()
    dispatcher = current_app.extensions["dispatcher"]
    is_over = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: is_over.set())
    dispatcher.start()
    click.echo("The dispatcher runs.")
    while not is_over.wait(60):
        pass
    is_done = dispatcher.stop()
    shared_counters.stop()
    if not is_done:
        raise click.ClickException("Some texts were still being sent; they will be looked up.")


@click.command()
@with_appcontext
def check() -> None:
    """Check the settings. They were read already, so what is wrong with them was said by then."""
    settings = _settings()
    sender = settings.twilio_phone_number
    click.echo(f"public address  {settings.public_base_url}")
    click.echo(f"texts from      {phone.masked(sender) if sender else settings.sender}")
    click.echo(f"Twilio          {settings.twilio_api_base_url or 'the cloud'}")
    click.echo(f"database        {settings.database_name}")
    terms = settings.terms
    click.echo(
        f"rules           {terms.code_length} digits, {terms.window_seconds} seconds,"
        f" {terms.max_attempts} attempts"
    )
    click.echo(f"countries       {', '.join(sorted(settings.countries)) or 'all'}")
    click.echo(f"guess budget    {settings.guess_budget}")
    click.echo("The settings can be used.")


@number_group.command("check")
@with_appcontext
def number_check() -> None:
    """Compare the number's webhook with what it should be. Exit code 0: it is right."""
    _tell_webhook(number.check)


@number_group.command("set")
@with_appcontext
def number_set() -> None:
    """Set the number's webhook to this service."""
    _tell_webhook(number.set_webhook)


@clock_group.command("reset")
@with_appcontext
def clock_reset() -> None:
    """Take stamps that are later than the clock back to it. Stop all processes first."""
    store = _verifications().store
    store.read(lambda tx: tx.now)
    ahead = store.steady.ahead
    now = store.steady.latest - ahead
    try:
        count = store.write(partial(timekeeping.reset, clock=now), within=RESET_SECONDS)
    except timekeeping.StillPending:
        raise click.ClickException(
            "Verifications are pending, and their deadlines are in stored time. Let them end: they"
            " do within minutes while a dispatcher runs. Then stop everything and try again."
        ) from None
    click.echo(
        f"Stored time was {ahead.total_seconds():.0f} s ahead; {count} stamps were taken back."
    )


@limits_group.command("clear")
@click.argument("phone_number")
@with_appcontext
def limits_clear(phone_number: str) -> None:
    """Forget the starts and wrong answers that count against a number."""
    try:
        count = _verifications().clear_limits(phone_number)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.code}: {refusal.sentence}") from None
    click.echo(f"Nothing of {count} counts against this number any more.")


@optout_group.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@with_appcontext
def optout_list(limit: int) -> None:
    """List the numbers that have texted STOP, the newest first."""
    for marked, since in _verifications().opt_outs(limit):
        click.echo(f"{since.strftime('%Y-%m-%d %H:%M:%S')}  {marked}")


@optout_group.command("clear")
@click.argument("phone_number")
@with_appcontext
def optout_clear(phone_number: str) -> None:
    """Let a number be texted again. Twilio itself still refuses until it texts START."""
    try:
        was_marked = _verifications().clear_opt_out(phone_number)
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.code}: {refusal.sentence}") from None
    click.echo("Cleared." if was_marked else "This number was not marked.")


def _tell_webhook(look: Callable[[Settings], number.Webhook]) -> None:
    try:
        webhook = look(_settings())
    except number.NumberUnknown as error:
        raise click.ClickException(str(error)) from None
    for warning in webhook.warnings:
        click.echo(f"Warning: {warning}", err=True)
    if webhook.faults:
        raise click.ClickException("; ".join(webhook.faults))
    click.echo(f"Texts to the number are posted to {webhook.url}")


def _await_outcome(id: str) -> None:
    while True:
        view = _verifications().view(id)
        if view.verification.is_terminal:
            break
        if sys.stdout.isatty():
            click.echo(f"\r{_countdown(view):<60}", nl=False)
        time.sleep(LOOK_EVERY_SECONDS)
    clear = "\r" + " " * 60 + "\r" if sys.stdout.isatty() else ""
    click.echo(clear + _outcome(view))
    if view.verification.status is not Status.APPROVED:
        raise SystemExit(1)


def _countdown(view: VerificationView) -> str:
    verification = view.verification
    left = (verification.deadline_at - datetime.now(UTC)).total_seconds()
    if left < -5:
        return "Its time is over, but nobody ends it: is a dispatcher running?"
    if verification.accepted_at is None:
        return "The text is on its way to Twilio"
    return f"{max(0, round(left)):>4} s left, {verification.attempts_left} tries left"


def _outcome(view: VerificationView) -> str:
    verification, outcome = view.verification, view.verification.outcome
    if outcome is None:
        return "pending" if verification.suspended_at is None else "suspended"
    said = [outcome.status.value]
    if outcome.error_code:
        said.append(f"Twilio's error {outcome.error_code}")
    reason = outcome.reason or errors.sentence(outcome.error_code)
    return ": ".join([", ".join(said), reason] if reason else [", ".join(said)])


def _verifications() -> Verifications:
    verifications: Verifications = current_app.extensions["verifications"]
    return verifications


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings
