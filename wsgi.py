"""The entry for gunicorn and for `flask`."""

import os
import sys

import click

from bot import settings
from bot.app import create_app
from bot.store.tx import UnusableDatabase

context = click.get_current_context(silent=True)
if context is not None and context.info_name == "run":
    # It would answer, send nothing, and log addresses with keys in them.
    sys.exit("flask run serves no Textback. Run gunicorn wsgi:app, or make run with a simulator.")

try:
    app = create_app(settings.read(settings.with_file(os.environ)))
except (settings.SettingsError, UnusableDatabase) as error:
    sys.exit(str(error))
