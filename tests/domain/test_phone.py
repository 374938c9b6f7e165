"""Reading phone numbers."""

import pytest

from bot.domain.errors import CannotReceiveTexts, InvalidNumber
from bot.domain.phone import masked, of_person, parse

SPELLINGS = [
    "+14255550123",
    " +14255550123 ",
    "+1 425 555 0123",
    "+1-425-555-0123",
    "+1.425.555.0123",
    "+1 (425) 555-0123",
    "+1(425)5550123",
    "+1 425/555-0123",
    "+1\u00a0425\u00a0555\u00a00123",
    "+1 425\u2011555\u20110123",
    "＋14255550123",
    "\u202a+14255550123\u202c",
    "\u202d+1 425 555 0123\u202c",  # copied from a contact
    "\u2066+1 425 555 0123\u2069",
    "\ufeff+14255550123\u200b",
    "+1425\u00ad5550123",  # a soft hyphen
    "＋１４２５５５５０１２３",  # a Japanese keyboard
    "+1\u3000(425)\u3000555－0123",
    "＋１（４２５）５５５ー０１２３",
    "+1425555\u0660\u0661\u0662\u0663",  # Arabic digits
    "+\u0967\u096a\u0968\u096b\u096b\u096b\u096b\u0966\u0967\u0968\u0969",  # Devanagari
    "+1\u2212425\u2012555\u20150123",
    "+1 [425] 555\u00b70123",
    "+1\ufe0f4255550123\ufe0e",
    "+1\t425\n555 0123",
    "(+1) 425 555 0123",
    "\u27951 425 555 0123",
    "+1\u30fb425\u30fb555\u30fb0123",
    "+1\uff5e425\uff5e5550123",
    "+1\u034f425\u31645550123",
]


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
