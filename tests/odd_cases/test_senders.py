"""Replies by RCS and withheld ones are found; texts that are ignored are told."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulator.world import Service as ServiceAtTwilio
from simulator.world import new_sid
from tests.harness import ACCOUNT, PHONE, SYSTEM_KEY, Harness
from tests.harness import harness as open_harness
from tests.sms.webhooks import signed, sms

SERVICE = "MG" + "0123456789abcdef" * 2


@pytest.fixture
def of_service(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(
        tmp_path, TWILIO_PHONE_NUMBER="", TWILIO_MESSAGING_SERVICE_SID=SERVICE
    ) as harness:
        world = harness.simulator.world
        world.configure_service(ServiceAtTwilio(SERVICE, world.number.sid))
        yield harness


def ignored(harness: Harness) -> list[tuple[str, str]]:
    return [(text.reason, text.masked_phone) for text in harness.ignored_texts(10)]


def counted(harness: Harness, reason: str) -> float:
    text = harness.call("GET", "/metrics", headers={"Authorization": f"Bearer {SYSTEM_KEY}"}).text
    wanted = f'textback_webhooks_ignored_total{{reason="{reason}"}} '
    (line,) = [line for line in text.splitlines() if line.startswith(wanted)]
    return float(line.split()[-1])


@pytest.mark.parametrize("theirs", ["+5215512345678", "rcs:+525512345678"])
def test_a_withheld_reply_is_found_under_each_address(of_service: Harness, theirs: str) -> None:
    from datetime import timedelta

    number = "+525512345678"
    of_service.start_and_send(number)
    of_service.simulator.faults.add("withhold", code=30038)
    of_service.text(of_service.code(number), theirs)
    found = of_service.service.gateway.conversation(
        number, began_ago=timedelta(minutes=1), ended_ago=None
    )
    assert 30038 in [message.error_code for message in found.messages]


# -- RCS -------------------------------------------------------------------------------------------


def rcs(harness: Harness, body: str, **more: str) -> None:
    form = {"From": f"rcs:{PHONE}", "To": "rcs:our_agent", "MessagingServiceSid": SERVICE, **more}
    sms(harness, body, **form)


def test_an_rcs_reply_is_that_phones(of_service: Harness) -> None:
    id = of_service.start_and_send()["id"]
    rcs(of_service, of_service.code())
    assert of_service.status(id)["output"] is True


def test_an_rcs_stop_is_that_phones(of_service: Harness) -> None:
    rcs(of_service, "STOP", OptOutType="STOP")
    assert of_service.post_start().json()["code"] == "opted_out"


def test_rcs_of_another_service_and_other_channels_stay_ignored(of_service: Harness) -> None:
    id = of_service.start_and_send()["id"]
    rcs(of_service, of_service.code(), MessagingServiceSid="MG" + "f" * 32)
    sms(of_service, of_service.code(), From=f"whatsapp:{PHONE}", MessagingServiceSid=SERVICE)
    assert of_service.status(id)["runtimeStatus"] == "Running"
    assert {reason for reason, _ in ignored(of_service)} == {"other_channel"}


def test_rcs_without_a_service_is_another_channel(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    sms(harness, harness.code(), From=f"rcs:{PHONE}")
    assert harness.status(id)["runtimeStatus"] == "Running"


# -- what is ignored is told -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "reason", "shown"),
    [
        ({"From": "+14255550199"}, "no_verification", "+1425*****99"),
        ({"To": "+14255550111"}, "other_recipient", "+1425*****23"),
        ({"From": f"whatsapp:{PHONE}"}, "other_channel", "whatsapp:+1425*****23"),
        ({"From": "messenger:123456789"}, "other_channel", "messenger:1***"),
        ({"From": f"sip:{PHONE}:5060"}, "other_channel", "sip:+1425*****23"),
        ({"From": f"{PHONE}:x"}, "other_channel", ":x***"),
        ({"From": "12345"}, "unreadable_sender", "1***"),
        ({"From": "Contoso"}, "unreadable_sender", "C***"),
        ({"From": ""}, "unreadable_sender", "***"),
        ({"Body": "x" * 1601}, "too_long", "+1425*****23"),
    ],
)
def test_an_ignored_text_is_counted_logged_and_shown(
    harness: Harness, form: dict[str, str], reason: str, shown: str
) -> None:
    id = harness.start_and_send()["id"]
    sid = new_sid("SM")
    for _ in range(2):  # a repeat counts once
        sms(harness, form.get("Body", "hello"), MessageSid=sid, **form)
    assert ignored(harness) == [(reason, shown)]
    assert counted(harness, reason) == 1
    assert harness.history(id)[-1] == "text_accepted", "no attempt, no hint"
    assert harness.answers() == []


def test_a_missed_text_that_is_ignored_is_logged(
    harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    from bot.dispatch import catch_up

    harness.start_and_send()
    harness.simulator.faults.add("webhook_never")
    harness.text("hello", "+14255550198")
    with caplog.at_level(logging.INFO):
        catch_up.read_missed(harness.store, harness.service.gateway, harness.service.rules)
    assert "ignored: no_verification" in caplog.text
    assert "+14255550198" not in caplog.text


def test_missed_texts_that_are_ignored_are_counted_and_shown(of_service: Harness) -> None:
    from bot.dispatch import missed

    of_service.start_and_send()
    of_service.simulator.faults.add("webhook_never", times=9)
    of_service.text("hello", "+14255550198")
    of_service.text("hello", f"whatsapp:{PHONE}")
    service = of_service.service
    for _ in range(2):  # once more: they are known
        missed.read_missed(
            of_service.store,
            service.gateway,
            service.rules,
            on_ignored=service.metrics.webhook_ignored,
        )
    assert set(ignored(of_service)) == {
        ("no_verification", "+1425*****98"),
        ("other_channel", "whatsapp:+1425*****23"),
    }
    assert counted(of_service, "no_verification") == counted(of_service, "other_channel") == 1


def test_a_report_of_no_text_of_ours_is_counted_as_ignored(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    form = {"MessageSid": new_sid("SM"), "AccountSid": ACCOUNT.sid, "MessageStatus": "delivered"}
    for text in ("nonsense", harness.view(id).text.id):  # the second has another sid
        assert signed(harness, f"/twilio/status/{text}", form).status_code == 204
    assert counted(harness, "unknown_text") == 2
    assert 'deliveries_total{delivery="delivered"' not in harness.call("GET", "/metrics").text
