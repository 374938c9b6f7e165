"""The tables `inbound`, `opt_out`, `idempotency` and `history`."""

from datetime import timedelta

import pytest

from bot.domain.events import Event, EventName
from bot.store import history, idempotency, inbound, opt_outs, verifications
from bot.store.inbound import RecordedAnswer
from bot.store.opt_outs import OptOut
from bot.store.tx import Done, Store
from tests.builders import OUR_NUMBER, PHONE, running
from tests.harness import HandClock


def write(store: Store, act, *args, **more):
    return store.write(lambda tx: Done(act(tx, *args, **more)))


def test_a_message_is_remembered_with_its_answer(store: Store) -> None:
    write(store, inbound.add, "SM1", answer="Thank you.")
    write(store, inbound.add, "SM2", answer=None)
    assert store.read(lambda tx: inbound.load(tx, "SM1")) == RecordedAnswer("Thank you.")
    assert store.read(lambda tx: inbound.load(tx, "SM2")) == RecordedAnswer(None)
    assert store.read(lambda tx: inbound.load(tx, "SM3")) is None
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        write(store, inbound.add, "SM1", answer=None)


def test_messages_are_kept_400_days(store: Store, clock: HandClock) -> None:
    write(store, inbound.add, "SM1", answer=None)
    clock.now += timedelta(days=400)
    assert write(store, inbound.drop_old, limit=10) == 0
    clock.forward(1)
    assert write(store, inbound.drop_old, limit=10) == 1
    assert store.read(lambda tx: inbound.load(tx, "SM1")) is None


def test_an_opt_out_is_marked_tried_and_unmarked(store: Store, clock: HandClock) -> None:
    def load() -> OptOut | None:
        return store.read(lambda tx: opt_outs.load(tx, phone=PHONE, from_address=OUR_NUMBER))

    since = clock.now
    write(store, opt_outs.mark, phone=PHONE, from_address=OUR_NUMBER)
    assert load() == OptOut(since, None, True)
    clock.forward(60)
    write(store, opt_outs.note_test, phone=PHONE, from_address=OUR_NUMBER)
    assert load() == OptOut(since, clock.now, True)
    write(store, opt_outs.mark, phone=PHONE, from_address=OUR_NUMBER)
    assert load() == OptOut(clock.now, None, True)
    assert store.read(lambda tx: opt_outs.load(tx, phone=PHONE, from_address="MG1")) is None
    assert write(store, opt_outs.unmark, phone=PHONE, from_address=OUR_NUMBER)
    assert not write(store, opt_outs.unmark, phone=PHONE, from_address=OUR_NUMBER)
    assert load() is None


def test_an_idempotency_key_is_good_for_a_day_a_caller_and_a_number(
    store: Store, clock: HandClock
) -> None:
    write(store, verifications.insert, running())
    known = {"started_by": "crm", "key": "k", "phone": PHONE}
    write(store, idempotency.add, **known, verification_id="an-id")

    def recall(**more):
        return store.read(lambda tx: idempotency.load(tx, **{**known, **more}))

    assert recall() == "an-id"
    assert recall(started_by="shop") is None
    assert recall(key="l") is None
    assert recall(phone="+14255550199") is None
    clock.now += timedelta(hours=24)
    assert recall() is None
    write(store, idempotency.add, **known, verification_id="an-id")
    assert recall() == "an-id"


def test_history_is_numbered_per_verification(store: Store, clock: HandClock) -> None:
    write(store, verifications.insert, running())
    write(store, verifications.insert, running(id="other", phone="+14255550199"))
    first = clock.now
    write(store, history.append, "an-id", [Event(EventName.STARTED), Event(EventName.TEXT_TRIED)])
    clock.forward(5)
    write(store, history.append, "other", [Event(EventName.STARTED)])
    write(store, history.append, "an-id", [Event(EventName.WRONG_ANSWER, {"attempt": 1})])
    lines = store.read(lambda tx: history.of(tx, "an-id"))
    assert [(line.number, line.event) for line in lines] == [
        (1, "started"),
        (2, "text_tried"),
        (3, "wrong_answer"),
    ]
    assert [line.at for line in lines] == [first, first, clock.now]
    assert lines[2].detail == {"attempt": 1}
    kept = store.read(lambda tx: verifications.load(tx, "an-id"))
    assert kept is not None
    assert kept.unwritten_events == 0  # each line was counted as written
