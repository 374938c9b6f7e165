"""In each numbering plan with two spellings of a line, both are one number."""

import re

import phonenumbers
import pytest
from phonenumbers import PhoneNumberType

from bot.domain import phone
from bot.domain.numbering import PLANS, canonical, counted_as_one, other_spellings
from tests.domain.numbers import PAIRS

MOBILE = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}

# Old and new.


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_both_spellings_are_one_number_in_both_directions(old: str, new: str) -> None:
    """At the start, which reads what people type, and in a reply, which reads what carriers say."""
    assert phone.parse(old).number == phone.parse(new).number == new
    assert phone.of_person(old) == phone.of_person(new) == new
    assert old in other_spellings(new)
    assert phone.known_as(old)[0] == phone.known_as(new)[0] == new
    assert {old, new} <= set(phone.known_as(new))


@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_the_new_spelling_is_a_mobile_number_by_the_metadata(old: str, new: str) -> None:
    number = phonenumbers.parse(new)
    assert phonenumbers.is_valid_number(number)
    assert phonenumbers.number_type(number) in MOBILE


def test_every_rule_has_a_pair() -> None:
    for rule in PLANS:
        assert any(_leads(rule.old, rule.to_new, *pair) for pair in PAIRS), rule


def _leads(old: str, to_new: str, *pair: str) -> bool:
    match = re.fullmatch(old, pair[0])
    return match is not None and match.expand(to_new) == pair[1]


@pytest.mark.parametrize(
    "number",
    [
        "+14255550123",
        "+525512345678",
        "+551171234567",  # radio service, not renumbered
        "+551134567890",  # a landline
        "+5511987654321",
        "+22921234567",
        "+22520123456",
        "+390612345678",
        "+84912345678",
        "+447911123456",
    ],
)
def test_all_other_numbers_are_their_own_spelling(number: str) -> None:
    assert canonical(number) == number


def test_spelled_with_blanks_and_dirt_it_is_still_the_same_line() -> None:
    assert phone.parse("\u202d+52 1 55 1234 5678\u202c").number == "+525512345678"
    assert phone.parse("+54 9 11 6123-4567").number == "+5491161234567"
    assert phone.parse("+54 11 6123-4567").number == "+5491161234567"
    assert phone.parse("+44 (0)7911 123456").number == "+447911123456"


@pytest.mark.parametrize(
    "typed", ["+52 044 55 1234 5678", "+52 045 5512345678", "+52 01 55 1234 5678"]
)
def test_what_mexicans_dialled_at_home_is_the_same_line(typed: str) -> None:
    assert phone.parse(typed).number == "+525512345678"


def test_countries_whose_people_count_them_as_one() -> None:
    assert counted_as_one("US") == {"US", "PR", "GU", "VI", "AS", "MP"}
    assert counted_as_one("GB") == {"GB", "GG", "JE", "IM"}
    assert counted_as_one("PR") == counted_as_one("US")
    assert counted_as_one("CA") == {"CA"}
    assert counted_as_one("DE") == {"DE"}
