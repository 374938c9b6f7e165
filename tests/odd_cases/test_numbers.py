"""Numbers spelled in two ways, not known to the metadata, or not valid any more."""

from pathlib import Path

import pytest

from bot.domain import phone
from bot.domain.errors import CannotReceiveTexts, InvalidNumber
from tests.domain.numbers import PAIRS
from tests.harness import NUMBER, Harness
from tests.harness import harness as open_harness
from tests.sms.webhooks import sms

# -- one line, two spellings -----------------------------------------------------------------------


@pytest.mark.parametrize("is_new_started", [True, False])
@pytest.mark.parametrize(
    ("old", "new"), [pair for pair in PAIRS if pair[0].startswith(("+52", "+54", "+55", "+229"))]
)
def test_a_start_and_a_reply_meet(
    harness: Harness, old: str, new: str, is_new_started: bool
) -> None:
    started, replies_from = (new, old) if is_new_started else (old, new)
    id = harness.start_and_send(started)["id"]
    sms(harness, harness.code(new), From=replies_from)
    assert harness.status(id)["output"] is True


def test_both_spellings_share_limits_and_opt_outs(tmp_path: Path) -> None:
    old, new = PAIRS[0]
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/hour") as harness:
        harness.start_and_send(old)
        assert harness.post_start(new).json()["code"] == "limit_reached"
        harness.clear_limits(old)
        sms(harness, "STOP", From=old)
        assert harness.post_start(new).json()["code"] == "opted_out"
        assert harness.clear_opt_out(new)
        assert harness.post_start(new).status_code == 202


def test_an_opt_out_kept_under_the_old_spelling_is_still_obeyed(harness: Harness) -> None:
    """From before both were one."""
    old, new = PAIRS[0]
    from bot.store import opt_outs
    from bot.store.tx import Done

    harness.store.write(lambda tx: Done(opt_outs.mark(tx, phone=old, from_address=NUMBER)))
    assert harness.post_start(new).json()["code"] == "opted_out"
    sms(harness, "START", From=new)
    assert harness.post_start(new).status_code == 202


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("+54 (0)11 6123-4567", "+5491161234567"),
        ("+54 011 6123 4567", "+5491161234567"),
        ("+54 9 011 6123 4567", "+5491161234567"),
        ("+54 0351 15 234-5678", "+5493512345678"),
        ("+52 (01) 55 1234 5678", "+525512345678"),
        ("+57 0 321 1234567", "+573211234567"),
        ("+56 09 8765 4321", "+56987654321"),
        ("+44 (0)7700 900123", "+447700900123"),
        ("+36 06 20 123 4567", "+36201234567"),
        ("+370 8 612 34567", "+37061234567"),
        ("+375 80 29 123 4567", "+375291234567"),
        ("+1~425~555⁻0123", "+14255550123"),
        ("+1⠀425➖555─0123", "+14255550123"),
        ("+1 【425】 555 0123", "+14255550123"),
    ],
)
def test_a_trunk_prefix_and_any_dash_are_no_part_of_the_line(typed: str, line: str) -> None:
    assert phone.parse(typed).number == line


@pytest.mark.parametrize(
    "typed", ["+86 123996033620", "+61 1831 412 345 678", "+506 1900 8312 3456"]
)
def test_the_code_of_a_carrier_does_not_make_another_line_of_a_number(typed: str) -> None:
    with pytest.raises(InvalidNumber):
        phone.parse(typed)


@pytest.mark.parametrize(("ours", "to"), [PAIRS[0], PAIRS[0][::-1]])
def test_our_own_number_has_two_spellings_too(tmp_path: Path, ours: str, to: str) -> None:
    with open_harness(tmp_path, TWILIO_PHONE_NUMBER=ours) as harness:
        assert harness.post_start(to).json()["code"] == "cannot_receive_texts"
        id = harness.start()["id"]
        sms(harness, "STOP", To=to)
        assert harness.status(id)["customStatus"]["cause"] == "opted_out"


# -- what the metadata does not know ---------------------------------------------------------------


@pytest.mark.parametrize("number", ["+15551234567", "+12215550123", "+5511187654321"])
def test_what_the_metadata_does_not_know_goes_to_twilio(harness: Harness, number: str) -> None:
    harness.simulator.faults.add("refuse", code=21211)
    id = harness.start_and_send(number)["id"]
    status = harness.status(id)
    assert (status["runtimeStatus"], status["customStatus"]["errorCode"]) == ("Failed", 21211)
    assert status["output"] == "Twilio says this is not a phone number."


@pytest.mark.parametrize("text", ["+1425555", "+142555501234567", "+33", "+999123456789"])
def test_what_cannot_be_a_number_is_refused(text: str) -> None:
    with pytest.raises(InvalidNumber):
        phone.parse(text)


def test_what_is_known_to_get_no_texts_is_refused() -> None:
    with pytest.raises(CannotReceiveTexts, match="landline"):
        phone.parse("+442071838750")


# -- US is more than US ----------------------------------------------------------------------------


@pytest.mark.parametrize("number", ["+17872345678", "+16714821234", "+13406421234", "+14255550123"])
def test_the_territories_are_home_to_a_us_number(tmp_path: Path, number: str) -> None:
    with open_harness(tmp_path, ALLOWED_COUNTRIES="") as harness:
        assert harness.post_start(number).status_code == 202
        assert harness.post_start("+33612345678").json()["code"] == "country_not_allowed"


def test_a_number_that_the_metadata_lacks_may_be_of_any_country_of_its_code(
    tmp_path: Path,
) -> None:
    with open_harness(tmp_path, ALLOWED_COUNTRIES="CA") as harness:
        assert harness.post_start("+12215550123").status_code == 202
        assert harness.post_start("+14255550123").json()["code"] == "country_not_allowed"
    assert phone.parse("+12215550123").country_among(frozenset(["FR"])) is None


# -- opt-outs of numbers that do not parse any more ------------------------------------------------


def test_any_e164_can_be_cleared_and_forgotten(harness: Harness) -> None:
    landline = "+390612345678"
    sms(harness, "STOP", From=landline)
    assert landline in [marked for marked, _ in harness.opt_outs(10)]
    assert harness.clear_opt_out(landline)
    for command in (["forget", landline], ["limits", "clear", landline]):
        assert harness.flask(*command).exit_code == 0
    sms(harness, "STOP", From=landline)
    assert "Cleared here." in harness.flask("optout", "clear", landline).output


@pytest.mark.parametrize("number", ["+1 658 300 1234", "+1 658 230 1234"])
def test_numbers_under_a_new_code_that_the_metadata_takes_for_landlines(
    tmp_path: Path, number: str
) -> None:
    with open_harness(tmp_path, ALLOWED_COUNTRIES="JM") as harness:
        assert harness.post_start(number).status_code == 202
