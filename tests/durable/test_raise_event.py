"""raiseEvent takes an answer in every spelling, and keeps only the name of any other event."""

import json

import pytest

from tests.harness import INSTANCES, Harness


@pytest.mark.parametrize(
    ("wrapped", "attempts"),
    [("{}", 1), ('"{}"', 1), ('"\\"{}\\""', 1), (" {} ", 1), ('"my code is {}"', 1)],
)
def test_every_spelling_of_an_answer_is_one_attempt(
    harness: Harness, wrapped: str, attempts: int
) -> None:
    id = harness.start_and_send()["id"]
    response = harness.call(
        "POST",
        f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse",
        data=wrapped.format(harness.wrong()),
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    assert (response.status_code, response.content) == (202, b"")
    assert "Content-Type" not in response.headers
    assert harness.status(id)["customStatus"]["attemptsUsed"] == attempts


@pytest.mark.parametrize("value", ["abc", "", 12345, "STOP"])
def test_an_answer_without_a_code_is_no_attempt(harness: Harness, value: object) -> None:
    id = harness.start_and_send()["id"]
    assert harness.answer(id, value).status_code == 202
    custom = harness.status(id)["customStatus"]
    assert (custom["status"], custom["attemptsUsed"]) == ("pending", 0)


@pytest.mark.parametrize("value", [None, True, {}, {"code": "1234"}, ["1234"], 12.5, -1, 10**30])
def test_an_answer_that_is_no_text_and_no_number_is_400(harness: Harness, value: object) -> None:
    id = harness.start_and_send()["id"]
    before = harness.history(id)
    response = harness.call(
        "POST",
        f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse",
        data=json.dumps(value),
        headers={"Content-Type": "application/json"},
    )
    assert (response.status_code, response.json()["code"]) == (400, "invalid_answer")
    assert harness.history(id) == before


def test_checks_come_in_the_order_404_410_400(harness: Harness) -> None:
    def post(id: str, **more) -> tuple[int, bytes]:
        response = harness.call("POST", f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse", **more)
        return response.status_code, response.content

    id = harness.start_and_send()["id"]
    assert post("unknown", data=b"not json")[0] == 404
    assert post(id, data=b"1234")[0] == 400, "no content type"
    headers = {"Content-Type": "application/json"}
    assert post(id, data=b"", headers=headers)[0] == 400
    assert post(id, data=b"not json", headers=headers)[0] == 400
    assert post(id, data=b"\xff", headers=headers)[0] == 400
    harness.text(harness.code())
    assert post(id, data=b"not json") == (410, b"")


def test_any_other_event_is_taken_and_only_its_name_kept(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    path = f"{INSTANCES}/{id}/raiseEvent/Weather"
    assert harness.call("POST", path, json={"secret": "rain"}).status_code == 202
    view = harness.view(id, with_history=True)
    assert (view.history[-1].event, view.history[-1].detail) == (
        "event_raised",
        {"name": "Weather"},
    )
    assert "rain" not in repr(view)


def test_event_names_match_in_any_case(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    path = f"{INSTANCES}/{id}/RAISEEVENT/smschallengeresponse/"
    assert harness.call("POST", path, json=harness.code()).status_code == 202
    assert harness.status(id)["output"] is True


def test_an_event_without_a_name_is_404(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    assert harness.call("POST", f"{INSTANCES}/{id}/raiseEvent", json="1").status_code == 404


def test_the_code_of_a_superseded_one_is_no_attempt(harness: Harness) -> None:
    """As by text: the person typed it from the older text."""
    harness.start_and_send()
    older = harness.code()
    harness.clock.forward(16)
    id = harness.start_and_send()["id"]
    if harness.code() == older:
        return  # one in ten thousand
    assert harness.answer(id, older).status_code == 202
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 0
    harness.answer(id, harness.code())
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize(
    "dirt", ["%20", "%E2%80%8B", "%C2%AD"]
)  # a zero-width space, a soft hyphen
def test_dirt_around_the_name_of_our_event_makes_no_other_event(
    harness: Harness, dirt: str
) -> None:
    id = harness.start_and_send()["id"]
    path = f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse{dirt}"
    assert harness.call("POST", path, json=harness.code()).status_code == 202
    assert harness.status(id)["output"] is True
