"""Commands on outcome webhooks: their endpoints and events."""

from datetime import UTC, datetime

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from bot import service as services
from bot.faces.cli.errors import told
from bot.store.tx import Store
from bot.store.webhook_events import EventState
from bot.usecases import notify, webhooks
from bot.usecases.webhooks import EndpointView, EventView

SHOWN = 20
INSTANTS = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])

webhooks_group = AppGroup("webhooks", help="Applications that are told of outcomes.")


def _store() -> Store:
    return services.of(current_app).store


@webhooks_group.command("list")
@click.option("--failed", is_flag=True, help="Events that failed for good alone.")
@click.option("--limit", default=SHOWN, show_default=True, type=click.IntRange(1, 1000))
@with_appcontext
def list_webhooks(failed: bool, limit: int) -> None:
    """List the endpoints, then the newest events."""
    found = _store().read(webhooks.endpoints)
    if not any(view.endpoint.is_configured for view in found):
        click.echo(webhooks.NOT_SET)
    for view in found:
        click.echo(_endpoint(view))
    state = EventState.FAILED if failed else None
    events = _store().read(webhooks.newest, limit=limit, state=state)
    click.echo("" if events else "\nNo event has failed." if failed else "\nThere are no events.")
    for event in events:
        click.echo(_event(event))


@webhooks_group.command("test")
@with_appcontext
def send_test() -> None:
    """Send a test event to each endpoint."""
    count = _store().write(notify.send_test, sent_by="cli")
    if not count:
        raise click.ClickException(webhooks.NOT_SET)
    click.echo(f"{_events(count, 'A test event')} will be sent while a dispatcher runs.")


@webhooks_group.command("resend")
@click.argument("id", required=False)
@click.option("--failed-since", type=INSTANTS, help="UTC, such as 2026-01-31T09:30.")
@with_appcontext
def resend(id: str | None, failed_since: datetime | None) -> None:
    """Send one event again, or all that failed since a time, with their ids."""
    if (id is None) == (failed_since is None):
        raise click.UsageError("Name either the id of an event or --failed-since.")
    if failed_since is not None:
        _resend_failed(failed_since.replace(tzinfo=UTC))
    elif id is not None:
        with told():
            _store().write(notify.resend, id)
        click.echo("The event will be sent again while a dispatcher runs.")


@webhooks_group.command("enable")
@click.argument("endpoint_id")
@with_appcontext
def enable(endpoint_id: str) -> None:
    """Go on sending to an endpoint that is disabled, first what waits for it."""
    found = {view.endpoint.id: view for view in _store().read(webhooks.endpoints)}
    view = found.get(endpoint_id)
    if view is not None and view.endpoint.disabled_at is None:
        click.echo(f"{view.name} is not disabled.")
        return
    # An unknown one is refused by the use case, as the console's is.
    generation = view.endpoint.generation if view else 0
    with told():
        _store().write(notify.enable, endpoint_id, generation=generation)
    click.echo("Enabled: what waits for it will be sent while a dispatcher runs.")


def _resend_failed(since: datetime) -> None:
    count = _store().write(notify.resend_failed, since=since)
    if not count:
        click.echo("No event has failed since then.")
        return
    click.echo(f"{_events(count, '1 event')} will be sent again while a dispatcher runs.")
    if count == notify.RESENT_AT_ONCE:
        click.echo("There may be more: run this again.")


def _endpoint(view: EndpointView) -> str:
    said = f"{view.state}. {view.standing}".strip()
    return f"{view.endpoint.id}  {view.name}  {said} Events that wait: {view.waiting}."


def _event(view: EventView) -> str:
    event = view.event
    tries = "1 try" if view.tries == 1 else f"{view.tries} tries"
    return "\n".join(
        [
            f"{event.created_at:%Y-%m-%d %H:%M:%S}  {event.id}  {event.type}  {event.state.value}",
            f"    verification {event.verification_id or 'none'}, to {view.name}",
            f"    {tries}. {view.answer} Next try: {view.next_try}.",
        ]
    )


def _events(count: int, one: str) -> str:
    return one if count == 1 else f"{count} events"
