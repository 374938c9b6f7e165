"""Lists verifications, and finds one by an id, the beginning of an id, or a number."""

import click
from flask import current_app
from flask.cli import with_appcontext

from bot import service as services
from bot.domain import phone, phone_search
from bot.domain.errors import InvalidNumber, UnknownVerification
from bot.domain.verification import Cause, Status, stages_of
from bot.explanations import words
from bot.explanations.instants import clock
from bot.explanations.summary import summary
from bot.faces.cli.output import UTC_NOTE, json_option, say
from bot.service import Service
from bot.store.tx import Store
from bot.store.verification_list import ListFilter
from bot.usecases import read, search
from bot.usecases.read import VerificationView
from bot.usecases.search import By, Interpretation


def _country(context: click.Context, parameter: click.Parameter, value: str) -> str:
    letters = value.upper()
    if letters and not phone.is_country(letters):
        raise click.BadParameter(f"{value!r} is not a country: give two letters, such as US")
    return letters


@click.command("list")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@click.option("--status", type=click.Choice([status.value for status in Status]))
@click.option("--country", default="", help="Two letters.", callback=_country)
@click.option("--number", default="", help="The whole number, in any spelling.")
@click.option("--tag", default="", help="The whole tag.")
@json_option
@with_appcontext
def list_newest(
    limit: int, status: str | None, country: str, number: str, tag: str, as_json: bool
) -> None:
    """List the newest verifications. Times are UTC."""
    service = services.of(current_app)
    filter = ListFilter(
        limit=limit,
        newest_first=True,
        stages=stages_of(Status(status)) if status else frozenset(),
        country=country,
        phone=_number(service, number) if number else "",
        tag=tag,
    )
    found = service.store.read(read.page, filter).views
    lines = [_line(view) for view in found]
    rows = [summary(view) for view in found]
    say(as_json, rows, *lines, UTC_NOTE if found else "No verification matches.")


def id_of(store: Store, text: str) -> str:
    """The id of the verification that `text` names: by its id, the beginning of its id, a sid, or a
    phone number in international form, of which it finds the newest. Raises UnknownVerification."""
    if not text.strip():
        raise UnknownVerification("No id is given. Name one, the beginning of one, or a number.")
    named = store.read(search.named, text)
    if named is not None:
        return named
    begins = store.read(read.page, ListFilter(limit=2, id_prefix=text)).views
    if len(begins) == 1:
        return begins[0].verification.id
    if len(begins) > 1:
        raise UnknownVerification(f"Several ids begin with {text}. Give more of it.")
    newest = store.read(read.newest_of, _international(text))
    if newest is None:
        raise UnknownVerification(
            "No verification has this id or number. A number is given in international form, such"
            " as +14255550123."
        )
    return newest.id


def id_shown(service: Service, text: str) -> str:
    """The same, for a command that changes nothing: a number may be written as it is dialled in
    the service's own country. Raises UnknownVerification."""
    try:
        return id_of(service.store, text)
    except UnknownVerification:
        number = _found_number(service, text)
        if number is None:
            raise
        return id_of(service.store, number)


def _international(text: str) -> tuple[str, ...]:
    try:
        return phone.known_as(text)
    except InvalidNumber:
        return ()


def _number(service: Service, text: str) -> str:
    """The number in the spelling it is stored under. Raises InvalidNumber, CannotReceiveTexts."""
    return _found_number(service, text) or phone.parse(text).number


def _found_number(service: Service, text: str) -> str | None:
    """The stored number that a text means, in international form or as it is dialled at home."""
    home = service.settings.home_country
    spellings = [
        Interpretation(By.NUMBER, number) for number in phone_search.may_be(text, home=home)
    ]
    found = service.store.read(search.found, spellings)
    return found[0].value if found else None


def outcome_in_words(view: VerificationView) -> str:
    """Describes the outcome on one line: the status, and the cause unless it was approved."""
    outcome = view.verification.outcome
    if outcome is None:
        return words.STAGE_WORDS[view.verification.stage]
    parts = [words.STATUS_WORDS[outcome.status]]
    if outcome.cause is not Cause.ANSWERED:
        parts.append(words.CAUSES[outcome.cause])
    if outcome.cause is Cause.TERMINATED and outcome.reason:
        parts.append(outcome.reason)
    if outcome.error_code:
        parts.append(words.error_in_words(outcome.error_code).strip())
    return ": ".join(parts)


def _line(view: VerificationView) -> str:
    v = view.verification
    tagged = f"  {v.tag}" if v.tag else ""
    began = clock(v.created_at)
    return f"{began}  {v.id}  {v.phone:<16}  {outcome_in_words(view)}{tagged}"
