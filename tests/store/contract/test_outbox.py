"""The table `outbox`: claims, leases, and facts that win over them."""

import pytest

from bot.domain.delivery import Delivery
from bot.store import delivery_reports, outbox, verifications
from bot.store.texts import Text, TextState
from bot.store.tx import Done, Store
from tests.builders import NOON, OUR_NUMBER, new_text, running, seconds
from tests.harness import HandClock


@pytest.fixture(autouse=True)
def queued(store: Store, clock: HandClock) -> None:
    clock.now = NOON

    def enqueue(tx):
        verifications.insert(tx, running())
        outbox.enqueue(tx, new_text("a-text"), verification_id="an-id")
        return Done(None)

    store.write(enqueue)


def write(store: Store, act, *args, **more):
    return store.write(lambda tx: Done(act(tx, *args, **more)))


def text(store: Store) -> Text:
    found = store.read(lambda tx: outbox.load(tx, "a-text"))
    assert store.read(lambda tx: outbox.of(tx, "an-id")) == [found]
    return found


def due(store: Store) -> list[str]:
    return [found.id for found in store.read(lambda tx: outbox.lock_due(tx, limit=10))]


def claim(store: Store) -> int:
    write(store, outbox.claim, [text(store).id], until=NOON + seconds(24), from_address=OUR_NUMBER)
    return text(store).claims


def test_a_queued_text_is_due_at_once_and_not_while_it_is_leased(store, clock) -> None:
    assert due(store) == ["a-text"]
    claim(store)
    assert due(store) == []
    assert store.read(outbox.next_due_at) == NOON + seconds(24)
    clock.forward(24)
    assert due(store) == ["a-text"]


def test_the_first_try_is_remembered(store, clock) -> None:
    claim(store)
    clock.forward(30)
    claim(store)
    assert text(store).first_try_at == NOON
    assert text(store).claims == 2


def test_only_the_newest_claim_puts_back(store) -> None:
    old, new = claim(store), claim(store)
    later = NOON + seconds(5)
    assert not write(store, outbox.put_back, "a-text", claim=old, due_at=later, error_code=20429)
    assert text(store).state == TextState.SENDING
    assert write(store, outbox.put_back, "a-text", claim=new, due_at=later, error_code=20429)
    assert (text(store).state, text(store).tries) == (TextState.QUEUED, 1)
    assert store.read(outbox.next_due_at) == later


def test_only_the_newest_claim_asks_for_a_look(store) -> None:
    old, new = claim(store), claim(store)
    assert not write(store, outbox.schedule_look_up, "a-text", claim=old, due_at=NOON, looks=0)
    assert write(store, outbox.schedule_look_up, "a-text", claim=new, due_at=NOON, looks=1)
    assert (text(store).state, text(store).looks) == (TextState.UNKNOWN, 1)


def test_an_acceptance_is_recorded_whichever_claim_brings_it(store) -> None:
    claim(store)
    claim(store)
    assert write(store, outbox.accept, "a-text", sid="SM1")
    assert not write(store, outbox.accept, "a-text", sid="SM2")
    assert (text(store).state, text(store).sid) == (TextState.ACCEPTED, "SM1")
    assert due(store) == []
    assert store.read(lambda tx: outbox.is_known_sid(tx, "SM1"))
    assert not store.read(lambda tx: outbox.is_known_sid(tx, "SM2"))


def test_a_refused_text_is_done_with_unless_it_was_accepted(store) -> None:
    write(store, outbox.refuse, "a-text", error_code=21614)
    assert (text(store).state, text(store).error_code) == (TextState.REFUSED, 21614)
    write(store, outbox.accept, "a-text", sid="SM1")
    write(store, outbox.refuse, "a-text", error_code=21614)
    assert text(store).state == TextState.ACCEPTED


def test_the_end_withdraws_what_is_queued_and_stops_looking(store) -> None:
    write(store, outbox.withdraw, "an-id")
    assert text(store).state == TextState.WITHDRAWN
    assert due(store) == []


def test_the_end_leaves_what_is_being_sent_to_its_sender(store) -> None:
    number = claim(store)
    write(store, outbox.withdraw, "an-id")
    assert text(store).state == TextState.SENDING
    write(store, outbox.schedule_look_up, "a-text", claim=number, due_at=NOON, looks=0)
    write(store, outbox.withdraw, "an-id")
    assert text(store).state == TextState.UNKNOWN
    assert due(store) == []


def test_a_report_names_a_text_and_has_it_looked_up(store) -> None:
    number = claim(store)
    write(store, outbox.put_back, "a-text", claim=number, due_at=NOON + seconds(9), error_code=None)
    write(store, delivery_reports.set_sid, text(store), sid="SM1")
    assert (text(store).state, text(store).sid) == (TextState.UNKNOWN, "SM1")
    assert due(store) == ["a-text"]


def test_delivery_goes_forward_only(store) -> None:
    def report(word: str) -> bool:
        delivery = Delivery(word)
        return write(
            store, delivery_reports.report, text(store), delivery=delivery, error_code=None
        )

    assert report("queued")
    assert report("sent")
    assert not report("queued")
    assert not report("sent")
    assert report("delivered")
    assert not report("undelivered")
    assert not report("sent")
    assert text(store).delivery == "delivered"


def test_a_verification_has_as_many_texts_as_are_sent(store, clock) -> None:
    clock.forward(15)
    write(store, outbox.enqueue, new_text("another", locale="es"), verification_id="an-id")
    texts = store.read(lambda tx: outbox.of(tx, "an-id"))
    assert [(found.id, found.locale) for found in texts] == [("a-text", "en"), ("another", "es")]
    assert store.read(lambda tx: outbox.of_many(tx, ["an-id", "none"])) == {"an-id": texts}
    write(store, outbox.withdraw, "an-id")
    texts = store.read(lambda tx: outbox.of(tx, "an-id"))
    assert [found.state for found in texts] == [TextState.WITHDRAWN] * 2


def test_a_sid_belongs_to_one_text(store) -> None:
    write(store, outbox.accept, "a-text", sid="SM1")
    other = running(id="other", phone="+14255550199")
    write(store, verifications.insert, other)
    write(store, outbox.enqueue, new_text("other-text"), verification_id="other")
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        write(store, outbox.accept, "other-text", sid="SM1")
