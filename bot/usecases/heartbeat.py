"""Which replies all processes have judged, so that none that another process missed is expired.

A process that is killed, halted or cut off from the database leaves replies unread, and the others
notice nothing. So while a verification is pending, each process writes down twice a second that it
has judged what reached it; during an outage of its own, and until it has read what it missed, it
does not. A verification ends by its deadline once all have written after it. A process that falls
silent has died or is halted: another one reads Twilio's list in its place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store import heartbeats, verifications
from bot.store.tx import Done, Tx

EVERY_SECONDS = 0.5
# A process is silent if it has written nothing for so long while a verification was pending.
SILENT_AFTER = timedelta(seconds=3)
# The longest time that expiry waits for a process: if Twilio is down, verifications still end.
EXPIRY_WAITS = timedelta(seconds=10)

# Until when every reply that had been sent is judged; asked inside the transaction.
JudgedUntil = Callable[[Tx], datetime]


def everything(tx: Tx) -> datetime:
    """For use cases that expire nothing, or need not wait for missed replies."""
    return tx.now


def judged_until(tx: Tx, process: str) -> datetime:
    """By all processes but this one."""
    until = heartbeats.oldest_of_others(tx, process, since=tx.now - EXPIRY_WAITS)
    return tx.now if until is None else until


@dataclass(frozen=True, slots=True)
class Beat:
    is_pending: bool  # a verification is
    silent: list[str]  # other processes that have not written for SILENT_AFTER


def beat(tx: Tx, process: str, *, is_caught_up: Callable[[], bool]) -> Done[Beat]:
    """Writes nothing while no verification is pending, and where this process has missed replies:
    `is_caught_up` is asked inside the transaction, since one may be refused just before it."""
    is_pending = verifications.has_pending(tx)
    if is_pending and is_caught_up():
        heartbeats.beat(tx, process)
    silent = heartbeats.silent(tx, process, since=tx.now - SILENT_AFTER) if is_pending else []
    return Done(Beat(is_pending, silent))


def caught_up(tx: Tx, *, until: datetime, silent: Sequence[str]) -> Done[None]:
    """Twilio's list was read until then, whichever process a reply was sent to."""
    heartbeats.advance(tx, to=until)
    heartbeats.remove(tx, silent)
    return Done(None)


def leave(tx: Tx, process: str) -> Done[None]:
    """A process that has answered its last request is not waited for."""
    heartbeats.remove(tx, [process])
    return Done(None)
