"""Start by id, suspend, resume, restart and rewind."""

from datetime import timedelta

import pytest

from bot.domain.verification import SUSPENSION
from tests.durable.orders import order
from tests.harness import FUNCTION_KEY, INSTANCES, PHONE, Harness

BASE = "/runtime/webhooks/durabletask"
STARTS = f"{BASE}/orchestrators/E4_SmsPhoneVerification"
OTHER_PHONE = "+14255550199"


def begin(harness: Harness, id: str = "", phone: str = PHONE, **more):
    return harness.call("POST", f"{STARTS}/{id}" if id else STARTS, json=phone, **more)


def stage(harness: Harness, id: str) -> str:
    return harness.status(id)["runtimeStatus"]


# -- start -----------------------------------------------------------------------------------------


def test_an_id_of_ones_own_is_kept(harness: Harness) -> None:
    response = begin(harness, "order 66/ä".replace("/", "-"))
    assert response.status_code == 202
    assert response.json()["id"] == "order 66-ä"
    assert "/instances/order%2066-%C3%A4?code=" in response.json()["statusQueryGetUri"]
    assert harness.http.get(response.json()["statusQueryGetUri"]).status_code == 202


@pytest.mark.parametrize(
    "id", ["@me", "a%23b", "a%3Fb", "a%5Cb", "a%00b", "a%0Ab", "M%FCller", "x" * 257]
)
def test_an_impossible_id_is_400(harness: Harness, id: str) -> None:
    response = begin(harness, id)
    assert (response.status_code, response.json()["code"]) == (400, "invalid_id")


def test_a_used_id_is_409_finished_or_not(harness: Harness) -> None:
    assert begin(harness, "mine").status_code == 202
    again = begin(harness, "mine", OTHER_PHONE)
    assert (again.status_code, again.json()["code"]) == (409, "id_in_use")
    assert again.json()["Message"].startswith("An Orchestration instance")
    order(harness, "mine", "terminate")
    assert begin(harness, "mine").status_code == 409
    assert len(harness.newest(10)) == 1


def test_the_function_key_starts_on_its_own_route_alone(harness: Harness) -> None:
    assert begin(harness, key=FUNCTION_KEY).status_code == 403
    assert begin(harness, "mine", key=FUNCTION_KEY).status_code == 403
    assert begin(harness, key="wrong").status_code == 401


def test_the_management_route_reads_any_content_type(harness: Harness) -> None:
    for kind in ("text/plain", "application/octet-stream", "application/x-www-form-urlencoded"):
        response = harness.call("POST", STARTS, data=f'"{PHONE}"', headers={"Content-Type": kind})
        assert response.status_code == 202


# -- suspend and resume ----------------------------------------------------------------------------


def test_suspended_it_is_shown_and_silent(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    assert order(harness, id, "suspend?reason=lunch") == 202
    assert stage(harness, id) == "Suspended"
    harness.text(harness.wrong())
    assert harness.answers() == []
    assert order(harness, id, "resume") == 202
    assert stage(harness, id) == "Running"
    harness.text(harness.wrong())
    assert harness.answers() == ["That code is not right. Tries left: 2"]


def test_four_wrong_then_the_right_one_are_out_of_tries_on_resume(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "suspend")
    for _ in range(4):
        harness.answer(id, harness.wrong())
    harness.answer(id, harness.code())
    assert stage(harness, id) == "Suspended"
    order(harness, id, "resume")
    status = harness.status(id)
    assert (status["output"], status["customStatus"]["status"]) == (False, "max_attempts_reached")


def test_right_before_the_deadline_is_approved_on_resume_however_late(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "suspend")
    harness.forward(89)
    harness.text(harness.code())
    harness.forward(3000)
    assert stage(harness, id) == "Suspended"
    order(harness, id, "resume")
    assert harness.status(id)["output"] is True


def test_right_after_the_deadline_is_expired_on_resume(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "suspend")
    harness.forward(90)
    harness.text(harness.code())
    order(harness, id, "resume")
    assert harness.status(id)["customStatus"]["status"] == "expired"


def test_what_nobody_resumed_for_an_hour_is_published(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "suspend")
    harness.text(harness.code())
    harness.forward((SUSPENSION - timedelta(seconds=1)).total_seconds())
    assert stage(harness, id) == "Suspended"
    harness.forward(1)
    assert harness.status(id)["output"] is True


def test_terminate_discards_what_was_held(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    order(harness, id, "suspend")
    harness.text(harness.code())
    assert order(harness, id, "terminate?reason=no") == 202
    assert (stage(harness, id), harness.status(id)["output"]) == ("Terminated", "no")


def test_suspending_twice_and_resuming_what_runs_are_202(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    assert [order(harness, id, what) for what in ("resume", "suspend", "suspend", "resume")] == [
        202
    ] * 4


@pytest.mark.parametrize("what", ["terminate", "suspend", "resume"])
def test_orders_are_404_for_the_unknown_and_410_for_the_finished(
    harness: Harness, what: str
) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    assert order(harness, "unknown", what) == 404
    assert order(harness, id, what) == 410


# -- restart and rewind ----------------------------------------------------------------------------


def test_restart_is_a_new_one_for_the_same_number_and_key(harness: Harness) -> None:
    first = harness.start_and_send()["id"]
    harness.text(harness.code())
    response = harness.call("POST", f"{INSTANCES}/{first}/restart")
    assert response.status_code == 202
    second = response.json()["id"]
    assert second != first
    assert harness.status(second)["input"] == PHONE
    view = harness.view(second)
    assert view.verification.started_by == "function"
    harness.run_once()
    harness.text(harness.code())
    assert harness.status(second)["output"] is True


def test_restart_of_a_running_one_supersedes_it(harness: Harness) -> None:
    first = harness.start_and_send()["id"]
    second = harness.call("POST", f"{INSTANCES}/{first}/restart").json()["id"]
    assert harness.status(first)["output"] == f"superseded by {second}"


def test_restart_under_the_old_id_is_409_and_of_the_unknown_400(harness: Harness) -> None:
    id = harness.start()["id"]
    path = f"{INSTANCES}/{id}/restart?restartWithNewInstanceId=False"
    assert harness.call("POST", path).json()["code"] == "id_in_use"
    for query in ("", "?restartWithNewInstanceId=False"):
        unknown = harness.call("POST", f"{INSTANCES}/unknown/restart{query}")
        assert unknown.status_code == 400
    assert unknown.json()["Message"] == "InstanceId does not match a valid orchestration instance."


def test_rewind_is_501(harness: Harness) -> None:
    id = harness.start()["id"]
    assert order(harness, id, "rewind") == 501
    assert order(harness, "unknown", "rewind") == 404
