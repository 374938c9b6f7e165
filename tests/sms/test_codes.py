"""Each of Twilio's codes, answered by the simulator or reported, behaves as its kind says."""

import pytest

from bot.channels.twilio import error_codes
from bot.channels.twilio.error_codes import Kind
from simulator import faults
from tests.harness import Harness
from tests.scraping import scraped, value
from tests.sms.webhooks import report

CODES = sorted(error_codes.ERROR_CODES)
AT_SEND = [code for code in CODES if code < 30000 or code in (30029, 30030)]


@pytest.mark.parametrize("code", AT_SEND)
def test_at_a_send(harness: Harness, code: int) -> None:
    harness.simulator.faults.add(faults.REFUSE, code=code)
    id = harness.start_and_send()["id"]
    custom = harness.status(id)["customStatus"]
    trouble = error_codes.ERROR_CODES[code]
    state = harness.view(id).text.state
    if code == 20003:
        assert (custom["status"], state) == ("pending", "queued")
    elif trouble.is_permanent:
        assert (custom["status"], custom["error"]) == ("failed", trouble.sentence)
        assert harness.status(id)["output"] == trouble.sentence
    elif trouble.kind is Kind.LIMIT:
        assert (custom["status"], state) == ("pending", "queued")
        harness.forward(1)
        assert harness.view(id).text.state == "accepted"
    else:
        assert (custom["status"], state) == ("pending", "unknown")
        assert (custom["errorCode"], custom["error"]) == (code, trouble.sentence)
    assert len(harness.texts()) <= 1


@pytest.mark.parametrize("delivery", ["failed", "undelivered"])
def test_in_a_report(harness: Harness, delivery: str) -> None:
    """`undelivered` ends nothing: carriers say it of texts that arrived. Only a number that has
    opted out is refused by Twilio itself."""
    for place, code in enumerate(CODES):
        id = harness.start_and_send(f"+1425555{place:04}")["id"]
        report(harness, id, delivery, code=code)
        custom = harness.status(id)["customStatus"]
        trouble = error_codes.ERROR_CODES[code]
        is_over = trouble.is_permanent and (delivery == "failed" or code == 21610)
        assert custom["status"] == ("failed" if is_over else "pending"), code
        assert custom["cause"] == ("not_delivered" if is_over else None), code
        assert (custom["errorCode"], custom["error"]) == (code, trouble.sentence)
        shown = harness.flask("show", id).output
        assert str(code) in shown
        assert trouble.sentence in shown


def test_a_trouble_of_twilios_that_does_not_end_is_told_with_its_code(harness: Harness) -> None:
    harness.simulator.faults.add(faults.REFUSE, code=20503, times=100)
    id = harness.start_and_send()["id"]
    for _ in range(14):
        harness.forward(5)
    status = harness.status(id)
    assert status["customStatus"]["errorCode"] == 20503
    assert "20503" in status["output"]
    assert value(scraped(harness), "sends_total", error="20503", outcome="unknown") > 1
