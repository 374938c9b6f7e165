"""The phones page finds verifications that were started elsewhere, with few requests."""

from datetime import timedelta

import pytest
import requests

from simulator import statuses
from simulator.statuses import Statuses
from tests.harness import FUNCTION_KEY, INSTANCES, PHONE, SYSTEM_KEY, Harness
from tests.statuses.looks import HandSeconds, look, shown


@pytest.mark.parametrize(
    "body",
    [
        PHONE,
        "+1 (425) 555-0123",
        "+1 425.555.0123",
        '"+14255550123"',
        {"phoneNumber": "+1-425-555-0123", "tag": "order-1", "locale": "ar"},
    ],
)
def test_a_start_elsewhere_is_found_by_its_number_in_any_spelling(
    harness: Harness, body: object
) -> None:
    harness.simulator.world.add_phone(PHONE)
    response = harness.call("POST", "/orchestrators/E4_SmsPhoneVerification", json=body)
    found = shown(harness)
    assert found is not None
    assert (found["id"], found["runtimeStatus"]) == (response.json()["id"], "Pending")
    harness.run_once()
    assert (shown(harness) or {})["runtimeStatus"] == "Running"
    harness.text(harness.code())
    assert (shown(harness) or {})["status"] == "approved"


def test_two_spellings_of_a_line_are_one_phone(
    harness: Harness, known: Statuses, seconds: HandSeconds
) -> None:
    id = harness.start("+52 1 55 1234 5678")["id"]
    for spelling in ("+525512345678", "+5215512345678"):
        found = look(known, seconds, spelling)
        assert found is not None
        assert found["id"] == id


def test_starts_of_a_command_and_through_verifys_api_are_found(
    harness: Harness, known: Statuses, seconds: HandSeconds
) -> None:
    by_command, by_verify = PHONE, "+14255550199"
    ran = harness.flask("start", "--no-wait", "+1 425 555 0123")
    assert ran.exit_code == 0, ran.output
    path = f"/v2/Services/{harness.settings.service_sid}/Verifications"
    response = requests.post(
        harness.url + path,
        data={"To": by_verify, "Channel": "sms"},
        auth=("anyone", FUNCTION_KEY),
        timeout=20,
    )
    assert response.status_code == 201, response.text
    for phone in (by_command, by_verify):
        assert (look(known, seconds, phone) or {})["status"] == "pending"


def test_one_of_an_id_of_its_own_is_found_and_followed(
    harness: Harness, known: Statuses, seconds: HandSeconds
) -> None:
    own = f"{INSTANCES.removesuffix('/instances')}/orchestrators/E4_SmsPhoneVerification/a%20b%25"
    assert harness.call("POST", own, json=PHONE).status_code == 202
    assert (look(known, seconds) or {})["id"] == "a b%"
    harness.run_once()
    harness.text("STOP")
    found = look(known, seconds)
    assert found is not None
    assert (found["status"], found["cause"]) == ("canceled", "opted_out")


def test_the_newest_of_a_phone_is_told_also_where_both_began_in_one_second(
    harness: Harness, known: Statuses, seconds: HandSeconds
) -> None:
    ids = [harness.start()["id"] for _ in range(4)]
    assert (look(known, seconds) or {})["id"] == ids[-1]
    ids.append(harness.start()["id"])
    assert (look(known, seconds) or {})["id"] == ids[-1]
    harness.clock.forward(5)
    ids.append(harness.start()["id"])
    assert (look(known, seconds) or {})["id"] == ids[-1]


def test_more_starts_than_a_look_reads_are_caught_up_with(
    harness: Harness, known: Statuses, seconds: HandSeconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statuses, "PAGE", 2)
    monkeypatch.setattr(statuses, "PAGES_A_LOOK", 2)
    phones = [f"+1425555{200 + number:04}" for number in range(10)]
    ids = [harness.start(phone)["id"] for phone in phones]
    for _ in range(3):
        look(known, seconds, *phones)
    assert [(known.of(phone) or {}).get("id") for phone in phones] == ids


def test_pending_ones_are_read_in_turn_and_no_more_than_a_few_in_a_look(
    harness: Harness, known: Statuses, seconds: HandSeconds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statuses, "READ_A_LOOK", 2)
    phones = [f"+1425555{200 + number:04}" for number in range(5)]
    for phone in phones:
        harness.start(phone)
        harness.clock.forward(5)  # each is past what the next look lists again
        look(known, seconds, *phones)
    harness.run_once()
    for phone in phones:
        harness.text(harness.code(phone), phone)
    asked = count_requests(harness)
    look(known, seconds, *phones)
    assert len(asked) == 3
    for _ in range(2):
        look(known, seconds, *phones)
    assert {(known.of(phone) or {})["status"] for phone in phones} == {"approved"}
    asked.clear()
    look(known, seconds, *phones)
    assert len(asked) == 1, "nothing is pending"


def test_a_look_is_taken_at_once_after_a_text_and_else_now_and_then(
    harness: Harness, known: Statuses, seconds: HandSeconds
) -> None:
    asked = count_requests(harness)

    def refresh(after: float, texts: int) -> int:
        """Refreshes. Returns how many requests that took."""
        asked.clear()
        seconds.now += after
        known.refresh([PHONE], texts).result(20)
        return len(asked)

    idle = statuses.IDLE_SECONDS
    assert [refresh(0, 0), refresh(0, 0), refresh(idle - 1, 0), refresh(1, 0)] == [1, 0, 0, 1]
    assert [refresh(0, 1), refresh(0, 1)] == [1, 0]
    harness.start_and_send()
    refresh(0, 2)
    assert [refresh(statuses.PENDING_SECONDS, 2) > 0, refresh(0.5, 2)] == [True, 0]


def test_a_removed_verification_is_told_no_more(
    harness: Harness, known: Statuses, seconds: HandSeconds
) -> None:
    harness.start_and_send()
    harness.clock.forward(10)
    harness.start("+14255550199")  # the list is read from here on
    assert look(known, seconds) is not None
    harness.forget(PHONE)
    assert look(known, seconds) is None


def count_requests(harness: Harness) -> list[str]:
    """Paths that are asked for from now on."""
    asked: list[str] = []
    textback = harness.app

    class Counting:
        def __call__(self, environ, start_response):
            asked.append(environ["PATH_INFO"])
            return textback(environ, start_response)

        def __getattr__(self, name: str):
            return getattr(textback, name)

    harness.app = Counting()  # type: ignore[assignment]
    return asked


def test_the_first_look_goes_back_an_hour(harness: Harness, seconds: HandSeconds) -> None:
    """A suspended verification may last that long, and the simulator was restarted meanwhile."""
    harness.start_and_send("+14255550199")
    harness.clock.forward(600)
    id = harness.start_and_send()["id"]
    harness.clock.now += timedelta(minutes=59)
    known = Statuses(harness.url, SYSTEM_KEY, clock=harness.clock, monotonic=seconds)
    try:
        assert (look(known, seconds) or {})["id"] == id
        assert known.of("+14255550199") is None
    finally:
        known.close()
