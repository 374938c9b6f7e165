"""Commands on verifications."""

import json
import sys
import time
from datetime import UTC, datetime

import click
from flask import current_app
from flask.cli import with_appcontext

from bot import service as services
from bot.channels import sentences
from bot.domain.verification import Status
from bot.faces.cli import listing
from bot.faces.cli.errors import told
from bot.faces.cli.listing import outcome_in_words as _outcome
from bot.observability.logs import request_id
from bot.store.texts import TextState
from bot.store.tx import Store
from bot.usecases import control, read
from bot.usecases.forget import forget_number
from bot.usecases.read import VerificationView
from bot.usecases.resend import again
from bot.usecases.start import Request, begin

LOOK_EVERY_SECONDS = 0.2
# A dispatcher takes a text within a tenth of a second.
TAKEN_WITHIN_SECONDS = 5.0
NOTHING_SENDS = (
    "No dispatcher took the text, so nothing is sent: none runs on this database. Start the service"
    " (gunicorn wsgi:app, or flask dispatch beside web processes with DISPATCH=off). The"
    " verification is pending; a dispatcher that starts in time sends its text."
)


@click.command()
@click.argument("phone_number")
@click.option("--wait/--no-wait", default=True, help="Wait for the outcome.")
@with_appcontext
def start(phone_number: str, wait: bool) -> None:
    """Start a verification and wait for its outcome. Exit code 0: approved."""
    service = services.of(current_app)
    with told():
        verification = begin(
            service.store,
            phone_number,
            Request("cli", request_id(None), json.dumps(phone_number)),
            rules=service.rules,
            admission=service.admission,
        )
    service.shared_counters.end()
    click.echo(f"{verification.id}  reference {verification.reference}")
    if wait:
        _await_outcome(service.store, verification.id)


@click.command()
@click.argument("id")
@with_appcontext
def resend(id: str) -> None:
    """Send the text of a pending verification once more, with the same code."""
    service = services.of(current_app)
    with told():
        verification = again(service.store, id, rules=service.rules, admission=service.admission)
    service.shared_counters.end()
    sends, most = verification.sends, verification.terms.max_sends
    click.echo(f"Texts asked for: {sends} of at most {most}. Within 15 seconds one is enough.")


@click.command()
@click.argument("id")
@with_appcontext
def show(id: str) -> None:
    """Show one verification with its history: by its id, the beginning of it, or its number, of
    which the newest is shown."""
    store = services.of(current_app).store
    with told():
        view = store.read(read.view, listing.id_of(store, id), with_history=True)
    verification = view.verification
    click.echo(f"{verification.id}  {verification.phone}  reference {verification.reference}")
    click.echo(_outcome(view))
    trouble = sentences.sentence(view.text.error_code)
    if trouble is not None:
        click.echo(f"Twilio's error {view.text.error_code}: {trouble}")
    for line in view.history:
        after = (line.at - verification.created_at).total_seconds()
        detail = ", ".join(f"{name} {value}" for name, value in line.detail.items() if value)
        click.echo(f"{after:>8.1f} s  {line.event:<22}{detail}")


@click.command()
@click.argument("id")
@click.option("--reason", default="canceled at the command line", show_default=True)
@with_appcontext
def cancel(id: str, reason: str) -> None:
    """Cancel a pending verification; its text is withdrawn if it was not sent."""
    service = services.of(current_app)
    with told():
        service.store.write(control.terminate, id, reason=reason)
    service.shared_counters.end()
    click.echo("It is canceled.")


@click.command()
@click.argument("phone_number")
@with_appcontext
def forget(phone_number: str) -> None:
    """Erase a number: its verifications, their history, and what counts against it."""
    service = services.of(current_app)
    with told():
        forgotten, is_gone = forget_number(service.store, phone_number)
    service.shared_counters.end()
    click.echo(
        f"Erased {forgotten.verifications} verifications"
        f"{' (one was pending and is canceled)' if forgotten.was_pending else ''}"
        f" and {forgotten.usage_rows} entries that counted against limits."
    )
    if not is_gone:
        click.echo("The bytes stay on the disk until the database has written over them.", err=True)
    click.echo(
        "Not erased: a STOP of this number, which it is owed; backups of the database; and what"
        " Twilio keeps of its texts."
    )


def _await_outcome(store: Store, id: str) -> None:
    began = time.monotonic()
    while True:
        view = store.read(read.view, id)
        if view.verification.is_terminal:
            break
        is_taken = view.text.state is not TextState.QUEUED or view.text.claims > 0
        if not is_taken and time.monotonic() - began >= TAKEN_WITHIN_SECONDS:
            raise click.ClickException(NOTHING_SENDS)
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
        return "Its time is over, but it was not ended: is a dispatcher running?"
    if verification.accepted_at is None:
        return "The text is on its way to Twilio"
    return f"{max(0, round(left)):>4} s left, {verification.attempts_left} tries left"
