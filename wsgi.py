"""The entry for gunicorn and for `flask`."""

import os
import sys

import click

from bot import settings
from bot.app import create_app, create_commands
from bot.server import reload
from bot.store.tx import UnusableDatabase

# The flask command that imports this module; None under gunicorn.
context = click.get_current_context(silent=True)
command = context.info_name if context is not None else None
if command == "run":
    # It would answer, send nothing, and log addresses with keys in them.
    sys.exit(
        "flask run cannot serve Textback. Run gunicorn wsgi:app, or make run with a simulator."
    )

if command in (None, "routes", "shell"):  # the last two show what is served
    try:
        app = create_app(
            settings.read(reload.in_use or settings.with_file(os.environ)),
            serves=command is None,
        )
    except (settings.SettingsError, UnusableDatabase) as error:
        sys.exit(str(error))
else:
    app = create_commands(
        lambda: settings.with_file(os.environ), prepares_database=command == "dispatch"
    )
