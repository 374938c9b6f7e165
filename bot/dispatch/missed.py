"""Reads the texts that were missed from Twilio's list, and judges each as of when it was sent."""

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from bot.channels.gateway import Gateway, NotForUs, ReceivedText
from bot.concurrency.blocking import yielding
from bot.domain.ignored import IgnoreReason
from bot.domain.phone import masked
from bot.store.tx import RowLocked, Store, StoreUnavailable
from bot.usecases import heartbeat
from bot.usecases.answer import ignore_text, judge_text
from bot.usecases.due import oldest_pending_age
from bot.usecases.inbound_text import InboundText, Missed
from bot.usecases.keywords import is_start_or_stop
from bot.usecases.rules import Rules

READ_AT_ONCE = 200  # texts: ten milliseconds
MOST_BLOCKED = 3  # numbers locked by another transaction: each costs a wait of four seconds

OnIgnored = Callable[[IgnoreReason], None]

log = logging.getLogger(__name__)


class TextRefused(RowLocked):
    """The database refused a text, and may take it later."""


def read_missed(
    store: Store,
    gateway: Gateway,
    rules: Rules,
    *,
    uncounted: timedelta = timedelta(0),
    on_ignored: OnIgnored = lambda _: None,
    on_locked: Callable[[str], None] = lambda phone: None,
) -> int:
    """Judges every inbound text since the oldest pending verification began, and returns how many
    there were. `uncounted`: how much further back to read (`store/steady.py`). `on_ignored` gets
    the reason why a text changed nothing, `on_locked` each number that another transaction holds.

    Raises ChannelUnavailable, StoreUnavailable.
    """
    ago = store.read(oldest_pending_age)
    if ago is None:
        return 0
    found, others = _listed(gateway, ago + uncounted, store.steady.monotonic)
    texts = _texts(found, rules, uncounted)
    _judge_all(store, texts[::-1], rules, on_ignored, on_locked)
    for other in others:
        _ignore(store, other, on_ignored)
    return len(found)


def _judge_all(
    store: Store,
    texts: Sequence[InboundText],
    rules: Rules,
    on_ignored: OnIgnored,
    on_locked: Callable[[str], None],
) -> None:
    """Judges texts, oldest first. If another transaction holds the rows of a number, or the
    database refuses one of its texts, its later texts wait, and the others go on. Raises
    StoreUnavailable, and RowLocked at the end, TextRefused if no number is locked."""
    refused: dict[str, RowLocked] = {}
    locked: dict[str, RowLocked] = {}
    for text in texts:
        if text.phone in refused or text.phone in locked:
            continue
        try:
            _judge(store, text, rules, on_ignored)
        except TextRefused as error:
            refused[text.phone] = error
        except RowLocked as error:
            locked[text.phone] = error
            on_locked(text.phone)
            if len(locked) == MOST_BLOCKED:
                break
    if locked or refused:
        raise next(iter((locked or refused).values()))


def _listed(
    gateway: Gateway, ago: timedelta, monotonic: Callable[[], float]
) -> tuple[list[tuple[ReceivedText, Missed]], list[NotForUs]]:
    """Returns texts from phones, newest first, each with the instant at which its age was measured
    (reading a list takes seconds), and texts to ignore."""
    received, others = [], []
    for text in gateway.received_since(ago):
        if isinstance(text, NotForUs):
            others.append(text)
        else:
            received.append((text, Missed(text.age, monotonic(), monotonic)))
    # Sort by age alone: texts of the same second stay in the order of the list, newest first.
    received.sort(key=lambda one: one[0].age)
    return received, others


def _texts(
    found: Sequence[tuple[ReceivedText, Missed]], rules: Rules, uncounted: timedelta
) -> list[InboundText]:
    """`found`: the newest first."""
    with_newer_keyword: set[str] = set()  # numbers
    texts = []
    for received, missed in yielding(found, every=READ_AT_ONCE):
        text = InboundText(
            message_sid=received.message_sid,
            phone=received.phone,
            from_address=rules.from_address,
            body=received.body,
            missed=missed,
            uncounted=uncounted,
            is_outdated=received.phone in with_newer_keyword,
            is_to_short_code=received.is_to_short_code,
        )
        texts.append(text)
        if is_start_or_stop(text.prepared, code_length=rules.terms.code_length):
            with_newer_keyword.add(received.phone)
    return texts


def _ignore(store: Store, text: NotForUs, on_ignored: OnIgnored) -> None:
    try:
        is_new = store.write(ignore_text, text)
    except StoreUnavailable:
        raise
    except store.errors as error:  # it concerns no verification, so nothing waits for it
        log.error("an ignored text of %s is refused: %s", text.masked_phone, type(error).__name__)
        return
    if is_new:
        log.info("a missed text of %s is ignored: %s", text.masked_phone, text.reason)
        on_ignored(text.reason)


def _judge(store: Store, text: InboundText, rules: Rules, on_ignored: OnIgnored) -> None:
    try:
        judged = store.write(
            judge_text, text, rules=rules, judged_until=heartbeat.assume_all_judged
        )
    except StoreUnavailable:
        raise
    except store.errors as error:
        log.error("a missed text of %s is refused: %s", masked(text.phone), type(error).__name__)
        raise TextRefused("the database refuses a missed text") from error
    except Exception:  # one bad text must not stop the rest
        log.exception("a missed text of %s cannot be judged", masked(text.phone))
    else:
        if judged.ignored is not None:
            log.info("a missed text of %s is ignored: %s", masked(text.phone), judged.ignored)
            on_ignored(judged.ignored)
