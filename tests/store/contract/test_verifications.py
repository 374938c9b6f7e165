"""The table `verification`."""

import dataclasses
from dataclasses import replace

import pytest

from bot.domain.verification import Cause, Status, Terms, Verification
from bot.store import verification_list, verifications
from bot.store.tx import Done, Store
from tests.builders import NOON, OTHER_PHONE, PHONE, ended, outcome, running, seconds, verification
from tests.harness import HandClock


def keep(store: Store, *kept: Verification) -> None:
    def insert(tx):
        for one in kept:
            verifications.insert(tx, one)
        return Done(None)

    store.write(insert)


def save(store: Store, before: Verification, after: Verification) -> None:
    store.write(lambda tx: Done(verifications.update(tx, before, after)))


FULL = running(
    id="full",
    started_by="crm",
    caller_key="a mark",
    last_guess="a mark",
    wrong_left=1,
    terms=Terms(6, 120, 3, 30, 4),
    attempts=2,
    sends=2,
    newest_send_at=NOON + seconds(4),
    tag="order-4711",
    locale="es",
    suspended_at=NOON + seconds(5),
    held_outcome=outcome(Status.FAILED, NOON + seconds(6), reason="no route", error_code=21612),
    is_hinted=True,
    answers=3,
    is_afterthought_answered=True,
    is_to_erase=True,
)


@pytest.mark.parametrize(
    "kept",
    [verification(), running(), FULL, ended(Status.APPROVED), ended(Status.MAX_ATTEMPTS_REACHED)],
)
def test_comes_back_as_it_was_kept(store: Store, kept: Verification) -> None:
    keep(store, kept)
    assert store.read(lambda tx: verifications.load(tx, kept.id)) == kept


def test_every_field_is_kept() -> None:
    """A field added to the dataclass must be stored, or the round trip above says nothing."""
    plain = {field.name: getattr(verification(), field.name) for field in dataclasses.fields(FULL)}
    del plain["updated_at"], plain["unwritten_events"]  # the store's own
    same = {name for name, value in plain.items() if getattr(FULL, name) == value}
    assert same == {
        "phone",
        "country",
        "start_input",
        "request_id",
        "reference",
        "nonce",
        "key_id",
        "challenge_text",
        "created_at",
        "outcome",
    }


def test_an_update_writes_what_differs(store: Store) -> None:
    before = running()
    keep(store, before)
    after = replace(before, attempts=3, is_hinted=True)
    save(store, before, after)
    assert store.read(lambda tx: verifications.load(tx, before.id)) == after


def test_the_last_update_of_an_expired_one_is_its_deadline(store: Store, clock: HandClock) -> None:
    keep(store, running())
    clock.forward(500)
    save(store, running(), ended(Status.EXPIRED, at=NOON + seconds(90)))
    updated_at = store.read(lambda tx: verifications.load(tx, "an-id")).updated_at
    assert updated_at == NOON + seconds(90)


def test_a_number_has_one_pending_verification_at_most(store: Store) -> None:
    keep(store, running())
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        keep(store, running(id="another"))
    keep(store, running(id="elsewhere", phone=OTHER_PHONE))
    keep(store, ended(Status.EXPIRED, id="over"))


@pytest.mark.parametrize(
    "impossible",
    [
        running(attempts=5),
        running(attempts=4),
        running(answers=7),
        running(phone="4255550123"),
        running(id=""),
        running(id="x" * 257),
        ended(Status.APPROVED, at=NOON + seconds(90)),
        ended(Status.MAX_ATTEMPTS_REACHED, attempts=0),
        running(terms=Terms(code_length=3)),
        running(held_outcome=outcome(Status.EXPIRED, NOON)),
    ],
)
def test_the_schema_itself_refuses_what_must_never_be(
    store: Store, impossible: Verification
) -> None:
    with pytest.raises(Exception, match=r"CHECK|check"):
        keep(store, impossible)


def test_due_ones_are_found_in_the_order_of_their_time(store: Store, clock: HandClock) -> None:
    clock.now = NOON
    for place, phone in enumerate(["+14255550111", "+14255550112", "+14255550113"]):
        deadline_at = NOON + seconds(90 - place)
        keep(store, running(id=f"v{place}", phone=phone, deadline_at=deadline_at))
    keep(store, ended(Status.EXPIRED, id="over"))
    assert store.read(verifications.next_due_at) == NOON + seconds(88)
    clock.forward(89)
    due = store.read(lambda tx: verifications.due_ids(tx, limit=10))
    assert due == ["v2", "v1"]
    assert store.read(lambda tx: verifications.due_ids(tx, limit=1)) == ["v2"]


def test_nothing_pending_is_nothing_due(store: Store) -> None:
    keep(store, ended(Status.EXPIRED))
    assert store.read(verifications.next_due_at) is None
    assert store.read(verifications.oldest_pending_since) is None


def test_the_pending_and_the_latest_of_a_number(store: Store) -> None:
    keep(store, ended(Status.EXPIRED, id="first", created_at=NOON - seconds(10)))
    keep(store, running(id="second"))
    keep(store, running(id="other", phone=OTHER_PHONE))
    pending = store.read(lambda tx: verifications.pending_of(tx, PHONE))
    latest = store.read(lambda tx: verifications.latest_of(tx, PHONE))
    assert (pending.id, latest.id) == ("second", "second")
    assert store.read(verifications.oldest_pending_since) == NOON


def test_superseded_ones_are_found_while_their_window_is_open(
    store: Store, clock: HandClock
) -> None:
    clock.now = NOON + seconds(60)
    superseded = outcome(Status.CANCELED, NOON + seconds(30), cause=Cause.SUPERSEDED)
    keep(store, ended(Status.CANCELED, id="older", outcome=superseded))
    keep(store, ended(Status.CANCELED, id="terminated"))
    keep(store, ended(Status.EXPIRED, id="expired"))

    def find():
        return [
            v.id for v in store.read(lambda tx: verifications.older_texts_of(tx, PHONE, at=tx.now))
        ]

    assert find() == ["older"]
    clock.forward(30)
    assert find() == []


def test_those_under_other_keys_are_found(store: Store) -> None:
    keep(store, running(id="known"))
    keep(store, running(id="stranded", phone=OTHER_PHONE, key_id="gone"))
    known = [running().key_id, "another"]
    found = store.read(lambda tx: verifications.under_other_keys(tx, known, limit=10))
    assert [v.id for v in found] == ["stranded"]


def test_the_newest_come_first(store: Store) -> None:
    for second in range(3):
        keep(store, ended(Status.EXPIRED, id=f"v{second}", created_at=NOON + seconds(second)))
    newest = store.read(
        lambda tx: verification_list.find(
            tx, verification_list.ListFilter(limit=2, newest_first=True)
        )
    )
    assert [v.id for v in newest] == ["v2", "v1"]
