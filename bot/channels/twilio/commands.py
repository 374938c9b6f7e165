"""`flask number`: the webhook of the sending number or Messaging Service at Twilio."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from bot import service
from bot.channels.twilio import number
from bot.settings import Settings

number_group = AppGroup("number", help="The webhook of the sending number or Messaging Service.")
COMMANDS: tuple[click.Command, ...] = (number_group,)


_json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@number_group.command("check")
@_json_option
@with_appcontext
def number_check(as_json: bool) -> None:
    """Compare the webhook at Twilio with this service's. Exit code 0: it is right."""
    _print_webhook(number.check, as_json=as_json)


@number_group.command("set")
@_json_option
@with_appcontext
def number_set(as_json: bool) -> None:
    """Set the webhook to this service, and list the changes.

    For a Messaging Service, sets the service's own webhook, which then applies to its whole pool.
    """
    _print_webhook(number.set_webhook, as_json=as_json)


def _print_webhook(look: Callable[[Settings], number.Webhook], *, as_json: bool) -> None:
    settings = service.settings_of(current_app)
    try:
        webhook = look(settings)
    except number.WebhookUnreadable as error:
        raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(json.dumps({"isRight": not webhook.faults, **asdict(webhook)}, indent=2))
        sys.exit(1 if webhook.faults else 0)
    for change in webhook.changes:
        click.echo(f"Changed {change}")
    for warning in webhook.warnings:
        click.echo(f"Warning: {warning}", err=True)
    if webhook.faults:
        raise click.ClickException("; ".join(webhook.faults))
    what = "number" if settings.twilio_phone_number else "Messaging Service"
    click.echo(f"Texts to the {what} are posted to {webhook.url}")
