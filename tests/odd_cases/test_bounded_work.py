"""Many areas and unsigned forms cost little."""

import time
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from bot.admission.circuit_breaker import LOOKED_AT, CircuitBreaker, Thresholds
from bot.domain.effects import UsageKind
from bot.store.usage import Usage
from simulator.world import new_sid
from tests.harness import ACCOUNT, NUMBER, PHONE, Harness
from tests.sms.webhooks import signed

# -- the breaker with many areas -------------------------------------------------------------------


def test_a_start_costs_the_same_with_many_areas() -> None:
    """Measured in one run: the second half of 60,000 areas beside the first five thousand."""
    breaker = CircuitBreaker(Thresholds(), answer_time=timedelta(seconds=150))
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)

    def seconds(numbers: range) -> float:
        began = time.process_time()
        for number in numbers:
            phone = f"+1{number:06}0000"
            breaker.count(Usage(number, UsageKind.START, phone, "US", "function", "id", at))
        return (time.process_time() - began) / len(numbers)

    first = seconds(range(5_000))
    seconds(range(5_000, 30_000))
    last = seconds(range(30_000, 60_000))
    assert last < 5 * first
    began = time.process_time()
    breaker.open_areas(at)
    assert time.process_time() - began < 0.05


def count(breaker: CircuitBreaker, prefixes: range, at: datetime) -> None:
    for number in prefixes:
        phone = f"+1{number:06}0000"
        breaker.count(Usage(number, UsageKind.START, phone, "US", "function", "id", at))


def test_areas_without_texts_are_removed_a_few_at_a_time() -> None:
    breaker = CircuitBreaker(Thresholds(), answer_time=timedelta(seconds=150))
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    count(breaker, range(1_000), at)
    assert breaker.area_count == 1_001  # and the country
    count(breaker, range(2_000, 2_001), at + timedelta(hours=2))
    assert breaker.area_count >= 1_001 + 1 - LOOKED_AT
    count(breaker, range(2_001, 2_500), at + timedelta(hours=2))
    assert breaker.area_count == 501


def test_areas_that_are_quiet_again_are_looked_at_no_more() -> None:
    breaker = CircuitBreaker(Thresholds(texts_per_prefix=1), answer_time=timedelta(seconds=150))
    at = datetime(2026, 1, 31, 12, tzinfo=UTC)
    count(breaker, range(100), at)
    assert len(breaker.open_areas(at + timedelta(minutes=5))) == 101  # and the country
    assert breaker.open_areas(at + timedelta(hours=2)) == []
    assert not breaker.busy


def test_starts_wait_for_the_first_reading(harness: Harness) -> None:
    """No limit can be kept before the starts of the last hour are counted."""
    follower = harness.service.admission.follower
    with follower.lock:
        response = harness.post_start()
    assert (response.status_code, response.json()["code"]) == (503, "still_counting")
    assert response.headers["Retry-After"] == "1"
    assert harness.post_start().status_code == 202


# -- unsigned forms --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("signature", "fields"), [("x" * 27 + "=", 13_500), ("x", 3), ("x" * 4000, 3), ("", 100)]
)
def test_an_unsigned_form_is_not_even_hashed(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, signature: str, fields: int
) -> None:
    from twilio.request_validator import RequestValidator

    monkeypatch.setattr(RequestValidator, "compute_signature", partial(pytest.fail, "hashed"))
    body = "&".join(["a="] * fields)
    response = harness.call(
        "POST",
        "/twilio/sms",
        data=body,
        headers={
            "X-Twilio-Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded",
        },
    )
    assert response.status_code == 403


def test_as_many_fields_as_twilio_sends_are_read(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    form = {f"MediaUrl{number}": "https://example.com" for number in range(60)}
    form |= {"MessageSid": new_sid("SM"), "From": PHONE, "To": NUMBER, "Body": harness.code()}
    assert signed(harness, "/twilio/sms", {**form, "AccountSid": ACCOUNT.sid}).status_code == 200
    assert harness.status(id)["output"] is True
