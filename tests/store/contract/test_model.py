"""Compares the store with a plain model: after any actions, both give the same answers."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from bot.domain.effects import UsageKind
from bot.domain.limits import Limit, LimitName
from bot.domain.verification import Stage
from bot.store import opt_outs, outbox, usage, verification_list, verifications
from bot.store.verification_list import ListFilter
from tests.builders import OUR_NUMBER
from tests.conftest import SOAK
from tests.postgres import Server
from tests.store.contract.model import PHONES, StoreAndModel


class StoreBesideModel(StoreAndModel):
    @invariant()
    def each_is_the_same(self) -> None:
        for id, expected in self.model.verifications.items():
            assert self.store.read(lambda tx, id=id: verifications.load(tx, id)) == expected
            text = self.store.read(lambda tx, id=id: outbox.load(tx, f"o{id}"))
            assert text is not None
            assert (text.state, text.claims) == self.model.texts[f"o{id}"][::2]

    @invariant()
    def each_number_has_the_same_pending_one(self) -> None:
        for phone in PHONES:
            found = self.store.read(lambda tx, phone=phone: verifications.pending_of(tx, phone))
            assert found == self.model.pending_of(phone)
            marked = self.store.read(
                lambda tx, phone=phone: opt_outs.load(tx, phone=phone, from_address=OUR_NUMBER)
            )
            assert (marked is not None) == (phone in self.model.opted_out)

    @rule(
        stages=st.sets(st.sampled_from(sorted(Stage)), max_size=2),
        phone=st.sampled_from(["", *PHONES]),
        newest_first=st.booleans(),
        limit=st.integers(1, 4),
    )
    def list_them(self, stages: set[Stage], phone: str, newest_first: bool, limit: int) -> None:
        wanted = ListFilter(
            limit=limit, stages=frozenset(stages), phone=phone, newest_first=newest_first
        )
        expected = sorted(
            (
                v
                for v in self.model.verifications.values()
                if (not stages or v.stage in stages) and phone in ("", v.phone)
            ),
            key=lambda v: (v.created_at, v.id),
            reverse=newest_first,
        )
        found = self.store.read(lambda tx: verification_list.find(tx, wanted))
        assert [v.id for v in found] == [v.id for v in expected[:limit]]

    @rule(phone=st.sampled_from(PHONES))
    def limits(self, phone: str) -> None:
        limit = Limit(LimitName.PER_NUMBER, 2, 60)
        now = self.now()
        mine = [at for number, at in self.model.starts if number == phone]
        is_full = len([at for at in mine if at > now - limit.window]) >= 2
        hit = self.store.read(lambda tx: usage.hit(tx, UsageKind.START, [limit], phone=phone))
        assert (hit is not None) == is_full


def compare(new_url: Callable[[str], str], *, examples: int) -> None:
    run_state_machine_as_test(
        lambda: StoreBesideModel(new_url),
        settings=settings(
            max_examples=examples if SOAK == 1 else 3 * examples * SOAK,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.timeout(120 * SOAK)
def test_sqlite_says_what_the_model_says() -> None:
    compare(lambda folder: f"sqlite:///{folder}/t.db", examples=10)


@pytest.mark.timeout(120 * SOAK)
def test_postgresql_says_what_the_model_says(postgres: Server) -> None:
    compare(lambda folder: postgres.new_database(), examples=4)
