"""Refusals, as a command tells them."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from bot.domain.errors import Refusal


@contextmanager
def told() -> Iterator[None]:
    """Raises click.ClickException in place of a refusal."""
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(f"{refusal.code}: {refusal.sentence}") from None
