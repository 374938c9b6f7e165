"""Refusals and an unavailable database, as every command tells them: in one line."""

import functools
from typing import Any

import click

from bot.domain.errors import Refusal
from bot.store.tx import StoreUnavailable


def telling(command: click.Command) -> click.Command:
    """The command, or each of a group, raising click.ClickException in place of them."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            telling(one)
    elif command.callback is not None:
        command.callback = _telling(command.callback)
    return command


def _telling(callback: Any) -> Any:
    @functools.wraps(callback)
    def called(*args: Any, **more: Any) -> Any:
        try:
            return callback(*args, **more)
        except Refusal as refusal:
            raise click.ClickException(f"{refusal.code}: {refusal.sentence}") from None
        except StoreUnavailable as error:
            raise click.ClickException(error.sentence) from None

    return called
