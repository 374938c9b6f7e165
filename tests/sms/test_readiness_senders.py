"""`flask check --twilio` reports what is wrong with a number, a service or a registration."""

from dataclasses import replace

import pytest

from bot.channels.gateway import Level
from bot.channels.twilio import number as webhooks
from bot.channels.twilio.readiness.findings import FindingKind
from tests.harness import Harness
from tests.sms.findings import change_service, faulty, found, of_kind, sentence_of, world

# -- number and webhook ----------------------------------------------------------------------------


def test_a_number_of_nobody(ready: Harness) -> None:
    findings = found(ready, twilio_phone_number="+14255550198")
    assert "no number +1425*****98" in sentence_of(findings, FindingKind.NUMBER, Level.FAULT)


def test_a_number_without_texts(ready: Harness) -> None:
    world(ready).number = replace(world(ready).number, can_sms=False)
    assert "neither send nor receive" in sentence_of(found(ready), FindingKind.NUMBER, Level.FAULT)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"sms_url": ""}, "webhook is not set"),
        ({"sms_url": "https://demo.twilio.com/welcome/sms/reply"}, "webhook is https://demo"),
        ({"sms_method": "GET"}, "method is GET"),
        ({"application_sid": "AP" + "1" * 32}, "TwiML app"),
    ],
)
def test_a_webhook_that_is_not_ours(ready: Harness, changed: dict[str, str], said: str) -> None:
    world(ready).configure_number(**changed)
    sentence = sentence_of(found(ready), FindingKind.WEBHOOK, Level.FAULT)
    assert said in sentence
    assert "flask number set" in sentence


def test_a_service_that_decides_for_the_number(ready: Harness) -> None:
    change_service(ready, uses_number_webhook=False)
    assert "replies to no address" in sentence_of(found(ready), FindingKind.WEBHOOK, Level.FAULT)
    change_service(ready, inbound_url=webhooks.wanted_url(ready.settings))
    assert faulty(found(ready)) == set()


def test_a_short_code_is_looked_at_too(ready: Harness) -> None:
    world(ready).number = replace(world(ready).number, phone="12345", sid="SC" + "1" * 32)
    findings = found(ready, twilio_phone_number="12345")
    assert faulty(findings) == set()
    assert of_kind(findings, FindingKind.REGISTRATION) == [], "it needs no campaign"


# -- Messaging Service -----------------------------------------------------------------------------


def test_an_unknown_service(served: Harness) -> None:
    findings = found(served, twilio_messaging_service_sid="MG" + "2" * 32)
    assert "no such Messaging Service" in sentence_of(findings, FindingKind.SERVICE, Level.FAULT)


def test_an_empty_pool(served: Harness) -> None:
    change_service(served, number_sid="")
    assert "holds no number" in sentence_of(found(served), FindingKind.POOL, Level.FAULT)


def test_a_pool_with_one_way_senders_and_other_channels(served: Harness) -> None:
    change_service(
        served, names=("Contoso",), channels=("rcs:contoso_agent", "whatsapp:+14255550177")
    )
    findings = found(served)
    assert "made of letters" in sentence_of(findings, FindingKind.POOL, Level.FAULT)
    assert "whatsapp" in sentence_of(findings, FindingKind.POOL, Level.WARNING)
    change_service(served, names=(), names_by_country=("Contoso",))
    assert "made of letters" in sentence_of(found(served), FindingKind.POOL, Level.FAULT)
    assert "1 number, 1 RCS sender" in sentence_of(findings, FindingKind.POOL, Level.GOOD)


def test_a_pool_of_rcs_alone(served: Harness) -> None:
    change_service(served, number_sid="", channels=("rcs:contoso_agent",))
    assert "phones without RCS" in sentence_of(found(served), FindingKind.POOL, Level.WARNING)


def test_a_pool_with_a_number_without_texts(served: Harness) -> None:
    world(served).number = replace(world(served).number, can_sms=False)
    assert "cannot text" in sentence_of(found(served), FindingKind.POOL, Level.FAULT)


def test_sticky_sender_matters_with_several_numbers() -> None:
    from types import SimpleNamespace

    from bot.channels.twilio.readiness import service
    from bot.channels.twilio.senders import SenderPool

    number = SimpleNamespace(capabilities=["SMS"])
    for count, told in ((1, 1), (2, 2)):
        pool = SenderPool(numbers=[number] * count)
        told_of = list(service.of_pool(pool, SimpleNamespace(sticky_sender=False)))
        assert len(told_of) == told


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"inbound_url": ""}, "The service's webhook is not set"),
        ({"inbound_url": "https://elsewhere.example/"}, "service's webhook is https://elsewhere"),
        ({"inbound_method": "GET"}, "method is GET"),
        ({"uses_number_webhook": True}, "webhook of each sender, and that of +1425*****00"),
    ],
)
def test_a_service_whose_replies_go_elsewhere(
    served: Harness, changed: dict[str, object], said: str
) -> None:
    change_service(served, **changed)
    assert said in next(one.sentence for one in of_kind(found(served), FindingKind.WEBHOOK))
    assert FindingKind.WEBHOOK in faulty(found(served))


def test_a_service_that_defers_to_a_number_that_is_set(served: Harness) -> None:
    change_service(served, uses_number_webhook=True)
    world(served).configure_number(sms_url=webhooks.wanted_url(served.settings))
    assert faulty(found(served)) == set()


def test_a_service_whose_webhook_is_not_repeated(served: Harness) -> None:
    plain = webhooks.wanted_url(served.settings).partition("#")[0]
    change_service(served, inbound_url=plain)
    findings = found(served)
    assert "does not repeat a reply" in sentence_of(findings, FindingKind.WEBHOOK, Level.WARNING)
    assert faulty(findings) == set()


# -- registrations ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["IN_PROGRESS", "PENDING", "FAILED"])
def test_a_campaign_that_is_not_verified(ready: Harness, status: str) -> None:
    change_service(ready, campaign_status=status, brand_status="IN_REVIEW")
    sentence = sentence_of(found(ready), FindingKind.REGISTRATION, Level.FAULT)
    assert status.replace("_", " ").lower() in sentence
    assert "in review" in sentence


def test_no_campaign(ready: Harness) -> None:
    change_service(ready, campaign_status=None)
    assert "error 30034" in sentence_of(found(ready), FindingKind.REGISTRATION, Level.FAULT)
    world(ready).service = None
    assert "error 30034" in sentence_of(found(ready), FindingKind.REGISTRATION, Level.FAULT)


def test_no_campaign_is_missed_where_no_us_numbers_are_texted(ready: Harness) -> None:
    change_service(ready, campaign_status=None)
    assert of_kind(found(ready, allowed_countries=("FR",)), FindingKind.REGISTRATION) == []


@pytest.mark.parametrize(
    ("status", "level", "said"),
    [
        ("TWILIO_APPROVED", Level.GOOD, "is verified"),
        ("IN_REVIEW", Level.FAULT, "in review"),
        ("TWILIO_REJECTED", Level.FAULT, "rejected"),
        (None, Level.FAULT, "was not submitted"),
    ],
)
def test_a_toll_free_number(ready: Harness, status: str | None, level: Level, said: str) -> None:
    world(ready).number = replace(
        world(ready).number, phone="+18002345678", toll_free_status=status
    )
    findings = found(ready, twilio_phone_number="+18002345678")
    assert said in sentence_of(findings, FindingKind.TOLL_FREE, level)
    assert of_kind(findings, FindingKind.REGISTRATION) == []
