"""Runs in virtual time, thousands in `make soak`; and planted bugs, which must be found."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.inputs import Attempted
from bot.domain.transitions import decide
from bot.domain.verification import Verification
from bot.store import outbox, verifications
from bot.store.tx import Done, Store, Tx
from bot.usecases import answer, claim, look_up, send
from bot.usecases.heartbeat import assume_all_judged
from bot.usecases.inbound_text import InboundText, Judged
from bot.usecases.record import record
from tests.builders import RULES
from tests.conftest import SOAK
from tests.postgres import Server
from tests.simulation.machine import PHONES, judge_honestly
from tests.simulation.run import Run

STEPS = 150
# A usual run has fixed seeds; `make soak` takes fresh ones for so many seconds on each database, in
# longer runs with more numbers, which make three times as many verifications in a second.
RUNS, RUNS_ON_POSTGRESQL = 12, 3
SECONDS = int(os.environ.get("SIMULATE_SECONDS", 10 * SOAK))
LONG, PHONES_OF_LONG = 1500, 9
TOLD_EVERY = 100  # runs


def address(path: Path, seed: int) -> str:
    return f"sqlite:///{path}/{seed}.db"


def processes(seed: int) -> int:
    return 1 + seed % 3


def seeds(runs: int) -> Iterator[int]:
    if SOAK == 1:
        yield from range(runs)
        return
    ends = time.monotonic() + SECONDS
    seed = time.time_ns() // 1_000_000 * 1000
    while time.monotonic() < ends:
        yield seed
        seed += 1


def run_many(runs: int, new_url: Callable[[int], str]) -> None:
    """A run that fails is named by its seed, and replays exactly."""
    done = verifications = 0
    steps, phones = (STEPS, PHONES) if SOAK == 1 else (LONG, PHONES_OF_LONG)
    for seed in seeds(runs):
        run = Run(seed, new_url(seed), processes=processes(seed), phones=phones)
        broken = run.go(steps)
        which = f"Run({seed}, url, processes={processes(seed)}, phones={phones}).go({steps})"
        assert not broken, f"{which}: {broken}"
        done += 1
        verifications += run.verifications
        if done % TOLD_EVERY == 0:
            print(f"{verifications} verifications in {done} runs of {steps} steps", flush=True)
    print(f"{verifications} verifications in {done} runs of {steps} steps")
    assert verifications > 2 * done


@pytest.mark.timeout(SECONDS + 120)
def test_nothing_breaks_in_many_runs(tmp_path: Path) -> None:
    def new_url(seed: int) -> str:
        for file in tmp_path.iterdir():  # of the run before
            file.unlink()
        return address(tmp_path, seed)

    run_many(RUNS, new_url)


@pytest.mark.timeout(SECONDS + 120)
def test_nothing_breaks_in_many_runs_on_postgresql(postgres: Server) -> None:
    run_many(RUNS_ON_POSTGRESQL, lambda seed: postgres.new_database())


# Runs that found a fault once: a text that Twilio took was withdrawn, after its look-ups came while
# the call of a paused process was still out; a sweep removed new rows, as the clock jumped in it; a
# clock that was set forward by seconds shortened the wait between two look-ups.
@pytest.mark.parametrize(
    ("seed", "processes", "phones", "steps"),
    [
        (1795582244290781, 3, PHONES, 150),
        (120262122, 1, 20, 1500),
        (1795906020269213, 3, 9, 1500),
    ],
)
def test_nothing_breaks_in_runs_that_found_faults(
    tmp_path: Path, seed: int, processes: int, phones: int, steps: int
) -> None:
    run = Run(seed, address(tmp_path, seed), processes=processes, phones=phones)
    assert run.go(steps) == []


def test_a_seed_is_a_run_whatever_the_database(tmp_path: Path, postgres: Server) -> None:
    def trace(url: str) -> list[str]:
        run = Run(4711, url)
        run.go(STEPS)
        replies = [f"{reply.at} {reply.phone} {reply.body}" for reply in run.twilio.replies]
        return [f"{taken.at} {taken.to} {taken.body}" for taken in run.twilio.taken] + replies

    first = trace(address(tmp_path, 1))
    assert first
    assert trace(address(tmp_path, 2)) == first
    assert trace(postgres.new_database()) == first


# -- planted bugs ----------------------------------------------------------------------------------


def code_of(found: Verification) -> str:
    return RULES.keyring.code(key_id=found.key_id, nonce=found.nonce, length=4)


class Between:
    """A faulty judge: other processes may act in the middle of it."""

    def __init__(self) -> None:
        self.between: Callable[[], None] = lambda: None


class CountedApart(Between):
    """Compares an answer with the limit in one transaction, and counts it in the next."""

    def __call__(self, store: Store, text: InboundText) -> Judged:
        seen = store.read(verifications.pending_of, text.phone)
        if seen is None or not text.body.isdigit() or text.body == code_of(seen):
            return judge_honestly(store, text)
        self.between()

        def count(tx: Tx) -> Done[Judged]:
            found = verifications.load(tx, seen.id)
            if found.is_decided:
                return Done(Judged(None))
            before = replace(found, attempts=seen.attempts)
            decision = decide(before, Attempted(False, tx.now, guess=text.body), tx.now)
            return Done(Judged(None), changes=record(tx, found, decision))

        return store.write(count)


class DecidedOutside(Between):
    """Decides on what another transaction has read, and writes the decision in the next."""

    def __call__(self, store: Store, text: InboundText) -> Judged:
        found = store.read(verifications.pending_of, text.phone)
        if found is None or not text.body.isdigit():
            return judge_honestly(store, text)
        self.between()

        def judge(tx: Tx) -> Done[Judged]:
            attempted = Attempted(text.body == code_of(found), tx.now, guess=text.body)
            return Done(Judged(None), changes=record(tx, found, decide(found, attempted, tx.now)))

        return store.write(judge)


class EarlyNow(Between):
    """Reads the time before it has the lock."""

    def __call__(self, store: Store, text: InboundText) -> Judged:
        now = store.read(lambda tx: tx.now)
        self.between()

        def judge(tx: Tx) -> Done[Judged]:
            real, tx.now = tx.now, now
            try:
                return answer.judge_text(tx, text, rules=RULES, judged_until=assume_all_judged)
            finally:
                tx.now = real

        return store.write(judge)


def unchecked_claim(tx: Tx, **more) -> Done[list[claim.TextClaim]]:
    """Claims what is due without looking whether its verification still wants it."""
    rows = tx.all("SELECT id FROM outbox WHERE state IN ('queued', 'withdrawn') LIMIT 4")
    found = [outbox.load(tx, row["id"]) for row in rows]
    wanted = [(text, verifications.load(tx, text.verification_id)) for text in found]
    how = {name: more[name] for name in ("lease", "rules", "asked_at")}
    return Done(claim.claim_texts(tx, wanted, **how))


def blind(tx: Tx, claimed: claim.TextClaim, code: int | None = None) -> Done[None]:
    """Sends texts of unknown outcome again."""
    return send.postponed(tx, claimed, delay=look_up.LOOK_AGAIN, code=code)


def until_found(
    tmp_path: Path, judge: Between | None = None, *, telling: str = "", first: int = 0
) -> str:
    """Returns the first fault that contains `telling`, in at most 200 runs. `first`: the seed to
    begin with, one that is known to find it."""
    for seed in range(first, first + 200):
        run = Run(seed, address(tmp_path, seed), judge=judge or judge_honestly)
        if judge is not None:
            judge.between = run.interleave
        try:
            broken = "; ".join(run.go(STEPS))
        except AssertionError as error:  # the schema's own
            broken = f"{error}"
        except Exception as error:
            broken = f"{type(error).__name__}: {error}"
        if broken and telling in broken:
            return broken
    return ""


def test_an_attempt_counted_and_compared_in_two_transactions_is_found(tmp_path: Path) -> None:
    assert until_found(tmp_path, CountedApart(), telling="attempts", first=23)


def test_a_decision_outside_the_transaction_is_found(tmp_path: Path) -> None:
    assert until_found(tmp_path, DecidedOutside(), first=5)


def test_a_time_read_before_the_lock_is_found(tmp_path: Path) -> None:
    assert until_found(tmp_path, EarlyNow(), first=37)


def test_a_claim_without_a_second_look_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claim, "claim_due", unchecked_claim)
    assert "claimed after the end" in until_found(tmp_path)


def test_a_blind_second_send_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(send, "unknown", blind)
    assert until_found(tmp_path, first=4)
