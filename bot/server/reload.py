"""The environment that gunicorn's processes run with. A reload (SIGHUP) with unusable settings
keeps the earlier environment: a mistake in a file must not end a service that runs."""

import logging
from collections.abc import Callable, Mapping

from bot import settings
from bot.settings import Reading

log = logging.getLogger(__name__)

# Kept in gunicorn's first process, which reads its configuration at each reload. The processes that
# it forks inherit it.
_in_use: Mapping[str, str] | None = None


def renew(read_environment: Callable[[], Mapping[str, str]]) -> Reading:
    """The settings to go on with: those of the environment, or the earlier ones if they are
    unusable. At a start there are no earlier ones."""
    global _in_use
    environment: Mapping[str, str] = {}
    try:
        environment = read_environment()
        reading = settings.look(environment)
    except settings.SettingsError as error:  # the file cannot be read
        reading = Reading(None, (str(error),), ())
    if reading.settings is None and _in_use is not None:
        log.error("the settings cannot be used, so the earlier ones stay: %s", reading.told)
        return settings.look(_in_use)
    _in_use = environment
    return reading


def in_use() -> Mapping[str, str] | None:
    """The settings in use; None if gunicorn did not start this process."""
    return _in_use
