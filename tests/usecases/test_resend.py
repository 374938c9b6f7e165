"""The same text once more: how often, when, and what follows where one of them fails."""

import re
from collections.abc import Callable
from threading import Barrier, Thread
from typing import Any

import pytest

from bot.channels.gateway import Blame, Report
from bot.domain.delivery import Delivery
from simulator import faults
from tests.harness import PHONE, Harness

CODE = re.compile(r"code is ([0-9]+)\.")


def ask(harness: Harness, id: str) -> Any:
    path = f"/runtime/webhooks/durabletask/instances/{id}/raiseEvent/ResendSmsChallenge"
    return harness.call("POST", path, json="")


def refusal(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


def test_the_same_code_goes_out_again_and_the_window_stays(harness: Harness) -> None:
    links = harness.start_and_send()
    before = harness.status(links["id"])["customStatus"]
    harness.forward(20)
    assert ask(harness, links["id"]).status_code == 202
    harness.run_once()
    first, second = harness.texts()
    assert first.body == second.body
    custom = harness.status(links["id"])["customStatus"]
    assert custom["deadline"] == before["deadline"]
    assert (custom["sends"], custom["sendsLeft"], custom["attemptsLeft"]) == (2, 1, 4)
    assert "resend_asked" in harness.history(links["id"])
    harness.text(harness.code())
    assert harness.status(links["id"])["output"] is True


def test_a_double_click_is_one_text(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    for seconds in (0, 14.9):
        harness.clock.forward(seconds)
        assert ask(harness, id).status_code == 202
    harness.run_once()
    assert len(harness.texts()) == 1
    harness.forward(0.1)
    assert ask(harness, id).status_code == 202
    assert ask(harness, id).status_code == 202
    harness.run_once()
    assert len(harness.texts()) == 2


def test_the_time_between_two_texts_counts_from_when_twilio_took_the_last(
    harness: Harness,
) -> None:
    harness.simulator.faults.add(faults.ERROR_BEFORE, times=3)
    id = harness.start_and_send()["id"]
    for sent in (1, 2):
        while len(harness.texts()) < sent:
            harness.forward(1)
        for seconds in (0, 14.9):
            harness.clock.forward(seconds)
            assert ask(harness, id).status_code == 202
        harness.run_once()
        assert len(harness.texts()) == sent
        harness.clock.forward(0.1)
        harness.simulator.faults.add(faults.ERROR_BEFORE)
        assert ask(harness, id).status_code == 202
        harness.run_once()


def test_as_many_as_the_terms_allow(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    for _ in range(2):
        harness.forward(15)
        assert ask(harness, id).status_code == 202
        harness.run_once()
    harness.forward(15)
    response = ask(harness, id)
    assert refusal(response) == (429, "sends_used")
    assert response.headers["Retry-After"] == "45"
    assert len(harness.texts()) == 3


def test_not_when_it_could_hardly_be_answered(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(60)
    assert ask(harness, id).status_code == 202, "30 seconds are enough"
    harness.forward(0.001)
    id = harness.start_and_send("+14255550124")["id"]
    harness.forward(60.001)
    assert refusal(ask(harness, id)) == (409, "too_late_to_resend")


def test_not_after_the_end(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    assert ask(harness, id).status_code == 410
    assert ask(harness, "unknown").status_code == 404


def test_not_while_an_outcome_is_held_back(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.suspend(id, None)
    harness.text(harness.code())
    harness.forward(20)
    assert refusal(ask(harness, id)) == (409, "too_late_to_resend")


def test_a_text_of_unknown_fate_is_looked_up_and_not_sent_again(harness: Harness) -> None:
    harness.simulator.faults.add(faults.ERROR_AFTER)
    id = harness.start()["id"]
    harness.dispatcher.send.run_once()
    harness.clock.forward(20)
    assert ask(harness, id).status_code == 202
    harness.run_once()
    harness.forward(5)
    assert len(harness.texts()) == 1
    assert harness.status(id)["customStatus"]["sends"] == 1


def test_each_counts_like_a_start(harness: Harness) -> None:
    harness.restart(LIMIT_PER_NUMBER="2/hour")
    id = harness.start_and_send()["id"]
    harness.forward(15)
    assert ask(harness, id).status_code == 202
    harness.run_once()
    harness.forward(15)
    assert refusal(ask(harness, id)) == (429, "limit_reached")
    harness.forward(60)
    assert refusal(harness.post_start()) == (429, "limit_reached")


def test_it_is_not_sent_any_more_once_it_is_approved(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(15)
    ask(harness, id)
    harness.text(harness.code())
    harness.run_once()
    assert len(harness.texts()) == 1
    assert [text.state for text in harness.view(id).texts] == ["accepted", "withdrawn"]


def test_a_further_text_that_is_refused_ends_nothing(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(15)
    harness.simulator.faults.add(faults.REFUSE, code=21614)
    ask(harness, id)
    harness.run_once()
    status = harness.status(id)
    assert (status["runtimeStatus"], status["customStatus"]["errorCode"]) == ("Running", 21614)
    lines = harness.view(id, with_history=True).history
    (failed,) = [line for line in lines if line.event == "further_text_failed"]
    assert failed.detail["cause"] == "send_refused"
    harness.text(harness.code())
    assert harness.status(id)["output"] is True


def test_a_further_text_that_is_not_taken_in_time_ends_nothing(harness: Harness) -> None:
    harness.restart(WINDOW_SECONDS="600")
    id = harness.start_and_send()["id"]
    harness.forward(100)
    harness.simulator.faults.add(faults.ERROR_BEFORE, times=1000)
    ask(harness, id)
    for _ in range(70):
        harness.forward(1)
    assert [text.state for text in harness.view(id).texts] == ["accepted", "refused"]
    assert harness.status(id)["runtimeStatus"] == "Running"
    harness.text(harness.code())
    assert harness.status(id)["output"] is True


def test_long_after_the_start_a_text_still_goes_out(harness: Harness) -> None:
    harness.restart(WINDOW_SECONDS="600")
    id = harness.start_and_send()["id"]
    harness.forward(300)
    ask(harness, id)
    harness.run_once()
    assert len(harness.texts()) == 2


def failed(harness: Harness, id: str, place: int) -> None:
    text = harness.view(id).texts[place]
    assert text.sid is not None
    report = Report(text.id, text.sid, Delivery.FAILED, 30005, True, Blame.NUMBER, "No such one.")
    harness.report(report)


def test_the_report_of_one_ends_it_only_where_no_other_may_arrive(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(15)
    ask(harness, id)
    harness.run_once()
    failed(harness, id, 0)
    assert harness.status(id)["runtimeStatus"] == "Running"
    failed(harness, id, 1)
    assert harness.status(id)["runtimeStatus"] == "Failed"


def test_all_its_texts_are_erased(harness: Harness) -> None:
    harness.restart(ERASE_AT_TWILIO="yes")
    id = harness.start_and_send()["id"]
    harness.forward(15)
    ask(harness, id)
    harness.run_once()
    for text in harness.texts():
        harness.simulator.world.set_status(text.sid, "delivered")
    harness.text(harness.code())
    harness.run_once()
    assert [message.is_erased for message in harness.texts()] == [True, True]


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    gate, found = Barrier(len(calls)), []

    def run(call: Callable[[], Any]) -> None:
        gate.wait()
        found.append(call())

    threads = [Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_fifty_at_once_are_one_text(any_harness: Harness) -> None:
    harness = any_harness
    id = harness.start_and_send()["id"]
    harness.forward(15)
    answers = at_once([lambda: ask(harness, id)] * 50)
    assert {answer.status_code for answer in answers} == {202}
    harness.run_once()
    assert len(harness.texts(PHONE)) == 2


@pytest.mark.parametrize("body", [b"", b"{}", b'"anything"', b"null"])
def test_its_body_is_any_json(harness: Harness, body: bytes) -> None:
    id = harness.start_and_send()["id"]
    path = f"/runtime/webhooks/durabletask/instances/{id}/raiseEvent/resendsmschallenge"
    json_type = {"Content-Type": "application/json"}
    response = harness.call("POST", path, data=body, headers=json_type)
    assert response.status_code == (400 if body == b"" else 202)
