"""Tracks until when all processes have judged their replies, so that no verification expires before
a reply that another process received is judged.

A process that dies, hangs or loses the database leaves replies unread, and the others notice
nothing. So while a verification is pending, each process that serves writes down twice a second
that it runs, and until when it has judged what reached it; at its start and while nothing is
pending, every ten seconds, so that the others know of it. A verification ends by its deadline once
all have judged what came before. If a process has not written for three seconds, the others read
Twilio's list whenever a verification is due. Once they have read it two minutes after the process's
newest beat, they remove its row, unless no other process serves: by then Twilio's requests reach
other processes.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from bot.store import heartbeats, verifications
from bot.store.tx import Done, Tx

EVERY_SECONDS = 0.5
IDLE_SECONDS = 10.0  # while nothing is pending
SILENT_AFTER = timedelta(seconds=3)
# A process that runs has written within this time.
RUNNING_WITHIN = timedelta(seconds=IDLE_SECONDS) + SILENT_AFTER
GONE_AFTER = timedelta(minutes=2)
LISTED_AFTER = timedelta(seconds=10)  # Twilio's list may show a reply that late
# How long a verification waits beyond its deadline for another process, at most: if Twilio is down,
# verifications still end.
EXPIRY_WAITS = timedelta(seconds=10)

# Until when every reply that had been sent is judged; asked inside the transaction.
JudgedUntil = Callable[[Tx], datetime]


def assume_all_judged(tx: Tx) -> datetime:
    """Stands for `judged_until` in use cases that need not wait for missed replies."""
    return tx.now


def judged_until(tx: Tx, process: str) -> datetime:
    """The instant until which all processes but this one have judged their replies."""
    until = heartbeats.judged_until(tx, but=process)
    return tx.now if until is None else max(until, tx.now - EXPIRY_WAITS)


def beat(
    tx: Tx,
    process: str,
    *,
    serves: bool,
    is_idle_due: bool = False,
    lag: Callable[[], timedelta | None],
) -> Done[int]:
    """Writes down that this process runs, if it serves and a verification is pending, or
    `is_idle_due`. Returns how many silent processes a due verification waits for.

    `lag`: the age of the oldest reply that may still be under way, or None if replies were missed.
    """
    due_at = verifications.next_due_at(tx)
    if due_at is None and not is_idle_due:
        return Done(0)
    now = tx.now
    behind = lag()  # after `now`: a reply may be refused, or a halt noticed, until then
    until = None if behind is None else now - behind
    if serves:
        heartbeats.beat(tx, process, judged_until=until, unknown=now - GONE_AFTER)
    heartbeats.remove_gone(tx, after=GONE_AFTER, longest=verifications.LONGEST_OPEN)
    if due_at is None or due_at > now or judged_until(tx, process) >= due_at:
        return Done(0)
    return Done(heartbeats.count_silent(tx, but=process, before=now - SILENT_AFTER))


def caught_up(tx: Tx, *, until: datetime) -> Done[None]:
    """Records that Twilio's list was read up to `until`, for the replies to all processes."""
    heartbeats.advance(tx, to=until)
    return Done(None)


def leave(tx: Tx, process: str) -> Done[None]:
    """Removes a process that has answered its last request. If no other serves, its row stays, so
    that verifications wait for replies that come before the next process starts."""
    tx.lock_name("heartbeat")  # of two that leave at once, the second sees that it is alone
    heartbeats.remove(
        tx,
        process,
        unless_alone_since=tx.now - RUNNING_WITHIN,
        latest=tx.now + SILENT_AFTER,
        gone=GONE_AFTER - LISTED_AFTER,
    )
    return Done(None)
