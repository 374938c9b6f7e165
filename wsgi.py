"""The entry for gunicorn and for `flask`."""

import os
import sys

from bot import settings
from bot.app import create_app
from bot.store.tx import UnusableDatabase

try:
    app = create_app(settings.read(os.environ))
except (settings.SettingsError, UnusableDatabase) as error:
    sys.exit(str(error))
