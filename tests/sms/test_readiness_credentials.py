"""`flask check --twilio` reports what is wrong with a token, an account or an API key."""

from dataclasses import replace

import pytest

from bot.channels.gateway import Level
from bot.channels.twilio.readiness.findings import FindingKind
from simulator.access import ERASE, NUMBERS, READ, REGISTRATION, SEND, SERVICES
from tests.harness import ACCOUNT, Harness
from tests.sms.findings import (
    ALL_RIGHTS,
    KEY,
    OTHER_TOKEN,
    faulty,
    found,
    keyed,
    of_kind,
    sentence_of,
    world,
)

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
    assert "does not allow these credentials" in sentence_of(
        findings, FindingKind.REGISTRATION, Level.WARNING
    )


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
