"""Commands on outcome webhooks: their endpoints and events."""

from datetime import UTC, datetime
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from bot import service as services
from bot.domain.operators import COMMAND_CALLER, Action
from bot.explanations import webhooks as explained
from bot.explanations.instants import clock
from bot.faces.cli.operator import audited, operator
from bot.faces.cli.output import INSTANT, counted, json_option, say
from bot.store.rows import to_text, to_text_or_none
from bot.store.tx import Store
from bot.store.webhook_events import EventState
from bot.usecases import webhooks
from bot.usecases.webhooks import EndpointView, EventView

SHOWN = 20

webhooks_group = AppGroup("webhooks", help="Webhook endpoints, and the events sent to them.")

WHILE = "while a dispatcher runs and its endpoint is set and enabled"


def _store() -> Store:
    return services.of(current_app).store


@webhooks_group.command("list")
@click.option("--failed", is_flag=True, help="Only events that failed for good.")
@click.option("--limit", default=SHOWN, show_default=True, type=click.IntRange(1, 1000))
@json_option
@with_appcontext
def list_webhooks(failed: bool, limit: int, as_json: bool) -> None:
    """List the endpoints, then the newest events. Times are UTC."""
    endpoints = _store().read(webhooks.endpoints)
    state = EventState.FAILED if failed else None
    events = _store().read(webhooks.newest, limit=limit, state=state)
    if as_json:
        rows = [_of_endpoint(view) for view in endpoints]
        say(as_json, {"endpoints": rows, "events": [_of_event(view) for view in events]})
        return
    if not any(view.endpoint.is_configured for view in endpoints):
        click.echo(explained.NOT_SET)
    for view in endpoints:
        click.echo(_endpoint(view))
    click.echo("" if events else "\nNo event has failed." if failed else "\nThere are no events.")
    for event in events:
        click.echo(_event(event))


@webhooks_group.command("test")
@json_option
@with_appcontext
def send_test(as_json: bool) -> None:
    """Send a test event to each endpoint."""
    count = audited(Action.WEBHOOKS_TESTED).write(webhooks.send_test, sent_by=COMMAND_CALLER)
    if not count:
        raise click.ClickException(explained.NOT_SET)
    sentence = f"{counted(count, 'test event')} will be sent {WHILE}."
    say(as_json, {"events": count}, sentence)


@webhooks_group.command("resend")
@click.argument("id", required=False)
@click.option("--failed-since", type=INSTANT, help="UTC, such as 2026-01-31T09:30.")
@json_option
@with_appcontext
def resend(id: str | None, failed_since: datetime | None, as_json: bool) -> None:
    """Send one event again, or all that failed since a time, with their ids."""
    if (id is None) == (failed_since is None):
        raise click.UsageError("Name either the id of an event or --failed-since.")
    if failed_since is not None:
        _resend_failed(failed_since.replace(tzinfo=UTC), as_json)
    elif id is not None:
        audited(Action.EVENT_REPLAYED, detail=id).write(
            webhooks.replay, id, operator=operator().name
        )
        say(as_json, {"events": 1}, f"The event will be sent again {WHILE}.")


@webhooks_group.command("enable")
@click.argument("endpoint_id")
@json_option
@with_appcontext
def enable(endpoint_id: str, as_json: bool) -> None:
    """Enable a disabled endpoint and send the events that wait for it."""
    found = {view.endpoint.id: view for view in _store().read(webhooks.endpoints)}
    view = found.get(endpoint_id)
    if view is not None and view.endpoint.disabled_at is None:
        say(as_json, {"enabled": False}, f"{view.name} is not disabled.")
        return
    # For an unknown id the use case raises the refusal, as it does for the console.
    generation = view.endpoint.generation if view else 0
    as_operator = audited(Action.ENDPOINT_ENABLED, detail=endpoint_id)
    webhooks.enable_and_send(_store(), as_operator, endpoint_id, generation=generation)
    sentence = (
        "Enabled. Its waiting events will be sent while a dispatcher runs, if WEBHOOK_URLS still"
        " contains the endpoint."
    )
    say(as_json, {"enabled": True}, sentence)


@webhooks_group.command("move")
@click.argument("from_endpoint_id")
@click.argument("to_endpoint_id")
@json_option
@with_appcontext
def move(from_endpoint_id: str, to_endpoint_id: str, as_json: bool) -> None:
    """Send what an endpoint that is no longer set has not received to one that is set."""
    as_operator = audited(Action.EVENTS_MOVED, detail=f"{from_endpoint_id} {to_endpoint_id}")
    count = webhooks.move_all(
        _store(), as_operator, from_endpoint_id, to_endpoint_id, operator=operator().name
    )
    sentence = f"{counted(count, 'event')} will be sent to the other endpoint {WHILE}."
    say(as_json, {"events": count}, sentence if count else "No event waits for that endpoint.")


def _resend_failed(since: datetime, as_json: bool) -> None:
    count = audited(Action.FAILED_EVENTS_REPLAYED).write(
        webhooks.replay_failed, since=since, operator=operator().name
    )
    if not count:
        sentence = "No event has failed since then."
    else:
        sentence = f"{counted(count, 'event')} will be sent again {WHILE}."
    if count == webhooks.REPLAYED_AT_ONCE:
        sentence += " There may be more: run this again."
    say(as_json, {"events": count}, sentence)


def _endpoint(view: EndpointView) -> str:
    sentence = f"{view.state}. {explained.endpoint_in_words(view)}".strip()
    return (
        f"{view.endpoint.id}  {view.name}  {sentence} Events that wait: {explained.waiting(view)}."
    )


def _of_endpoint(view: EndpointView) -> dict[str, Any]:
    endpoint = view.endpoint
    return {
        "id": endpoint.id,
        "host": view.name,
        "state": view.state.value,
        "failingSince": to_text_or_none(endpoint.failing_since),
        "disabledAt": to_text_or_none(endpoint.disabled_at),
        "pending": view.pending,
    }


def _of_event(view: EventView) -> dict[str, Any]:
    event = view.event
    return {
        "id": event.id,
        "type": event.type,
        "state": event.state.value,
        "createdAt": to_text(event.created_at),
        "verificationId": event.verification_id,
        "host": view.name,
        "tries": view.tries,
        "lastResult": event.last_result,
        "lastStatus": event.last_status,
        "dueAt": to_text_or_none(event.due_at),
    }


def _event(view: EventView) -> str:
    event = view.event
    tries = counted(view.tries, "try", "tries")
    return "\n".join(
        [
            f"{clock(event.created_at)}  {event.id}  {event.type}  {event.state.value}",
            f"    verification {event.verification_id or 'none'}, to {view.name}",
            f"    {tries}. {explained.last_answer(view)} Next try: {explained.next_try(view)}.",
        ]
    )
