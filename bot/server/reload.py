"""The environment that gunicorn's processes run with. A reload (SIGHUP) with unusable settings
keeps the earlier environment: a mistake in a file must not end a service that runs."""

import logging
import socket
from collections.abc import Callable, Mapping, MutableMapping

from bot import settings
from bot.settings import Settings, SettingsCheck
from bot.store.opening import schema_version
from bot.store.tx import UnusableDatabase

log = logging.getLogger(__name__)

# The environment in use; None if gunicorn did not start this process. Kept in gunicorn's first
# process, which reads its configuration at each reload. The processes that it forks inherit it.
in_use: Mapping[str, str] | None = None

PROXIES = ("https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY")
_proxies: list[str] = []  # those that `use_proxies` has set


def renew(read_environment: Callable[[], Mapping[str, str]]) -> SettingsCheck:
    """The settings to go on with: those of the environment, or the earlier ones if they are
    unusable. At a start there are no earlier ones."""
    global in_use
    environment: Mapping[str, str] = {}
    try:
        environment = read_environment()
        checked = settings.validate(environment)
    except settings.SettingsError as error:  # the file cannot be read
        checked = SettingsCheck(None, (str(error),), ())
    if in_use is not None:
        earlier = settings.validate(in_use)
        try:
            fault = _fault(checked, earlier)
        except Exception as error:  # whatever it is, a reload must not end a service
            fault = f"they cannot be checked ({type(error).__name__})"
        if fault:
            log.error("the settings cannot be used, so the earlier ones stay: %s", fault)
            return earlier
    in_use = environment
    return checked


def _fault(checked: SettingsCheck, earlier: SettingsCheck) -> str | None:
    """Returns why a running service cannot change to these settings. Checks beforehand what would
    end gunicorn; settings that stay the same are in use and are not checked."""
    if checked.settings is None or earlier.settings is None:
        return checked.message
    wanted, running = checked.settings, earlier.settings
    if wanted.database_url != running.database_url:
        try:
            schema_version(wanted.database_url)
        except UnusableDatabase as error:
            return str(error)
    if (wanted.host, wanted.port) != (running.host, running.port):
        return _refusal_to_listen(wanted)
    return None


def _refusal_to_listen(wanted: Settings) -> str | None:
    family = socket.AF_INET6 if ":" in wanted.host else socket.AF_INET
    try:
        socket.create_server((wanted.host, wanted.port), family=family).close()
    except OSError as error:
        return f"HOST and PORT cannot be listened on: {wanted.host}:{wanted.port}: {error.strerror}"
    return None


def drop_proxies(process: MutableMapping[str, str]) -> None:
    """Takes the proxies of an earlier load out of the environment of this process."""
    while _proxies:
        process.pop(_proxies.pop(), None)


def use_proxies(process: MutableMapping[str, str]) -> None:
    """Puts proxies that only the file .env names into the environment of this process, where
    libraries look for them."""
    own = {name.lower() for name in process}
    for name in PROXIES:
        value = (in_use or {}).get(name)
        if value and name.lower() not in own:
            process[name] = value
            _proxies.append(name)
