"""`flask check --twilio`: each finding, provoked at the simulator through the twilio library."""

import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.response import Response

from bot.channels.gateway import Finding, Level
from bot.channels.twilio import number as webhooks
from bot.channels.twilio import questions, readiness
from bot.channels.twilio.questions import Why
from bot.channels.twilio.readiness import address
from bot.channels.twilio.readiness.findings import FindingKind
from bot.settings import Settings
from simulator import faults
from simulator.access import ERASE, NUMBERS, READ, REGISTRATION, SEND, SERVICES
from simulator.world import ApiKey, Service, World
from tests.harness import ACCOUNT, NUMBER, Harness
from tests.harness import harness as open_harness

SERVICE = "MG" + "1f" * 16
KEY = ApiKey("SK4b7d1e90c2f8a6035e9d7b1c4a8f2063", "Qx3vL0pZ8rT5yW2nB7mK4jH9sD6fG1aC")
OTHER_TOKEN = "5be8207cd3194fa6b07e2d85c91f46a3"
ALL_RIGHTS = frozenset([SEND, READ, ERASE, NUMBERS, SERVICES, REGISTRATION])


@pytest.fixture
def ready(tmp_path: Path) -> Iterator[Harness]:
    """With a number that is ready: its webhook set, its campaign verified."""
    with open_harness(tmp_path) as made:
        world = made.simulator.world
        world.configure_number(sms_url=webhooks.wanted_url(made.settings))
        world.configure_service(Service(SERVICE, world.number.sid, campaign_status="VERIFIED"))
        yield made


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Harness]:
    """The same with a Messaging Service."""
    more = {"TWILIO_PHONE_NUMBER": "", "TWILIO_MESSAGING_SERVICE_SID": SERVICE}
    with open_harness(tmp_path, **more) as made:
        world = made.simulator.world
        made_ready = Service(
            SERVICE,
            world.number.sid,
            uses_number_webhook=False,
            inbound_url=webhooks.wanted_url(made.settings),
            campaign_status="VERIFIED",
        )
        world.configure_service(made_ready)
        yield made


def found(harness: Harness, **settings: object) -> list[Finding]:
    changed = harness.settings.model_copy(update=settings)
    return list(readiness.findings(changed))


def of_kind(findings: list[Finding], kind: FindingKind) -> list[Finding]:
    return [one for one in findings if one.kind == kind]


def sentence_of(findings: list[Finding], kind: FindingKind, level: Level) -> str:
    """Returns the sentence of the only finding of this kind and level."""
    (sentence,) = [one.sentence for one in of_kind(findings, kind) if one.level is level]
    return sentence


def faulty(findings: list[Finding]) -> set[str]:
    return {one.kind for one in findings if one.level is Level.FAULT}


def change_service(harness: Harness, **changed: object) -> None:
    world = harness.simulator.world
    assert world.service is not None
    world.configure_service(replace(world.service, **changed))


def world(harness: Harness) -> World:
    return harness.simulator.world


# -- all is well -----------------------------------------------------------------------------------


def test_a_number_that_is_ready(ready: Harness) -> None:
    ready.start_and_send()
    ready.text(ready.code())
    findings = found(ready)
    assert {one.level for one in findings} == {Level.GOOD, Level.LOOK}
    kinds = [one.kind for one in findings]
    assert kinds == [
        *(
            FindingKind.CREDENTIALS,
            FindingKind.ACCOUNT,
            FindingKind.NUMBER,
            FindingKind.WEBHOOK,
            FindingKind.REGISTRATION,
        ),
        *(FindingKind.COUNTRIES, FindingKind.REPLIES, FindingKind.ADDRESS),
    ]
    told = " ".join(one.sentence for one in findings)
    assert NUMBER not in told
    assert ACCOUNT.auth_token not in told
    assert len(ready.texts()) == 1, "nothing was sent to learn it"


def test_a_service_that_is_ready(served: Harness) -> None:
    findings = found(served)
    assert {one.level for one in findings} == {Level.GOOD, Level.LOOK}
    assert sentence_of(findings, FindingKind.POOL, Level.GOOD) == "The pool holds 1 number."
    assert "Replies are posted to" in sentence_of(findings, FindingKind.WEBHOOK, Level.GOOD)


def test_sentences_are_whole_and_hold_no_number(ready: Harness) -> None:
    for one in found(ready):
        assert one.sentence[0].isupper()
        assert one.sentence.endswith(".")
        assert re.search(r"\+1[0-9]{10}", one.sentence) is None


# -- credentials -----------------------------------------------------------------------------------


def test_a_wrong_token(ready: Harness) -> None:
    findings = found(ready, twilio_auth_token=(OTHER_TOKEN,))
    assert "error 20003" in sentence_of(findings, FindingKind.CREDENTIALS, Level.FAULT)
    assert [one.kind for one in findings] == [FindingKind.CREDENTIALS, FindingKind.ADDRESS]
    assert OTHER_TOKEN not in findings[0].sentence


def test_an_unknown_account(ready: Harness) -> None:
    findings = found(ready, twilio_account_sid="AC" + "9" * 32)
    assert "TWILIO_ACCOUNT_SID" in sentence_of(findings, FindingKind.CREDENTIALS, Level.FAULT)


def test_test_credentials(ready: Harness) -> None:
    world(ready).account = replace(ACCOUNT, has_test_credentials=True)
    assert "error 20008" in sentence_of(found(ready), FindingKind.CREDENTIALS, Level.FAULT)


def test_a_wrong_token_of_several(ready: Harness) -> None:
    right, wrong = ACCOUNT.auth_token, OTHER_TOKEN
    findings = found(ready, twilio_auth_token=(right, wrong))
    assert "Value 2 of TWILIO_AUTH_TOKEN" in sentence_of(
        findings, FindingKind.CREDENTIALS, Level.WARNING
    )
    findings = found(ready, twilio_auth_token=(wrong, right))
    assert "Value 1" in sentence_of(findings, FindingKind.CREDENTIALS, Level.FAULT)
    both = found(ready, twilio_auth_token=(wrong, wrong[::-1]))
    assert "does not accept TWILIO_AUTH_TOKEN" in sentence_of(
        both, FindingKind.CREDENTIALS, Level.FAULT
    )


def test_a_second_token_that_waits_for_its_promotion(ready: Harness) -> None:
    world(ready).account = replace(ACCOUNT, secondary_token=OTHER_TOKEN)
    findings = found(ready, twilio_auth_token=(OTHER_TOKEN, ACCOUNT.auth_token))
    assert sentence_of(findings, FindingKind.CREDENTIALS, Level.GOOD)


def test_an_account_that_is_suspended_or_closed(ready: Harness) -> None:
    for status in ("suspended", "closed"):
        world(ready).account = replace(ACCOUNT, status=status)
        assert f"The account is {status}" in sentence_of(
            found(ready), FindingKind.ACCOUNT, Level.FAULT
        )


def test_a_trial_account_and_a_subaccount(ready: Harness) -> None:
    world(ready).account = replace(ACCOUNT, type="Trial", owner_sid="AC" + "2" * 32)
    findings = found(ready)
    assert "verified in Twilio's console" in sentence_of(findings, FindingKind.TRIAL, Level.WARNING)
    assert "subaccount" in sentence_of(findings, FindingKind.ACCOUNT, Level.GOOD)


# -- API keys --------------------------------------------------------------------------------------


def keyed(harness: Harness, rights: frozenset[str] | None, **more: object) -> list[Finding]:
    world(harness).api_keys = (replace(KEY, rights=rights),)
    return found(harness, twilio_api_key_sid=KEY.sid, twilio_api_key_secret=KEY.secret, **more)


def test_a_standard_and_a_restricted_key_with_all_rights(ready: Harness) -> None:
    for rights in (None, ALL_RIGHTS):
        findings = keyed(ready, rights, erase_at_twilio="yes")
        assert faulty(findings) == set()
        assert "send texts, read messages, erase messages" in sentence_of(
            findings, FindingKind.API_KEY, Level.GOOD
        )
    assert ready.texts() == []


@pytest.mark.parametrize(
    ("right", "level", "said"),
    [
        (SEND, Level.FAULT, "may not send texts"),
        (READ, Level.FAULT, "may not read messages"),
        (ERASE, Level.FAULT, "may not erase messages"),
        (NUMBERS, Level.WARNING, "may not read phone numbers"),
        (SERVICES, Level.WARNING, "may not read Messaging Services"),
    ],
)
def test_a_restricted_key_that_lacks_a_right(
    ready: Harness, right: str, level: Level, said: str
) -> None:
    findings = keyed(ready, ALL_RIGHTS - {right}, erase_at_twilio="yes")
    assert said in sentence_of(findings, FindingKind.API_KEY, level)


def test_a_key_that_may_not_see_registrations_is_told_so(ready: Harness) -> None:
    findings = keyed(ready, ALL_RIGHTS - {REGISTRATION})
    assert "does not allow this" in sentence_of(findings, FindingKind.REGISTRATION, Level.WARNING)


def test_a_right_that_is_not_used_is_not_missed(ready: Harness) -> None:
    assert faulty(keyed(ready, ALL_RIGHTS - {ERASE})) == set()


def test_a_wrong_key(ready: Harness) -> None:
    findings = found(ready, twilio_api_key_sid=KEY.sid, twilio_api_key_secret="x" * 32)
    assert "TWILIO_API_KEY_SID" in sentence_of(findings, FindingKind.CREDENTIALS, Level.FAULT)


def test_a_wrong_token_beside_a_key_is_found_since_it_verifies_signatures(ready: Harness) -> None:
    findings = keyed(ready, None, twilio_auth_token=(OTHER_TOKEN,))
    assert "Twilio signs replies with it" in sentence_of(
        findings, FindingKind.CREDENTIALS, Level.FAULT
    )
    assert of_kind(findings, FindingKind.NUMBER), "the key answers the rest"


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
    assert "has no texts" in sentence_of(found(served), FindingKind.POOL, Level.FAULT)


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


# -- replies and countries -------------------------------------------------------------------------


def test_replies_that_twilio_withheld(ready: Harness) -> None:
    ready.start_and_send()
    ready.text("hello")
    ready.simulator.faults.add(faults.WITHHOLD, code=30038, times=2)
    ready.simulator.faults.add(faults.WITHHOLD, code=30039)
    for _ in range(3):
        ready.text(ready.wrong())
    first, second = of_kind(found(ready), FindingKind.REPLIES)
    assert first.level is Level.WARNING
    assert "Replies of the last 7 days: 2 of 4 did not reach us, with error 30038" in first.sentence
    assert "support" in first.sentence
    assert "1 of 4 did not reach us, with error 30039" in second.sentence


def test_replies_that_twilio_could_not_post(ready: Harness) -> None:
    ready.start_and_send()
    ready.text("hello")
    inbound = next(m for m in world(ready).messages() if m.direction == "inbound")
    world(ready).set_status(inbound.sid, "received", 11200)
    sentence = sentence_of(found(ready), FindingKind.REPLIES, Level.WARNING)
    assert "1 of 1 did not reach us, with error 11200" in sentence


def test_old_replies_tell_nothing(ready: Harness) -> None:
    assert "No reply has come in" in sentence_of(found(ready), FindingKind.REPLIES, Level.LOOK)
    ready.start_and_send()
    ready.text("hello")
    ready.clock.forward(8 * 24 * 3600)
    assert "No reply has come in" in sentence_of(found(ready), FindingKind.REPLIES, Level.LOOK)


def test_countries_that_are_switched_off(ready: Harness) -> None:
    world(ready).open_countries = frozenset(["US"])
    findings = found(ready, allowed_countries=("US", "CA", "FR", "NZ"))
    assert "Texts to CA, FR are switched off" in sentence_of(
        findings, FindingKind.COUNTRIES, Level.FAULT
    )
    findings = found(ready, allowed_countries=("US",))
    assert "may go to" in sentence_of(findings, FindingKind.COUNTRIES, Level.GOOD)


def test_all_countries_are_worth_a_look(ready: Harness) -> None:
    assert "to 6 countries" in sentence_of(found(ready), FindingKind.COUNTRIES, Level.LOOK)


def test_countries_that_twilio_does_not_tell_are_to_be_looked_at_by_hand(ready: Harness) -> None:
    findings = keyed(ready, ALL_RIGHTS - {REGISTRATION}, allowed_countries=("US", "CA"))
    sentence = sentence_of(findings, FindingKind.COUNTRIES, Level.LOOK)
    assert "Geo permissions" in sentence
    assert "CA, US" in sentence


# -- on the way ------------------------------------------------------------------------------------


def unused_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def connection(harness: Harness, url: str) -> str:
    findings = found(harness, twilio_api_base_url=url, twilio_timeout_seconds=1.0)
    assert [one.kind for one in findings] == [FindingKind.CONNECTION, FindingKind.ADDRESS]
    assert findings[0].level is Level.FAULT
    return findings[0].sentence


def test_twilio_cannot_be_reached(ready: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "refuses the connection" in connection(ready, f"http://127.0.0.1:{unused_port()}")
    assert "is not found" in connection(ready, "https://twilio.invalid")
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        assert "did not answer" in connection(ready, f"http://127.0.0.1:{port}")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_port()}")
        assert "proxy" in connection(ready, "https://twilio.invalid")


def test_something_else_answers_in_twilios_place(ready: Harness) -> None:
    """Textback itself, say."""
    assert "not with Twilio's API" in connection(ready, f"{ready.url}/console")


@pytest.mark.parametrize(
    ("status", "code", "why"),
    [
        (401, 20003, Why.CREDENTIALS),
        (401, None, Why.CREDENTIALS),
        (403, 20003, Why.CREDENTIALS),
        (403, 20008, Why.TEST_CREDENTIALS),
        (403, 70051, Why.RIGHT),
        (403, 20006, Why.RIGHT),
        (403, None, Why.CONNECTION),
        (404, 20404, Why.UNKNOWN),
        (404, None, Why.CONNECTION),
        (407, None, Why.CONNECTION),
        (400, 21604, Why.REFUSED),
        (400, 99999, Why.REFUSED),
        (429, 20429, Why.PASSING),
        (500, None, Why.PASSING),
        (503, 20503, Why.PASSING),
    ],
)
@pytest.mark.parametrize("of_a_list", [False, True])
def test_what_an_answer_means(
    ready: Harness, status: int, code: int | None, why: Why, of_a_list: bool
) -> None:
    body = json.dumps({"code": code, "message": "to +14255550123"}) if code else "<html>"
    raised = (
        TwilioException("Unable to fetch page", Response(status, body))
        if of_a_list
        else TwilioRestException(status, "/uri", "to +14255550123", code or status)
    )
    failed = questions.unanswered(raised, ready.settings)
    assert failed.why is why
    assert failed.sentence.endswith(".")
    assert "+1425" not in failed.sentence


def test_a_trouble_of_twilios_is_told_and_the_rest_goes_on(ready: Harness) -> None:
    ready.simulator.faults.add(faults.LIST_ERROR)
    findings = found(ready)
    assert "busy or has a fault" in sentence_of(findings, FindingKind.REPLIES, Level.WARNING)
    assert of_kind(findings, FindingKind.ADDRESS)


def test_all_questions_together_are_bounded(
    ready: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "TOTAL_SECONDS", 0.0)
    findings = found(ready)
    assert sentence_of(findings, FindingKind.CONNECTION, Level.FAULT)


# -- the public address ----------------------------------------------------------------------------


def address_of(settings: Settings, url: str) -> Finding:
    (one,) = address.findings(settings.model_copy(update={"public_base_url": url}))
    assert one.kind == FindingKind.ADDRESS
    return one


def test_the_public_address_is_tried_from_here(ready: Harness) -> None:
    assert address_of(ready.settings, ready.url).level is Level.GOOD
    for url, said in (
        (f"http://127.0.0.1:{unused_port()}", "refused"),
        ("https://verify.invalid", "DNS"),
        (f"{ready.simulator.url}", "something other than Textback"),
    ):
        one = address_of(ready.settings, url)
        assert one.level is Level.WARNING
        assert said in one.sentence
