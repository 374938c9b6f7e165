"""Commands on what counts against a number: limits and opt-outs."""

from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from bot import service as services
from bot.domain import phone
from bot.domain.operators import Action
from bot.explanations import words
from bot.explanations.admission import refusals_of_others
from bot.explanations.instants import clock, clock_utc
from bot.faces.cli.operator import audited
from bot.faces.cli.output import UTC_NOTE, counted, json_option, say
from bot.store.rows import to_text
from bot.usecases import clear
from bot.usecases.number_limits import NumberLimits, number_limits, opted_out

limits_group = AppGroup("limits", help="What counts against a number.")
optout_group = AppGroup("optout", help="Numbers that have texted STOP.")


@limits_group.command("show")
@click.argument("phone_number")
@json_option
@with_appcontext
def limits_show(phone_number: str, as_json: bool) -> None:
    """Show what counts against a number now."""
    service = services.of(current_app)
    phones = phone.known_as(phone_number)
    found = service.store.read(number_limits, phones, service.rules, service.admission)
    others = refusals_of_others(service.admission, service.store, phones[0])
    last = "Nothing that counts prevents a start."
    if not found.is_clear:
        last = "A start is refused."
    elif others:
        last = "Nothing of this number alone prevents a start."
    say(as_json, {**_row(found), "refusedWithOthers": others}, *_lines(found), *others, last)


@limits_group.command("clear")
@click.argument("phone_number")
@json_option
@with_appcontext
def limits_clear(phone_number: str, as_json: bool) -> None:
    """Clear the starts and wrong answers that count against a number."""
    phones = phone.known_as(phone_number)
    store = audited(Action.LIMITS_CLEARED, number=phones[0])
    count = store.write(clear.clear_limits, phones, services.of(current_app).rules)
    say(as_json, {"cleared": count}, _cleared(count))


@optout_group.command("list")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@with_appcontext
def optout_list(limit: int, as_json: bool) -> None:
    """List the numbers that have texted STOP, the newest first."""
    service = services.of(current_app)
    found = service.store.read(opted_out, service.rules, limit=limit)
    rows = [{"number": marked, "since": to_text(since)} for marked, since in found]
    lines = [f"{clock(since)}  {marked}" for marked, since in found]
    say(as_json, rows, *lines, UTC_NOTE if lines else "No number has texted STOP.")


@optout_group.command("clear")
@click.argument("phone_number")
@json_option
@with_appcontext
def optout_clear(phone_number: str, as_json: bool) -> None:
    """Let a number be texted again. Twilio itself still refuses until it texts START."""
    phones = phone.known_as(phone_number)
    store = audited(Action.OPT_OUT_CLEARED, number=phones[0])
    was_marked = store.write(clear.clear_opt_out, phones, services.of(current_app).rules)
    say(
        as_json,
        {"cleared": was_marked},
        "Cleared here. If the phone texted STOP alone, Twilio refuses texts until it texts START."
        if was_marked
        else "The number had not opted out.",
    )


def _cleared(count: int) -> str:
    if not count:
        return "Nothing counted against this number."
    entries = f"{counted(count, 'entry', 'entries')} that counted"
    return f"Removed {entries} against this number."


def _row(limits: NumberLimits) -> dict[str, Any]:
    return {
        "number": limits.number,
        "limits": [
            {"setting": limit.name, "limit": limit.as_set, "used": used, "of": limit.amount}
            for limit, used in limits.limits
        ],
        "optedOutSince": to_text(limits.opted_out_since) if limits.opted_out_since else None,
        "disownedUntil": to_text(limits.disowned_until) if limits.disowned_until else None,
        "isClear": limits.is_clear,
    }


def _lines(limits: NumberLimits) -> list[str]:
    lines = [
        f"{words.LIMITS[limit.name]:<24}  {used} of {limit.as_set}  ({limit.name})"
        for limit, used in limits.limits
    ]
    if limits.opted_out_since:
        lines.append(f"Texted STOP at {clock_utc(limits.opted_out_since)}.")
    if limits.disowned_until:
        lines.append(f"Replied NO: no code until {clock_utc(limits.disowned_until)}.")
    if not limits.limits:
        lines.append("No limit of a number is set.")
    return lines
