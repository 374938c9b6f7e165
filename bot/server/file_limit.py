"""How many files a process may open: each connection is one."""

import resource
import sys

FILES_OF_OURS = 200  # of the database, of Twilio, of the log
SPARE_FILES = 300  # for many connections to PostgreSQL, where the system allows them
FEWEST_CONNECTIONS = 50  # with fewer, Twilio and a few callers would refuse each other


class TooLow(Exception):
    """The limit leaves too few connections."""


def current() -> int:
    """How many files this process may open."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return sys.maxsize if soft == resource.RLIM_INFINITY else soft


def make_room(connections: int) -> str | None:
    """Raises the limit of this process and those it forks, as far as the system allows. Returns a
    warning if fewer than these connections fit. Raises TooLow."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + FILES_OF_OURS + SPARE_FILES
    if current() < wanted:
        raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    fit = allowed(connections)
    if fit < min(connections, FEWEST_CONNECTIONS):
        raise TooLow(
            f"this process may open {current()} files, which leaves too few for connections:"
            f" at least {FILES_OF_OURS + FEWEST_CONNECTIONS} are needed, {wanted} for"
            f" CONNECTIONS={connections} (ulimit -n, LimitNOFILE= of systemd)"
        )
    if fit < connections:
        return (
            f"this process may open {current()} files, so it serves {fit} connections at once in"
            f" place of CONNECTIONS={connections} (ulimit -n, LimitNOFILE= of systemd)"
        )
    return None


def allowed(connections: int) -> int:
    """How many connections there may be: these, or as many as the limit leaves."""
    return min(connections, current() - FILES_OF_OURS)
