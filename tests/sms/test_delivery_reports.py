"""Reports of delivery are shown, and end a verification only where its text cannot arrive."""

import pytest

from bot.channels.twilio import errors
from simulator.world import new_sid
from tests.harness import Harness
from tests.sms.webhooks import report, signed


def test_reports_show_and_go_forward_only(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    for status, shown in [
        ("sent", "sent"),
        ("queued", "sent"),
        ("delivered", "delivered"),
        ("sent", "delivered"),
        ("undelivered", "delivered"),
    ]:
        response = report(harness, id, status)
        assert (response.status_code, response.content) == (204, b"")
        assert harness.status(id)["customStatus"]["delivery"] == shown
    assert harness.status(id)["runtimeStatus"] == "Running"


def test_a_text_that_will_never_arrive_ends_it(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    report(harness, id, "failed", code=30005)
    status = harness.status(id)
    assert (status["runtimeStatus"], status["customStatus"]["errorCode"]) == ("Failed", 30005)
    assert status["output"] == "The carrier does not know this number."


@pytest.mark.parametrize("code", [30004, 30005, 30006, 30007])
def test_a_right_code_outweighs_an_uncertain_report(harness: Harness, code: int) -> None:
    """Carriers say `undelivered` of texts that arrived: it shows at once, and ends nothing."""
    id = harness.start_and_send()["id"]
    report(harness, id, "undelivered", code=code)
    custom = harness.status(id)["customStatus"]
    assert (custom["status"], custom["delivery"]) == ("pending", "undelivered")
    assert (custom["errorCode"], custom["error"]) == (code, errors.sentence(code))
    harness.text(harness.code())
    assert harness.status(id)["output"] is True


@pytest.mark.parametrize("code", [30003, 30008, 30036, 99999, None])
def test_other_troubles_only_show(harness: Harness, code: int | None) -> None:
    id = harness.start_and_send()["id"]
    report(harness, id, "undelivered", code=code)
    status = harness.status(id)
    assert (status["runtimeStatus"], status["customStatus"]["errorCode"]) == ("Running", code)
    harness.text(harness.code())
    assert harness.status(id)["output"] is True


def test_a_report_after_the_end_is_a_fact_and_no_decision(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.text(harness.code())
    report(harness, id, "failed", code=30005)
    status = harness.status(id)
    assert (status["output"], status["customStatus"]["delivery"]) == (True, "failed")


def test_a_report_after_the_deadline_ends_nothing_otherwise(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.clock.forward(91)  # before any timer
    report(harness, id, "failed", code=30005)
    harness.run_once()
    assert harness.status(id)["customStatus"]["status"] == "expired"


def test_a_report_with_the_sid_of_another_text_names_none(harness: Harness) -> None:
    harness.start_and_send()
    id = harness.start("+14255550199")["id"]
    assert report(harness, id, "delivered", sid=harness.texts()[0].sid).status_code == 204
    text = harness.view(id).text
    assert (text.sid, text.delivery) == (None, None)


def test_unknown_texts_states_and_sids_are_204_all_the_same(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    form = {"MessageSid": new_sid("SM"), "MessageStatus": "delivered"}
    assert signed(harness, "/twilio/status/unknown", form).status_code == 204
    assert report(harness, id, "delivered", sid=new_sid("SM")).status_code == 204
    assert report(harness, id, "exploded").status_code == 204
    assert harness.status(id)["customStatus"]["delivery"] == "accepted"


def test_a_report_proves_that_twilio_took_the_text(harness: Harness) -> None:
    """The answer to our send was lost and the list is away; the report brings the sid."""
    from simulator import faults

    harness.simulator.faults.add(faults.LOSE_ANSWER)
    harness.simulator.faults.add(faults.LIST_ERROR, times=2)
    id = harness.start_and_send()["id"]
    harness.forward(5)
    harness.forward(2)
    report(harness, id, "sent", sid=harness.texts()[0].sid)
    harness.run_once()
    view = harness.view(id)
    assert (view.text.state, view.text.sid) == ("accepted", harness.texts()[0].sid)
    assert view.verification.accepted_at == view.verification.first_try_at
    assert len(harness.texts()) == 1


def test_opt_out_learned_from_a_report_marks_the_number(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    report(harness, id, "failed", code=21610)
    assert harness.status(id)["runtimeStatus"] == "Failed"
    assert harness.post_start().json()["code"] == "opted_out"
