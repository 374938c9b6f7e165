"""`flask check --twilio` finds what is ready, and reports withheld replies and closed countries."""

import re

from bot.channels.gateway import Level
from bot.channels.twilio.readiness.findings import FindingKind
from simulator import faults
from simulator.access import REGISTRATION
from tests.harness import ACCOUNT, NUMBER, Harness
from tests.sms.findings import ALL_RIGHTS, found, keyed, of_kind, sentence_of, world

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
