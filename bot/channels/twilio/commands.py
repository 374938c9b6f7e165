"""`flask number`: the webhook of the sending number at Twilio."""

from collections.abc import Callable

import click
from flask import current_app
from flask.cli import AppGroup, with_appcontext

from bot import service
from bot.channels.twilio import number
from bot.settings import Settings

number_group = AppGroup("number", help="The webhook of the sending number at Twilio.")


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


def _tell_webhook(look: Callable[[Settings], number.Webhook]) -> None:
    try:
        webhook = look(service.of(current_app).settings)
    except number.NumberUnknown as error:
        raise click.ClickException(str(error)) from None
    for warning in webhook.warnings:
        click.echo(f"Warning: {warning}", err=True)
    if webhook.faults:
        raise click.ClickException("; ".join(webhook.faults))
    click.echo(f"Texts to the number are posted to {webhook.url}")
