"""Refusals and an unavailable database, as a command tells them: in one line."""

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from bot.domain.errors import Refusal
from bot.store.tx import StoreUnavailable


@contextmanager
def told() -> Iterator[None]:
    """Raises click.ClickException in place of them."""
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.code}: {refusal.sentence}") from None
    except StoreUnavailable as error:
        raise click.ClickException(error.sentence) from None


def telling(command: click.Command) -> click.Command:
    """The command, or each of a group, within `told`."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            telling(one)
    elif command.callback is not None:
        command.callback = _within_told(command.callback)
    return command


def _within_told(callback: Any) -> Any:
    @functools.wraps(callback)
    def called(*args: Any, **more: Any) -> Any:
        with told():
            return callback(*args, **more)

    return called
