"""Whole walks, from the caller's POST to the phone and back, without sleeping."""

import pytest

from tests.desk import FUNCTION_KEY, INSTANCES, SYSTEM_KEY, Desk

OTHER_PHONE = "+14255550199"


@pytest.fixture
def desk(any_desk: Desk) -> Desk:
    """Every walk on both databases."""
    return any_desk


def test_right_code_by_text_is_true(desk: Desk) -> None:
    links = desk.start_and_send()
    pending = desk.http.get(links["statusQueryGetUri"])
    assert (pending.status_code, pending.json()["runtimeStatus"]) == (202, "Running")
    assert desk.texts()[-1].body.endswith(f"Ref {links['reference']}")

    answer = desk.text(desk.code())
    assert answer.status == 200
    assert desk.answers() == ["Thank you, this number is verified."]

    done = desk.http.get(links["statusQueryGetUri"])
    assert done.status_code == 200
    assert (done.json()["runtimeStatus"], done.json()["output"]) == ("Completed", True)
    assert desk.history(links["id"]) == [
        "started",
        "text_tried",
        "text_accepted",
        "right_answer",
        "approved",
    ]


def test_four_wrong_codes_are_false(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    for _ in range(4):
        desk.text(desk.wrong())
    status = desk.status(id)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", False)
    assert status["customStatus"]["status"] == "max_attempts_reached"
    assert desk.answers() == [
        "That code is not right. 3 tries left.",
        "That code is not right. 2 tries left.",
        "That code is not right. 1 try left.",
        "That code is not right and no tries are left. Please start again.",
    ]
    desk.text(desk.code())
    assert desk.status(id)["output"] is False


def test_wrong_wrong_right_is_true(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.text(desk.wrong())
    desk.text(desk.wrong())
    desk.text(desk.code())
    status = desk.status(id)
    assert (status["output"], status["customStatus"]["attemptsUsed"]) == (True, 2)


def test_silence_is_false_at_the_deadline(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.forward(89.9)
    assert desk.status(id)["runtimeStatus"] == "Running"
    desk.forward(0.1)
    status = desk.status(id)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", False)
    assert status["customStatus"]["status"] == "expired"
    assert status["lastUpdatedTime"] == status["customStatus"]["deadline"]


def test_a_late_answer_expires_it_before_the_timer_does(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.clock.forward(90)
    desk.text(desk.code())
    assert desk.status(id)["customStatus"]["status"] == "expired"
    assert desk.answers() == ["That came too late, the time was over. Please start again."]


def test_an_answer_in_the_last_moment_counts_though_the_timer_looks_at_once(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.clock.forward(89.999999)
    desk.text(desk.code())
    desk.forward(1)
    assert desk.status(id)["output"] is True


def test_terminate_ends_with_the_reason(desk: Desk) -> None:
    links = desk.start_and_send()
    url = links["terminatePostUri"].replace("{text}", "changed%20my%20mind")
    assert desk.http.post(url).status_code == 202
    status = desk.status(links["id"])
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", "changed my mind")
    desk.text(desk.code())
    assert desk.answers() == ["That code is no longer needed."]


def test_the_answer_by_http_counts_as_a_reply(desk: Desk) -> None:
    links = desk.start_and_send()
    url = links["sendEventPostUri"].replace("{eventName}", "SmsChallengeResponse")
    assert desk.http.post(url, json=desk.wrong()).status_code == 202
    assert desk.http.post(url, json=desk.code()).status_code == 202
    status = desk.status(links["id"])
    assert (status["output"], status["customStatus"]["attemptsUsed"]) == (True, 1)
    assert desk.answers() == [], "an answer by HTTP is not answered by text"


def test_a_code_with_leading_zeros_works_everywhere(desk: Desk, monkeypatch) -> None:
    from bot.domain.code import Keyring

    monkeypatch.setattr(Keyring, "code", lambda *_, **__: "0042")
    first = desk.start_and_send()["id"]
    assert desk.code() == "0042"
    desk.text("42")
    assert desk.status(first)["customStatus"]["attemptsUsed"] == 0
    desk.text("0042")
    assert desk.status(first)["output"] is True
    for body in (b"0042", b"42", b'"0042"', b'"\\"0042\\""'):
        id = desk.start_and_send()["id"]
        path = f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse"
        headers = {"Content-Type": "application/json"}
        assert desk.call("POST", path, data=body, headers=headers).status_code == 202
        assert desk.status(id)["output"] is True, body


def test_a_newer_start_supersedes_the_older(desk: Desk) -> None:
    older = desk.start_and_send()["id"]
    older_code = desk.code()
    newer = desk.start_and_send()["id"]
    status = desk.status(older)
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", f"superseded by {newer}")

    desk.text(older_code)
    assert desk.answers() == ["That code is from an older text. Please use the newest one."]
    desk.text(older_code)
    assert len(desk.answers()) == 1
    assert desk.status(newer)["customStatus"]["attemptsUsed"] == 0
    desk.text(desk.code())
    assert desk.status(newer)["output"] is True


def test_a_superseded_text_that_was_not_sent_is_withdrawn(desk: Desk) -> None:
    older = desk.start()["id"]
    desk.start()
    desk.run_once()
    assert len(desk.texts()) == 1
    assert desk.status(older)["customStatus"]["delivery"] == "withdrawn"


def test_another_callers_number_is_busy(desk: Desk) -> None:
    desk.start_and_send()
    desk.forward(30)
    refused = desk.post_start(key=SYSTEM_KEY)
    assert (refused.status_code, refused.json()["code"]) == (409, "number_busy")
    assert refused.headers["Retry-After"] == "60"
    assert len(desk.texts()) == 1
    desk.forward(60)
    assert desk.post_start(key=SYSTEM_KEY).status_code == 202


def test_the_same_idempotency_key_gets_the_first_answer(desk: Desk) -> None:
    headers = {"Idempotency-Key": "order-66"}
    first = desk.start_and_send(headers=headers)
    assert desk.start_and_send(headers=headers) == first
    assert len(desk.texts()) == 1
    desk.text(desk.code())
    assert desk.start_and_send(headers=headers) == first
    other = desk.start_and_send(OTHER_PHONE, headers=headers)
    assert other["id"] != first["id"]
    desk.forward(24 * 3600)
    assert desk.start_and_send(headers=headers)["id"] != first["id"]


def test_stop_cancels_and_start_lifts_it(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    assert desk.text("STOP").body.endswith("<Response />")
    status = desk.status(id)
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", "opted_out")
    assert status["customStatus"]["attemptsUsed"] == 0
    refused = desk.post_start()
    assert (refused.status_code, refused.json()["code"]) == (409, "opted_out")
    desk.text(desk.code())
    assert [answer for answer in desk.answers() if "needed" in answer] == []
    desk.text("START")
    assert desk.post_start().status_code == 202


def test_an_old_opt_out_is_tried_once_a_day(desk: Desk) -> None:
    desk.text("STOP")
    desk.forward(24 * 3600 - 1)
    assert desk.post_start().status_code == 409
    desk.forward(1)
    id = desk.start_and_send()["id"]
    status = desk.status(id)
    assert (status["runtimeStatus"], status["customStatus"]["errorCode"]) == ("Failed", 21610)
    assert desk.post_start().status_code == 409, "Twilio said that it still holds"


def test_a_quote_is_no_attempt_and_gets_one_hint(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    for _ in range(2):
        desk.text(f"Loved \u201c{desk.texts()[-1].body}\u201d")
    desk.text("who is this?")
    assert desk.answers() == ["Please reply with just the 4 digits."]
    status = desk.status(id)["customStatus"]
    assert (status["status"], status["attemptsUsed"]) == ("pending", 0)


def test_strangers_get_no_answer(desk: Desk) -> None:
    desk.start_and_send()
    desk.text("1234", phone=OTHER_PHONE)
    desk.text("hello", phone=OTHER_PHONE)
    assert desk.answers(OTHER_PHONE) == []


def test_a_text_sent_before_the_send_call_returned_is_judged(desk: Desk) -> None:
    """The phone answers while Twilio still holds the answer to our send back."""
    send = desk.simulator.webhooks.report
    codes = []

    def answer_at_once(message):
        codes.append(desk.code())
        desk.text(codes[0])
        return send(message)

    desk.simulator.webhooks.report = answer_at_once
    id = desk.start_and_send()["id"]
    assert desk.status(id)["output"] is True
    assert desk.history(id)[-1] == "text_accepted", "a fact about delivery may still be added"


def test_retired_keys_fail_what_is_pending(desk: Desk) -> None:
    from bot.dispatch import expire
    from bot.domain.code import Keyring

    id = desk.start_and_send()["id"]
    desk.verifications.keyring = Keyring(["another secret key"])
    assert expire.retire_keys(desk.verifications) == 1
    status = desk.status(id)
    assert (status["runtimeStatus"], status["output"]) == ("Failed", "key_retired")


def test_a_reply_under_a_retired_key_ends_it_too(desk: Desk) -> None:
    from bot.domain.code import Keyring

    id = desk.start_and_send()["id"]
    desk.verifications.keyring = Keyring(["another secret key"])
    assert desk.text(desk.code()).status == 200
    assert desk.status(id)["output"] == "key_retired"


def test_terms_are_those_of_the_start(desk: Desk) -> None:
    from bot.domain.verification import Terms

    id = desk.start_and_send()["id"]
    desk.verifications._terms = Terms(code_length=8, window_seconds=10, max_attempts=1)
    desk.forward(60)
    desk.text(desk.wrong())
    assert desk.status(id)["customStatus"]["attemptsLeft"] == 3
    desk.text(desk.code())
    assert desk.status(id)["output"] is True


def test_function_keys_start_for_any_number_of_phones(desk: Desk) -> None:
    phones = [f"+1425555{number:04}" for number in range(200, 220)]
    ids = {phone: desk.start(phone, key=FUNCTION_KEY)["id"] for phone in phones}
    desk.run_once()
    for phone in phones:
        desk.text(desk.code(phone), phone=phone)
    assert all(desk.status(id)["output"] is True for id in ids.values())
