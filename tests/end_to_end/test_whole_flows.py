"""Whole verifications, from the caller's POST to the phone and back, without sleeping."""

from tests.end_to_end.conftest import OTHER_PHONE
from tests.harness import INSTANCES, Harness


def test_right_code_by_text_is_true(harness: Harness) -> None:
    links = harness.start_and_send()
    pending = harness.http.get(links["statusQueryGetUri"])
    assert (pending.status_code, pending.json()["runtimeStatus"]) == (202, "Running")
    assert harness.texts()[-1].body.endswith(f"Ref {links['reference']}. Not you? Reply NO")

    answer = harness.text(harness.code())
    assert answer.status == 200
    assert harness.answers() == ["Thank you, this number is verified."]

    done = harness.http.get(links["statusQueryGetUri"])
    assert done.status_code == 200
    assert (done.json()["runtimeStatus"], done.json()["output"]) == ("Completed", True)
    assert harness.history(links["id"]) == [
        "started",
        "text_tried",
        "text_accepted",
        "right_answer",
        "approved",
    ]


def test_four_wrong_codes_are_false(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    for _ in range(4):
        harness.text(harness.wrong())
    status = harness.status(id)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", False)
    assert status["customStatus"]["status"] == "max_attempts_reached"
    assert harness.answers() == [
        "That code is not right. Tries left: 3",
        "That code is not right. Tries left: 2",
        "That code is not right. Tries left: 1",
        "That code is not right and no tries are left. Please start again.",
    ]
    harness.text(harness.code())
    assert harness.status(id)["output"] is False


def test_wrong_wrong_right_is_true(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.wrong())
    harness.text(harness.wrong())
    harness.text(harness.code())
    status = harness.status(id)
    assert (status["output"], status["customStatus"]["attemptsUsed"]) == (True, 2)


def test_silence_is_false_at_the_deadline(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(89.9)
    assert harness.status(id)["runtimeStatus"] == "Running"
    harness.forward(0.1)
    status = harness.status(id)
    assert (status["runtimeStatus"], status["output"]) == ("Completed", False)
    assert status["customStatus"]["status"] == "expired"
    assert status["lastUpdatedTime"] == status["customStatus"]["deadline"]


def test_a_late_answer_expires_it_before_the_timer_does(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.clock.forward(90)
    harness.text(harness.code())
    assert harness.status(id)["customStatus"]["status"] == "expired"
    assert harness.answers() == ["That code has expired. Please start again."]


def test_an_answer_in_the_last_moment_counts_though_the_timer_looks_at_once(
    harness: Harness,
) -> None:
    id = harness.start_and_send()["id"]
    harness.clock.forward(89.999999)
    harness.text(harness.code())
    harness.forward(1)
    assert harness.status(id)["output"] is True


def test_terminate_ends_with_the_reason(harness: Harness) -> None:
    links = harness.start_and_send()
    url = links["terminatePostUri"].replace("{text}", "changed%20my%20mind")
    assert harness.http.post(url).status_code == 202
    status = harness.status(links["id"])
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", "changed my mind")
    harness.text(harness.code())
    assert harness.answers() == ["That code is no longer needed."]


def test_the_answer_by_http_counts_as_a_reply(harness: Harness) -> None:
    links = harness.start_and_send()
    url = links["sendEventPostUri"].replace("{eventName}", "SmsChallengeResponse")
    assert harness.http.post(url, json=harness.wrong()).status_code == 202
    assert harness.http.post(url, json=harness.code()).status_code == 202
    status = harness.status(links["id"])
    assert (status["output"], status["customStatus"]["attemptsUsed"]) == (True, 1)
    assert harness.answers() == [], "an answer by HTTP is not answered by text"


def test_a_code_with_leading_zeros_works_everywhere(harness: Harness, monkeypatch) -> None:
    from bot.domain.code import Keyring

    monkeypatch.setattr(Keyring, "code", lambda *_, **__: "0042")
    first = harness.start_and_send()["id"]
    assert harness.code() == "0042"
    harness.text("42")
    assert harness.status(first)["customStatus"]["attemptsUsed"] == 0
    harness.text("0042")
    assert harness.status(first)["output"] is True
    for body in (b"0042", b"42", b'"0042"', b'"\\"0042\\""'):
        id = harness.start_and_send()["id"]
        path = f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse"
        headers = {"Content-Type": "application/json"}
        assert harness.call("POST", path, data=body, headers=headers).status_code == 202
        assert harness.status(id)["output"] is True, body


def test_stop_cancels_and_start_lifts_it(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    assert harness.text("STOP").body.endswith("<Response />")
    status = harness.status(id)
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", "opted_out")
    assert status["customStatus"]["attemptsUsed"] == 0
    refused = harness.post_start()
    assert (refused.status_code, refused.json()["code"]) == (409, "opted_out")
    harness.text(harness.code())
    assert [answer for answer in harness.answers() if "needed" in answer] == []
    harness.text("START")
    assert harness.post_start().status_code == 202


def test_an_old_opt_out_is_tried_once_a_day(harness: Harness) -> None:
    harness.text("STOP")
    harness.forward(24 * 3600 - 1)
    assert harness.post_start().status_code == 409
    harness.forward(1)
    id = harness.start_and_send()["id"]
    status = harness.status(id)
    assert (status["runtimeStatus"], status["customStatus"]["errorCode"]) == ("Failed", 21610)
    assert harness.post_start().status_code == 409, "Twilio said that it still holds"


def test_a_quote_is_no_attempt_and_gets_one_hint(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    for _ in range(2):
        harness.text(f"Loved \u201c{harness.texts()[-1].body}\u201d")
    harness.text("who is this?")
    assert harness.answers() == ["Please reply with just the 4 digits."]
    status = harness.status(id)["customStatus"]
    assert (status["status"], status["attemptsUsed"]) == ("pending", 0)


def test_strangers_get_no_answer(harness: Harness) -> None:
    harness.start_and_send()
    harness.text("1234", phone=OTHER_PHONE)
    harness.text("hello", phone=OTHER_PHONE)
    assert harness.answers(OTHER_PHONE) == []


def test_a_text_sent_before_the_send_call_returned_is_judged(harness: Harness) -> None:
    """The phone answers while Twilio still holds the answer to our send back."""
    send = harness.simulator.webhooks.report
    codes = []

    def answer_at_once(message):
        codes.append(harness.code())
        harness.text(codes[0])
        return send(message)

    harness.simulator.webhooks.report = answer_at_once
    id = harness.start_and_send()["id"]
    assert harness.status(id)["output"] is True
    assert harness.history(id)[-1] == "text_accepted", "a fact about delivery may still be added"
