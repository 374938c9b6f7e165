"""Starts replace, repeat or exclude one another, and each fixes its verification's terms."""

from bot.dispatch import catch_up
from tests.end_to_end.conftest import OTHER_PHONE
from tests.harness import FUNCTION_KEY, INSTANCES, SYSTEM_KEY, Harness


def test_a_newer_start_supersedes_the_older(harness: Harness) -> None:
    older = harness.start_and_send()["id"]
    older_code = harness.code()
    newer = harness.start_and_send()["id"]
    status = harness.status(older)
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", f"superseded by {newer}")

    harness.text(older_code)
    assert harness.answers() == ["That code is from an older text. Please use the newest one."]
    harness.text(older_code)
    assert len(harness.answers()) == 1
    assert harness.status(newer)["customStatus"]["attemptsUsed"] == 0
    harness.text(harness.code())
    assert harness.status(newer)["output"] is True


def test_a_superseded_text_that_was_not_sent_is_withdrawn(harness: Harness) -> None:
    older = harness.start()["id"]
    harness.start()
    harness.run_once()
    assert len(harness.texts()) == 1
    assert harness.status(older)["customStatus"]["delivery"] == "withdrawn"


def test_another_callers_number_is_busy(harness: Harness) -> None:
    harness.start_and_send()
    harness.forward(30)
    refused = harness.post_start(key=SYSTEM_KEY)
    assert (refused.status_code, refused.json()["code"]) == (409, "number_busy")
    assert refused.headers["Retry-After"] == "60"
    assert len(harness.texts()) == 1
    harness.forward(60)
    assert harness.post_start(key=SYSTEM_KEY).status_code == 202


def test_the_same_idempotency_key_gets_the_first_answer(harness: Harness) -> None:
    headers = {"Idempotency-Key": "order-66"}
    first = harness.start_and_send(headers=headers)
    assert harness.start_and_send(headers=headers) == first
    assert len(harness.texts()) == 1
    harness.text(harness.code())
    assert harness.start_and_send(headers=headers) == first
    other = harness.start_and_send(OTHER_PHONE, headers=headers)
    assert other["id"] != first["id"]
    harness.forward(24 * 3600)
    assert harness.start_and_send(headers=headers)["id"] != first["id"]


def test_a_restart_under_the_key_of_its_start_begins_a_new_one(harness: Harness) -> None:
    headers = {"Idempotency-Key": "order-66"}
    first = harness.start_and_send(headers=headers)
    path = f"{INSTANCES}/{first['id']}/restart"
    second = harness.call("POST", path, headers=headers).json()
    assert second["id"] != first["id"]
    assert harness.call("POST", path, headers=headers).json() == second
    again = f"{INSTANCES}/{second['id']}/restart"
    third = harness.call("POST", again, headers=headers).json()
    assert harness.call("POST", path, headers=headers).json() == second
    assert harness.call("POST", again, headers=headers).json() == third
    assert harness.start(headers=headers) == first
    harness.run_once()
    assert len(harness.texts()) == 2  # the second was replaced before its text went out


def test_retired_keys_fail_what_is_pending(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.restart(SECRET_KEY="another-secret-key")
    assert catch_up.retire_keys(harness.store, harness.service.rules.keyring) == 1
    status = harness.status(id)
    assert (status["runtimeStatus"], status["output"]) == ("Failed", "key_retired")


def test_a_reply_under_a_retired_key_ends_it_too(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.restart(SECRET_KEY="another-secret-key")
    assert harness.text(harness.code()).status == 200
    assert harness.status(id)["output"] == "key_retired"


def test_an_answer_over_http_under_a_retired_key_ends_it_too(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.restart(SECRET_KEY="another-secret-key")
    assert harness.answer(id, harness.code()).status_code == 202
    assert harness.status(id)["output"] == "key_retired"


def test_an_older_text_under_a_retired_key_is_left_alone(harness: Harness) -> None:
    harness.start_and_send()
    harness.text(harness.code())
    harness.restart(SECRET_KEY="another-secret-key")
    id = harness.start_and_send()["id"]
    assert harness.text(harness.wrong()).status == 200
    assert harness.status(id)["customStatus"]["attemptsUsed"] == 1


def test_terms_are_those_of_the_start(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.restart(CODE_LENGTH="8", WINDOW_SECONDS="10", MAX_ATTEMPTS="1")
    harness.forward(60)
    harness.text(harness.wrong())
    assert harness.status(id)["customStatus"]["attemptsLeft"] == 3
    harness.text(harness.code())
    assert harness.status(id)["output"] is True


def test_function_keys_start_for_any_number_of_phones(harness: Harness) -> None:
    phones = [f"+1425555{number:04}" for number in range(200, 220)]
    ids = {phone: harness.start(phone, key=FUNCTION_KEY)["id"] for phone in phones}
    harness.run_once()
    for phone in phones:
        harness.text(harness.code(phone), phone=phone)
    assert all(harness.status(id)["output"] is True for id in ids.values())
