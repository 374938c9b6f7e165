"""The texts as phones get them, in every language."""

from dataclasses import asdict
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext

from bot import service as services
from bot.faces.cli.output import counted, json_option, say
from bot.settings.shown_texts import ShownText, shown


@click.command()
@click.option("--language", help="Show only this language.")
@json_option
@with_appcontext
def texts(language: str | None, as_json: bool) -> None:
    """Show the texts of each language, with encoding, units and segments."""
    rows = shown(services.settings_of(current_app))
    if language:
        rows = [row for row in rows if row.language.lower() == language.lower()]
        if not rows:
            raise click.ClickException(f"There is no language {language}.")
    if as_json:
        say(as_json, [_row(row) for row in rows])
        return
    for row in rows:
        note = "" if row.is_offered else "  not offered: too long"
        click.echo(
            f"{row.language:8} {row.style:6} {row.encoding:6} {row.units:4} units,"
            f" {counted(row.segments, 'segment')}{note}"
        )
        click.echo(f"         {row.text}")


def _row(shown_text: ShownText) -> dict[str, Any]:
    row = asdict(shown_text)
    row["isOffered"] = row.pop("is_offered")
    row["isRightToLeft"] = row.pop("is_right_to_left")
    return row
