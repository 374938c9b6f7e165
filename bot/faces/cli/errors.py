"""Makes every command report refusals and an unavailable database in one line."""

import functools
import io
import sys
from typing import Any

import click

from bot.domain.errors import Refusal
from bot.store.rows import UnreadableRow
from bot.store.tx import StoreUnavailable


def reporting_errors(command: click.Command) -> click.Command:
    """Makes the command, or each of a group, raise click.ClickException instead."""
    if isinstance(command, click.Group):
        for one in command.commands.values():
            reporting_errors(one)
    elif command.callback is not None:
        command.callback = _reporting_errors(command.callback)
    return command


def _reporting_errors(callback: Any) -> Any:
    @functools.wraps(callback)
    def called(*args: Any, **kwargs: Any) -> Any:
        for name, value in kwargs.items():
            if isinstance(value, str) and not value.isascii():
                _require_text(name, value)
        _escape_what_cannot_be_shown()
        try:
            return callback(*args, **kwargs)
        except Refusal as refusal:
            raise click.ClickException(f"{refusal.code}: {refusal.sentence}") from None
        except StoreUnavailable as error:
            raise click.ClickException(error.sentence) from None
        except BrokenPipeError:  # its reader has what it wanted
            raise
        except OSError as error:
            raise click.ClickException(f"something cannot be read or written: {error}") from None
        except UnreadableRow as error:
            raise click.ClickException(f"{error}; docs/operations.md says what to do") from None

    return called


def _escape_what_cannot_be_shown() -> None:
    """Otherwise a single character that the terminal's encoding lacks would abort a list."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _require_text(name: str, value: str) -> None:
    """An argument in another encoding than the terminal's arrives as surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise click.BadParameter("it is not valid UTF-8", param_hint=name) from None
