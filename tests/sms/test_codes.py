"""Each of Twilio's codes, answered by the simulator or reported, behaves as its kind says."""

import pytest

from bot.channels.twilio import errors
from bot.channels.twilio.errors import Kind
from bot.usecases.delivery import CREDENTIALS_CODE
from simulator import faults
from tests.desk import Desk
from tests.sms.test_webhooks import report

CODES = sorted(errors.TROUBLES)
AT_SEND = [code for code in CODES if code < 30000 or code in (30029, 30030)]


@pytest.mark.parametrize("code", AT_SEND)
def test_at_a_send(desk: Desk, code: int) -> None:
    desk.simulator.faults.add(faults.REFUSE, code=code)
    id = desk.start_and_send()["id"]
    custom = desk.status(id)["customStatus"]
    trouble = errors.TROUBLES[code]
    state = desk.verifications.view(id).text.state
    if code == CREDENTIALS_CODE:
        assert (custom["status"], state) == ("pending", "queued")
    elif trouble.is_permanent:
        assert (custom["status"], custom["error"]) == ("failed", trouble.sentence)
        assert desk.status(id)["output"] == trouble.sentence
    elif trouble.kind is Kind.LIMIT:
        assert (custom["status"], state) == ("pending", "queued")
        desk.forward(1)
        assert desk.verifications.view(id).text.state == "accepted"
    else:
        assert (custom["status"], state) == ("pending", "unknown")
    assert len(desk.texts()) <= 1


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("delivery", ["failed", "undelivered"])
def test_in_a_report(desk: Desk, code: int, delivery: str) -> None:
    """`undelivered` ends nothing: carriers say it of texts that arrived."""
    id = desk.start_and_send()["id"]
    report(desk, id, delivery, code=code)
    custom = desk.status(id)["customStatus"]
    trouble = errors.TROUBLES[code]
    is_over = trouble.is_permanent and delivery == "failed"
    assert custom["status"] == ("failed" if is_over else "pending")
    assert custom["cause"] == ("not_delivered" if is_over else None)
    assert (custom["errorCode"], custom["error"]) == (code, trouble.sentence)
    shown = desk.app.test_cli_runner().invoke(args=["show", id]).output
    assert str(code) in shown
    assert trouble.sentence in shown
