"""How many files a process may open: each connection is one."""

import resource
import sys

from bot.dispatch.notify import CALLS_PER_ENDPOINT
from bot.settings import Settings
from bot.store.sqlite import READERS_AT_ONCE

FILES_OF_OURS = 24  # besides connections, calls and readers; an idle process has fifteen open
FILES_OF_A_CALL = 2  # its connection, and the descriptor by which it can be cut
FILES_OF_A_READER = 2  # SQLite's file and its log
SPARE_FILES = 300  # for many connections to PostgreSQL, where the system allows them
FEWEST_CONNECTIONS = 50  # with fewer, Twilio and a few callers would refuse each other


class TooLow(Exception):
    """The limit leaves too few connections."""


def current() -> int:
    """How many files this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def of_ours(settings: Settings) -> int:
    """How many files there may be beside connections."""
    calls = settings.send_concurrency + CALLS_PER_ENDPOINT * len(settings.webhook_urls)
    is_file = settings.database_url.startswith("sqlite:")
    readers = FILES_OF_A_READER * READERS_AT_ONCE
    database = readers if is_file else settings.database_connections
    return FILES_OF_OURS + FILES_OF_A_CALL * calls + database


def make_room(settings: Settings) -> str | None:
    """Raises the limit of this process and those it forks, as far as the system allows. Returns a
    warning if fewer than CONNECTIONS fit. Raises TooLow."""
    connections, ours = settings.connections, of_ours(settings)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + ours + SPARE_FILES
    if current() < needed:
        raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    fit = allowed(settings)
    if fit < min(connections, FEWEST_CONNECTIONS):
        raise TooLow(
            f"this process may open {current()} files, which leaves too few for connections:"
            f" at least {ours + FEWEST_CONNECTIONS} are needed, {needed} for"
            f" CONNECTIONS={connections} (ulimit -n, LimitNOFILE= of systemd)"
        )
    if fit < connections:
        return (
            f"this process may open {current()} files, so it serves {fit} connections at once in"
            f" place of CONNECTIONS={connections} (ulimit -n, LimitNOFILE= of systemd)"
        )
    return None


def allowed(settings: Settings) -> int:
    """How many connections there may be: CONNECTIONS, or as many as the limit leaves."""
    return min(settings.connections, current() - of_ours(settings))
