"""Which replies all processes have judged, so that none that another process missed is expired.

A process that dies, hangs or loses the database leaves replies unread, and the others notice
nothing. So while a verification is pending, each process writes down twice a second that it runs,
and until when it has judged what reached it. A verification ends by its deadline once all have
judged what came before. Where one has written nothing for three seconds, another one reads Twilio's
list in its place whenever a verification is due; for two minutes, since by then Twilio's requests
go elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.store import heartbeats, verifications
from bot.store.tx import Done, Tx

EVERY_SECONDS = 0.5
SILENT_AFTER = timedelta(seconds=3)
GONE_AFTER = timedelta(minutes=2)
# A process that starts takes the place of one that has written nothing for so long.
REPLACED_AFTER = timedelta(seconds=1.5)
# How long a verification waits beyond its deadline for another process, at most: if Twilio is down,
# verifications still end.
EXPIRY_WAITS = timedelta(seconds=10)

# Until when every reply that had been sent is judged; asked inside the transaction.
JudgedUntil = Callable[[Tx], datetime]


def everything(tx: Tx) -> datetime:
    """For use cases that expire nothing, or need not wait for missed replies."""
    return tx.now


def judged_until(tx: Tx, process: str) -> datetime:
    """The instant until which all processes but this one have judged their replies."""
    until = heartbeats.judged_until(tx, but=process, since=tx.now - GONE_AFTER)
    return tx.now if until is None else max(until, tx.now - EXPIRY_WAITS)


@dataclass(frozen=True, slots=True)
class Beat:
    silent: int  # other processes whose missed replies a verification that is due waits for


def beat(tx: Tx, process: str, *, lag: Callable[[], timedelta | None]) -> Done[Beat]:
    """Writes nothing while no verification is pending. `lag`: the age of the oldest reply that may
    still be under way, or None if replies were missed; asked inside the transaction, since one may
    be refused just before it."""
    due_at = verifications.next_due_at(tx)
    if due_at is None:
        return Done(Beat(0))
    behind = lag()
    until = None if behind is None else tx.now - behind
    heartbeats.beat(tx, process, judged_until=until)
    heartbeats.remove(tx, before=tx.now - GONE_AFTER)
    if due_at > tx.now or judged_until(tx, process) >= due_at:
        return Done(Beat(0))
    between = (tx.now - GONE_AFTER, tx.now - SILENT_AFTER)
    return Done(Beat(heartbeats.count_silent(tx, but=process, between=between)))


def caught_up(tx: Tx, *, until: datetime, is_first: bool) -> Done[None]:
    """Twilio's list was read until then, whichever process a reply was sent to. `is_first`: by a
    process that has just started."""
    heartbeats.advance(tx, to=until)
    if is_first:
        heartbeats.remove(tx, before=tx.now - REPLACED_AFTER)
    return Done(None)
