"""Commands on verifications."""

import sys
import time
from datetime import UTC, datetime
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from bot import service as services
from bot.domain import phone
from bot.domain.operators import COMMAND_CALLER, Action
from bot.domain.verification import Status
from bot.explanations import why
from bot.explanations.instants import clock
from bot.explanations.summary import summary
from bot.explanations.timeline import timeline
from bot.faces.cli import listing
from bot.faces.cli.listing import outcome_in_words
from bot.faces.cli.operator import audited, operator
from bot.faces.cli.output import UTC_NOTE, counted, json_option, printable, say
from bot.observability.logs import request_id
from bot.store.history import HistoryLine
from bot.store.rows import to_text
from bot.store.texts import TextState
from bot.store.tx import Store
from bot.usecases import claim, control, read
from bot.usecases.forget import forget_number
from bot.usecases.read import VerificationView
from bot.usecases.resend import begin_resend
from bot.usecases.start import StartRequest, begin

LOOK_EVERY_SECONDS = 0.2
# A dispatcher takes a text within a tenth of a second, unless all its sends are under way.
TAKEN_WITHIN_SECONDS = 4.0
NOTHING_SENDS = (
    "No dispatcher runs on this database, so the text is not sent. Start the service (gunicorn"
    " wsgi:app, or flask dispatch as well as web processes with DISPATCH=off). The verification is"
    " pending; a dispatcher that starts in time sends its text."
)


@click.command()
@click.argument("phone_number")
@click.option("--wait/--no-wait", default=True, help="Wait for the outcome.")
@json_option
@with_appcontext
def start(phone_number: str, wait: bool, as_json: bool) -> None:
    """Start a verification and wait for its outcome. Exit code 0: approved."""
    service = services.of(current_app)
    asked = StartRequest(COMMAND_CALLER, request_id(None), operator=operator().name)
    verification = begin(
        audited(Action.STARTED),
        phone_number,
        asked,
        rules=service.rules,
        admission=service.admission,
    )
    service.shared_counters.end()
    if not as_json:
        click.echo(f"{verification.id}  reference {verification.reference}")
    if wait:
        try:
            await_outcome(service.store, verification.id, is_silent=as_json)
        except (click.ClickException, KeyboardInterrupt) as ended:
            if as_json:  # the verification is started even so
                say(as_json, summary(service.store.read(read.view, verification.id)))
            if isinstance(ended, KeyboardInterrupt):
                raise _GoesOn(verification.id) from None
            raise
    view = service.store.read(read.view, verification.id)
    if as_json:
        say(as_json, summary(view))
    elif wait:
        click.echo(printable(outcome_in_words(view)))
    if wait and view.verification.status is not Status.APPROVED:
        raise SystemExit(1)


class _GoesOn(click.ClickException):
    exit_code = 130  # a shell's for Ctrl-C

    def __init__(self, id: str) -> None:
        ends = f"flask cancel {printable(id)} ends it"
        super().__init__(f"The verification goes on without this command; {ends}.")


@click.command()
@click.argument("id")
@json_option
@with_appcontext
def resend(id: str, as_json: bool) -> None:
    """Send the text of a pending verification once more, with the same code."""
    service = services.of(current_app)
    verification = begin_resend(
        audited(Action.RESENT),
        listing.id_of(service.store, id),
        rules=service.rules,
        admission=service.admission,
        operator=operator().name,
    )
    service.shared_counters.end()
    sends, most = verification.sends, verification.terms.max_sends
    say(
        as_json,
        {"sends": sends, "sendsLeft": most - sends},
        f"Texts requested: {sends} of at most {most}. A request within 15 seconds"
        " of a text sends no further one.",
    )


@click.command()
@click.argument("id")
@json_option
@with_appcontext
def show(id: str, as_json: bool) -> None:
    """Show one verification with its history: by its id, the beginning of it, or its number, of
    which the newest is shown."""
    service = services.of(current_app)
    store = service.store
    view = store.read(read.view, listing.id_shown(service, id), with_history=True)
    now = store.now()
    explanation, explained = why.explain(view, now), why.explained_codes(view)
    if as_json:
        history = [_event(line) for line in view.history]
        say(as_json, {**summary(view), "why": explanation, "history": history})
        return
    v = view.verification
    click.echo(printable(f"{v.id}  {v.phone}  reference {v.reference}"))
    click.echo(f"{printable(outcome_in_words(view))}\n{printable(explanation)}\n")
    for line, sentence in timeline(view.history, explained):
        after = (line.at - v.created_at).total_seconds()
        click.echo(f"{clock(line.at)}  {after:>+8.1f} s  {printable(sentence)}")
    click.echo(UTC_NOTE)


def _reason(context: click.Context, parameter: click.Parameter, value: str) -> str:
    if len(value) > control.LONGEST_REASON:
        raise click.BadParameter(f"a reason has at most {control.LONGEST_REASON} characters")
    return value


@click.command()
@click.argument("id")
@click.option(
    "--reason", default="canceled at the command line", show_default=True, callback=_reason
)
@json_option
@with_appcontext
def cancel(id: str, reason: str, as_json: bool) -> None:
    """Cancel a pending verification; its text is withdrawn if it was not sent."""
    service = services.of(current_app)
    whole = listing.id_of(service.store, id)
    audited(Action.CANCELED).write(control.cancel, whole, reason=reason, operator=operator().name)
    service.shared_counters.end()
    say(as_json, {"id": whole, "status": Status.CANCELED.value}, "The verification is canceled.")


@click.command()
@click.argument("phone_number")
@json_option
@with_appcontext
def forget(phone_number: str, as_json: bool) -> None:
    """Forget a number: remove its verifications, their history, and its limit entries."""
    service = services.of(current_app)
    as_operator = audited(Action.FORGOTTEN, number=phone.known_as(phone_number)[0])
    forgotten, is_gone = forget_number(
        service.store, as_operator, phone_number, operator=operator().name
    )
    service.shared_counters.end()
    if as_json:
        say(
            as_json,
            {
                "verifications": forgotten.verifications,
                "limitEntries": forgotten.usage_rows,
                "wasPending": forgotten.was_pending,
                "isGoneFromDisk": is_gone,
            },
        )
        return
    click.echo(
        f"Erased {counted(forgotten.verifications, 'verification')}"
        f"{' (one was pending and is canceled)' if forgotten.was_pending else ''}"
        f" and {counted(forgotten.usage_rows, 'entry', 'entries')} that counted against limits."
    )
    if not is_gone:
        click.echo("The bytes stay on the disk until the database has written over them.", err=True)
    click.echo(
        "Not erased: a STOP, if the number texted one: it still holds; backups of the database; and"
        " what Twilio keeps of its texts."
    )


def await_outcome(store: Store, id: str, *, is_silent: bool) -> None:
    shows = sys.stdout.isatty() and not is_silent
    began = time.monotonic()
    while True:
        view = store.read(read.view, id)
        if view.verification.is_terminal:
            break
        is_taken = view.text.state is not TextState.QUEUED or view.text.claims > 0
        if is_taken or store.read(claim.is_sending):  # a dispatcher runs
            began = time.monotonic()
        if time.monotonic() - began >= TAKEN_WITHIN_SECONDS:
            raise click.ClickException(NOTHING_SENDS)
        if shows:
            click.echo(f"\r{_countdown(view):<60}", nl=False)
        time.sleep(LOOK_EVERY_SECONDS)
    if shows:
        click.echo("\r" + " " * 60 + "\r", nl=False)


def _event(line: HistoryLine) -> dict[str, Any]:
    detail = {name: value for name, value in line.detail.items() if value is not None}
    return {"at": to_text(line.at), "event": line.event.value, **detail}


def _countdown(view: VerificationView) -> str:
    verification = view.verification
    left = (verification.deadline_at - datetime.now(UTC)).total_seconds()
    if left < -5:
        return "Its deadline has passed, but it has not ended: is a dispatcher running?"
    if verification.accepted_at is None:
        return "The text is on its way to Twilio"
    return f"{max(0, round(left)):>4} s left, {verification.attempts_left} attempts left"
