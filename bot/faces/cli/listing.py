"""Listing verifications, and finding one by what an operator has of it."""

import json
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from bot import service as services
from bot.channels import sentences
from bot.domain import phone
from bot.domain.errors import InvalidNumber, UnknownVerification
from bot.domain.verification import FINISHED, Stage, Status
from bot.faces.cli.errors import told
from bot.store.rows import to_text
from bot.store.tx import Store
from bot.store.verification_list import ListFilter
from bot.usecases import read
from bot.usecases.read import VerificationView


@click.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--country", default="", help="Two letters.")
@click.option("--number", default="", help="In any spelling.")
@click.option("--tag", default="", help="The whole of it.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, a list.")
@with_appcontext
def list_newest(
    limit: int, status: str | None, country: str, number: str, tag: str, as_json: bool
) -> None:
    """List the newest verifications. Times are UTC."""
    with told():
        wanted = ListFilter(
            limit=limit,
            newest_first=True,
            stages=_stages(status),
            country=country.upper(),
            phone=phone.parse(number).number if number else "",
            tag=tag,
        )
    found = services.of(current_app).store.read(read.page, wanted)
    if as_json:
        click.echo(json.dumps([_row(view) for view in found], indent=2))
        return
    for view in found:
        v = view.verification
        began = v.created_at.strftime("%Y-%m-%d %H:%M:%S")
        tagged = f"  {v.tag}" if v.tag else ""
        click.echo(f"{began}  {v.id}  {v.phone:<16}  {outcome_in_words(view)}{tagged}")
    click.echo("Times are UTC." if found else "No verification fits.")


def id_of(store: Store, text: str) -> str:
    """The id that is meant: a whole one, the beginning of one, or the newest of a number. Raises
    UnknownVerification."""
    if store.read(read.exists, text):
        return text
    begins = store.read(read.page, ListFilter(limit=2, id_prefix=text))
    if len(begins) == 1:
        return begins[0].verification.id
    if len(begins) > 1:
        raise UnknownVerification(f"Several ids begin with {text}. Give more of it.")
    try:
        number = phone.parse(text).number
    except InvalidNumber:
        raise UnknownVerification("No verification has this id or number.") from None
    newest = store.read(read.page, ListFilter(limit=1, phone=number, newest_first=True))
    if not newest:
        raise UnknownVerification("No verification has this id or number.")
    return newest[0].verification.id


def outcome_in_words(view: VerificationView) -> str:
    verification, outcome = view.verification, view.verification.outcome
    if outcome is None:
        return "pending" if verification.suspended_at is None else "suspended"
    said = [outcome.status.value]
    if outcome.error_code:
        said.append(f"Twilio's error {outcome.error_code}")
    reason = outcome.reason or sentences.sentence(outcome.error_code)
    return ": ".join([", ".join(said), reason] if reason else [", ".join(said)])


def _stages(status: str | None) -> frozenset[Stage]:
    if status is None:
        return frozenset()
    return frozenset(Stage) - FINISHED if status == Status.PENDING else frozenset([Stage(status)])


def _row(view: VerificationView) -> dict[str, Any]:
    v = view.verification
    return {
        "id": v.id,
        "number": v.phone,
        "status": v.status.value,
        "cause": v.outcome.cause.value if v.outcome else None,
        "reference": v.reference,
        "tag": v.tag,
        "startedBy": v.started_by,
        "startedAt": to_text(v.created_at),
        "endedAt": to_text(v.outcome.at) if v.outcome else None,
        "attempts": v.attempts,
        "errorCode": v.outcome.error_code if v.outcome else None,
    }
