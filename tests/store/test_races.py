"""Sixteen real threads on one real database of either kind, and what holds in every order."""

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from bot import wording
from bot.admission.admission import Admission
from bot.domain.decision import AutoReply
from bot.domain.verification import Status
from bot.store import history, verifications
from bot.store.opening import open_store
from bot.store.tx import Store
from bot.usecases import answer, claim
from bot.usecases.heartbeat import assume_all_judged
from bot.usecases.start import start
from tests.builders import PHONE, RULES, code_of, inbound, running, wrong_code
from tests.builders import start as wanted
from tests.harness import HandClock


@pytest.fixture
def store(any_store: Store) -> Store:
    return any_store


def at_once(acts: list[Callable[[], object]]) -> list[object]:
    """Calls all of them at once. Returns what each returned or raised."""
    barrier = threading.Barrier(len(acts))
    results: list[object] = [None] * len(acts)

    def run(place: int) -> None:
        barrier.wait()
        try:
            results[place] = acts[place]()
        except Exception as error:
            results[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


def begin(store: Store, **more) -> str:
    made = wanted(**more)
    store.write(start, made, RULES, Admission())
    return made.id


def judge(store: Store, body: str, **more) -> str | None:
    text = inbound(body, **more)
    return store.write(answer.judge_text, text, rules=RULES, judged_until=assume_all_judged).answer


def test_wrong_replies_at_once_are_four_attempts_and_one_end(store: Store) -> None:
    id = begin(store)
    wrongs = [wrong_code(code_of(wanted()), nth) for nth in range(1, 17)]
    answers = at_once([partial(judge, store, wrong) for wrong in wrongs])
    v = store.read(lambda tx: verifications.load(tx, id))
    assert (v.status, v.attempts) == (Status.MAX_ATTEMPTS_REACHED, 4)
    events = [line.event for line in store.read(lambda tx: history.of(tx, id))]
    assert events.count("wrong_answer") == 4
    assert events.count("max_attempts_reached") == 1
    assert len([answer for answer in answers if answer]) <= v.terms.max_attempts + 2


def test_right_replies_at_once_are_one_approval(store: Store) -> None:
    id = begin(store)
    answers = at_once([partial(judge, store, code_of(wanted()))] * 16)
    approved = wording.answer(AutoReply.APPROVED, running())
    assert answers.count(approved) == 1
    v = store.read(lambda tx: verifications.load(tx, id))
    assert (v.status, v.attempts) == (Status.APPROVED, 0)


def test_copies_of_one_message_at_once_are_one_attempt_and_one_answer(store: Store) -> None:
    id = begin(store)
    answers = at_once([partial(judge, store, "0000", message_sid="SM" + "1" * 32)] * 16)
    assert len(set(answers)) == 1
    assert answers[0]
    assert store.read(lambda tx: verifications.load(tx, id)).attempts == 1


def test_starts_at_once_leave_one_pending(store: Store) -> None:
    at_once([partial(begin, store)] * 16)
    rows = store.read(lambda tx: tx.all("SELECT status, reason FROM verification"))
    statuses = [row["status"] for row in rows]
    assert (statuses.count("pending"), statuses.count("canceled")) == (1, 15)
    assert all(row["reason"].startswith("superseded by ") for row in rows if row["reason"])


def test_starts_at_once_with_one_idempotency_key_are_one(store: Store) -> None:
    def begin_once() -> str:
        made = wanted(idempotency_key="k")
        return store.write(start, made, RULES, Admission()).id

    assert len(set(at_once([begin_once] * 16))) == 1


def test_a_text_is_claimed_once(store: Store) -> None:
    for number in range(20):
        begin(store, phone=f"+1425555{number:04}")
    claiming = partial(
        claim.claim_due,
        lease=timedelta(seconds=24),
        limit=5,
        rules=RULES,
        asked_at=0.0,
    )
    claims = at_once([partial(store.write, claiming)] * 16)
    ids = [one.text_id for found in claims for one in found]
    assert len(ids) == len(set(ids)) == 20


def test_two_stores_on_one_database_keep_the_same_rules(
    store: Store, database_url: str, clock: HandClock
) -> None:
    """As two processes do: `flask dispatch` beside the web process."""
    other = open_store(database_url, connections=20, clock=clock)
    id = begin(store)
    wrongs = [wrong_code(code_of(wanted()), nth) for nth in range(1, 17)]
    acts = [partial(judge, (store, other)[place % 2], w) for place, w in enumerate(wrongs)]
    results = at_once(acts)
    assert not [result for result in results if isinstance(result, Exception)]
    v = other.read(lambda tx: verifications.pending_of(tx, PHONE))
    assert v is None
    assert store.read(lambda tx: verifications.load(tx, id)).attempts == 4
    other.close()
