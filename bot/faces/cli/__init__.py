"""Commands for the operator, all of them behind `flask`."""

import click

from bot.faces.cli.audit import audit
from bot.faces.cli.check import check_command
from bot.faces.cli.errors import reporting_errors
from bot.faces.cli.limits import limits_group, optout_group
from bot.faces.cli.listing import list_newest
from bot.faces.cli.operation import (
    clock_group,
    dispatch,
    version,
)
from bot.faces.cli.texts import texts
from bot.faces.cli.verifications import cancel, forget, resend, show, start
from bot.faces.cli.webhooks import webhooks_group

__all__ = ["COMMANDS", "check_command"]

COMMANDS: tuple[click.Command, ...] = tuple(
    reporting_errors(command)
    for command in (
        start,
        resend,
        cancel,
        show,
        list_newest,
        forget,
        dispatch,
        clock_group,
        limits_group,
        optout_group,
        webhooks_group,
        audit,
        texts,
        version,
    )
)
