"""Reading phone numbers."""

import pytest

from bot.domain.errors import CannotReceiveTexts, InvalidNumber
from bot.domain.phone import masked, of_person, parse
from tests.domain.numbers import SPELLINGS


@pytest.mark.parametrize("text", SPELLINGS)
def test_all_spellings_are_one_number(text: str) -> None:
    assert parse(text).number == "+14255550123"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "4255550123",
        "14255550123",
        "001 425 555 0123",
        "+1425555012",
        "+142555501234",
        "+1 425 555 0123 ext. 5",
        "+1 425 555 0123x5",
        "+1 425 555 0123;ext=5",
        "+1 800 FLOWERS",
        "tel:+14255550123",
        "+999 123456789",
        "whatsapp:+14255550123",
        "+",
        "+1" + "2" * 500,
    ],
)
def test_what_is_no_number_in_international_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidNumber):
        parse(text)


@pytest.mark.parametrize(
    "text", ["+18005551212", "+19005550100", "+442071838750", "+881612345678", "+870773111632"]
)
def test_numbers_that_get_no_texts_are_refused_with_the_reason(text: str) -> None:
    with pytest.raises(CannotReceiveTexts, match="cannot receive texts"):
        parse(text)


def test_mobile_numbers_of_other_countries_pass() -> None:
    assert parse("+33 6 12 34 56 78").number == "+33612345678"
    assert parse("+44 7911 123456").number == "+447911123456"


def test_only_phones_are_phones() -> None:
    assert of_person("+14255550123") == "+14255550123"
    for sender in ("whatsapp:+14255550123", "rcs:agent", "messenger:1", "12345", "Contoso", ""):
        assert of_person(sender) is None


def test_a_masked_number_shows_its_country_and_two_digits() -> None:
    assert masked("+14255550123") == "+1425*****23"
    assert "5550" not in masked("+14255550123")


@pytest.mark.parametrize(
    "spelling",
    [
        "(+1) 425 555-0123",
        "( +1 ) 425 555 0123",
        "(+1-425) 555-0123",
        "(+1 425-555-0123)",
        "(+1 (425) 555-0123)",
    ],
)
def test_a_bracket_before_the_plus_changes_nothing(spelling: str) -> None:
    assert parse(spelling).number == "+14255550123"
