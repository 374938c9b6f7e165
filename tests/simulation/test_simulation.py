"""Thousands of runs in virtual time; and bugs planted on purpose, to see that they are found."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from bot.domain.transitions import Attempted, decide
from bot.domain.verification import Verification
from bot.store import outbox, verifications
from bot.store.tx import Done, Tx
from bot.usecases import answer, delivery
from bot.usecases.answer import InboundText, Judged
from bot.usecases.record import record
from bot.usecases.verifications import Verifications
from tests.conftest import SOAK
from tests.postgres import Server
from tests.simulation.run import Run

STEPS = 150
SECONDS = 8 * SOAK
SECONDS_ON_POSTGRESQL = 4 * SOAK


def address(path: Path, seed: int) -> str:
    return f"sqlite:///{path}/{seed}.db"


def processes(seed: int) -> int:
    return 1 + seed % 3


def run_many(seconds: float, new_url: Callable[[int], str]) -> None:
    """New seeds each time; one that fails is named, and replays exactly."""
    first = seed = time.time_ns() // 1_000_000 * 1000
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        broken = Run(seed, new_url(seed), processes=processes(seed)).go(STEPS)
        assert not broken, f"Run({seed}, url, processes={processes(seed)}).go({STEPS}): {broken}"
        seed += 1
    print(f"{seed - first} runs of {STEPS} steps")


@pytest.mark.timeout(SECONDS + 120)
def test_nothing_breaks_in_many_runs(tmp_path: Path) -> None:
    def new_url(seed: int) -> str:
        for file in tmp_path.iterdir():  # of the run before
            file.unlink()
        return address(tmp_path, seed)

    run_many(SECONDS, new_url)


@pytest.mark.timeout(SECONDS_ON_POSTGRESQL + 120)
def test_nothing_breaks_in_many_runs_on_postgresql(postgres: Server) -> None:
    run_many(SECONDS_ON_POSTGRESQL, lambda seed: postgres.new_database())


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


class CountedApart(Verifications):
    """Compares an answer with the limit in one transaction, and counts it in the next."""

    between = staticmethod(lambda: None)

    def judge_text(self, text: InboundText) -> Judged:
        seen = self.store.read(lambda tx: verifications.pending_of(tx, text.phone))
        if seen is None or not text.body.isdigit() or text.body == self._code_of(seen):
            return super().judge_text(text)
        type(self).between()

        def count(tx: Tx) -> Done[Judged]:
            found = verifications.load(tx, seen.id)
            if found.is_decided:
                return Done(Judged(None))
            before = replace(found, attempts=seen.attempts)
            decision = decide(before, Attempted(False, tx.now, guess=text.body), tx.now)
            return Done(Judged(None), changes=record(tx, found, decision))

        return self.store.write(count)

    def _code_of(self, found: Verification) -> str:
        return self.keyring.code(key_id=found.key_id, nonce=found.nonce, length=4)


class DecidedOutside(Verifications):
    """Decides on what another transaction has read, and writes the decision in the next."""

    between = staticmethod(lambda: None)

    def judge_text(self, text: InboundText) -> Judged:
        found = self.store.read(lambda tx: verifications.pending_of(tx, text.phone))
        if found is None or not text.body.isdigit():
            return super().judge_text(text)
        type(self).between()

        def judge(tx: Tx) -> Done[Judged]:
            code = self.keyring.code(key_id=found.key_id, nonce=found.nonce, length=4)
            attempted = Attempted(text.body == code, tx.now, guess=text.body)
            return Done(Judged(None), changes=record(tx, found, decide(found, attempted, tx.now)))

        return self.store.write(judge)


class EarlyNow(Verifications):
    """Reads the time before it has the lock."""

    between = staticmethod(lambda: None)

    def judge_text(self, text: InboundText) -> Judged:
        now = self.store.read(lambda tx: tx.now)
        type(self).between()

        def judge(tx: Tx) -> Done[Judged]:
            real, tx.now = tx.now, now
            try:
                return answer.judge_text(tx, text, keyring=self.keyring)
            finally:
                tx.now = real

        return self.store.write(judge)


def unchecked_claim(tx: Tx, **more) -> Done[list[delivery.Claim]]:
    """Claims what is due without looking whether its verification still wants it."""
    claims = []
    for text in tx.all("SELECT id FROM outbox WHERE state IN ('queued', 'withdrawn') LIMIT 4"):
        found = outbox.load(tx, text["id"])
        verification = verifications.load(tx, found.verification_id)
        claims.append(
            delivery._claim(
                tx,
                found,
                verification,
                more["lease"],
                more["keyring"],
                more["sender"],
                more["asked_at"],
            )
        )
    return Done(claims)


def blind(tx: Tx, claim: delivery.Claim) -> Done[None]:
    """What is unknown is sent again."""
    return delivery.postponed(tx, claim, delay=delivery.LOOK_AGAIN, code=None)


def until_found(tmp_path: Path, make: type[Verifications] = Verifications, seeds: int = 200) -> str:
    for seed in range(seeds):
        run = Run(seed, address(tmp_path, seed), make=make)
        if make is not Verifications:
            make.between = staticmethod(run._interleave)
        try:
            broken = run.go(STEPS)
        except AssertionError as error:  # the schema's own
            return f"{error}"
        except Exception as error:
            return f"{type(error).__name__}: {error}"
        if broken:
            return "; ".join(broken)
    return ""


def test_an_attempt_counted_and_compared_in_two_transactions_is_found(tmp_path: Path) -> None:
    assert "attempts" in until_found(tmp_path, CountedApart)


def test_a_decision_outside_the_transaction_is_found(tmp_path: Path) -> None:
    assert until_found(tmp_path, DecidedOutside)


def test_a_time_read_before_the_lock_is_found(tmp_path: Path) -> None:
    assert until_found(tmp_path, EarlyNow)


def test_a_claim_without_a_second_look_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "claim_due", unchecked_claim)
    assert "claimed after the end" in until_found(tmp_path)


def test_a_blind_second_send_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "unknown", blind)
    assert until_found(tmp_path)
