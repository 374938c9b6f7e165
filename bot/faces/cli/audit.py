"""The audit: who did what, and who signed in."""

from datetime import UTC, datetime
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from bot import service as services
from bot.domain.operators import Action
from bot.explanations import words
from bot.explanations.instants import clock
from bot.faces.cli.output import INSTANT, UTC_NOTE, json_option, say
from bot.store.audit import AuditFilter, AuditLine
from bot.store.rows import to_text
from bot.usecases import audit as use_case


@click.command()
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--who", default="", help="Name of an operator or of the system's user.")
@click.option("--what", type=click.Choice([action.value for action in Action]))
@click.option("--since", type=INSTANT, help="UTC, such as 2026-01-31T09:30.")
@json_option
@with_appcontext
def audit(limit: int, who: str, what: str | None, since: datetime | None, as_json: bool) -> None:
    """List what operators did and who signed in, the newest first."""
    filter = AuditFilter(
        limit=limit,
        operator=who,
        action=Action(what) if what else None,
        at_from=since.replace(tzinfo=UTC) if since else None,
    )
    found = services.of(current_app).store.read(use_case.lines, filter)
    lines = [_line(line) for line in found]
    say(as_json, [_row(line) for line in found], *lines, UTC_NOTE if lines else "No entry matches.")


def _line(line: AuditLine) -> str:
    entry = line.entry
    about = [entry.masked_phone, entry.verification_id, entry.detail]
    about_it = "  ".join(part for part in about if part)
    who = entry.operator or "unknown"
    return f"{clock(line.at)}  {who:<16}  {words.ACTIONS[entry.action]}  {about_it}".rstrip()


def _row(line: AuditLine) -> dict[str, Any]:
    entry = line.entry
    return {
        "at": to_text(line.at),
        "operator": entry.operator or None,
        "via": entry.via.value,
        "action": entry.action.value,
        "verificationId": entry.verification_id,
        "maskedNumber": entry.masked_phone,
        "detail": entry.detail or None,
    }
