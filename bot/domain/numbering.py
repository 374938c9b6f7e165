"""Numbering plans in which one mobile line is written in two ways, and countries that count as one.

Callers may type one spelling while carriers deliver the other. Both are passed through `canonical`,
so that a reply finds the start of the same line. The rules are applied before phonenumbers reads
the number, since its metadata no longer accepts the length of most old spellings.

A plan is listed if its old spelling identifies exactly one line. Left out on purpose:
- Brazil's eight digits that begin with 7: radio services, which were not renumbered.
- Palestine (+970 and +972) and Kosovo (+383, before it +377 and +386): another country code.
- Renumberings of more than ten years ago, since no carrier uses the old form any more: Ecuador,
  Guinea, Mauritius, Georgia, Djibouti, Qatar, Congo, French Polynesia.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NumberingPlan:
    """One plan, or a part of one. `old` and `new` are patterns of the whole number whose groups are
    the same digits; `to_new` and `to_old` are replacements for `re.sub`."""

    country: str
    old: str
    to_new: str
    new: str
    to_old: str


# Mexico: the 1 before mobile numbers was dropped on 3 August 2019 (Twilio's voice guidelines for
# Mexico; libphonenumber's migrator, recipes.csv); texts come with both (Signal-Android issue 3360).
# People still type the prefixes once dialled within Mexico: 044, 045 and 01.
_MEXICO = NumberingPlan(
    "MX", r"\+52(?:1|01|044|045)([2-9]\d{9})", r"+52\1", r"\+52([2-9]\d{9})", r"+521\1"
)
# Argentina: callers from abroad put a 9 before a mobile number, callers at home do not; without it
# a mobile number looks like a landline (libphonenumber's FAQ, "mx_and_ar"). Some put the trunk
# prefix 0 after it.
_ARGENTINA = NumberingPlan(
    "AR", r"\+54(?:9?0)?([123]\d{9})", r"+549\1", r"\+549([123]\d{9})", r"+54\1"
)
# Benin: 01 before every number since 30 November 2024 (allAfrica of that day; Signal-Server's
# BeninAlternateFormGenerator).
_BENIN = NumberingPlan("BJ", r"\+229([4-69]\d{7})", r"+22901\1", r"\+22901([4-69]\d{7})", r"+229\1")
# Brazil: a 9 before mobile numbers, area by area from 2012 on. ITU Operational Bulletin, Brazil,
# 6.II.2013; libphonenumber metadata migrator, recipes.csv.
_BRAZIL = NumberingPlan(
    "BR",
    r"\+55([1-9][1-9])([689]\d{7})",
    r"+55\g<1>9\2",
    r"\+55([1-9][1-9])9([689]\d{7})",
    r"+55\1\2",
)
# Cameroon: a 6 before mobile numbers since 21 November 2014 (The Guardian Post, Yaoundé).
_CAMEROON = NumberingPlan(
    "CM", r"\+237([5-79]\d{7})", r"+2376\1", r"\+2376([5-79]\d{7})", r"+237\1"
)
# Gabon: eight digits since 15 November 2019, 6 or 7 by operator in place of the 0; the old ones
# were to end on 6 April 2024, and the metadata still takes both (recipes.csv of libphonenumber).
_GABON = (
    NumberingPlan("GA", r"\+2410?([256]\d{6})", r"+2416\1", r"\+2416([256]\d{6})", r"+2410\1"),
    NumberingPlan("GA", r"\+2410?([47]\d{6})", r"+2417\1", r"\+2417([47]\d{6})", r"+2410\1"),
)
# Côte d'Ivoire: ten digits since 31 January 2021. The new first two digits depend on the operator,
# which the old second digit shows (Twilio's guidelines); checked against the metadata.
_IVORY_COAST = tuple(
    NumberingPlan(
        "CI",
        rf"\+225([04-9][{digits}]\d{{6}})",
        rf"+225{operator}\1",
        rf"\+225{operator}([04-9][{digits}]\d{{6}})",
        r"+225\1",
    )
    for digits, operator in (("7-9", "07"), ("4-6", "05"), ("0-3", "01"))
)
# Vietnam: eleven digits became ten between 15 September and 14 November 2018 (recipes.csv of
# libphonenumber; the operators' conversion tables).
_VIETNAM_PREFIXES = {
    **{"120": "70", "121": "79", "122": "77", "126": "76", "128": "78"},
    **{"123": "83", "124": "84", "125": "85", "127": "81", "129": "82"},
    **{f"16{digit}": f"3{digit}" for digit in range(2, 10)},
    **{"186": "56", "188": "58", "199": "59"},
}
_VIETNAM = tuple(
    NumberingPlan(
        "VN", rf"\+84{old}(\d{{7}})", rf"+84{new}\1", rf"\+84{new}(\d{{7}})", rf"+84{old}\1"
    )
    for old, new in _VIETNAM_PREFIXES.items()
)

PLANS: tuple[NumberingPlan, ...] = (
    _MEXICO,
    _ARGENTINA,
    _BENIN,
    _BRAZIL,
    _CAMEROON,
    *_GABON,
    *_IVORY_COAST,
    *_VIETNAM,
)

# Country codes of the plans: numbers with any other code are canonical and need no pattern.
_CODES = ("+52", "+54", "+55", "+84", "+225", "+229", "+237", "+241")
_TO_NEW = [(re.compile(plan.old, re.ASCII), plan.to_new) for plan in PLANS]
_TO_OLD = [(re.compile(plan.new, re.ASCII), plan.to_old) for plan in PLANS]

# Countries and territories that share a country code and treat each other's numbers as domestic.
# phonenumbers assigns some numbers to a territory although the range is shared (+44 7911 is
# Guernsey there).
_ONE = (
    frozenset(["US", "PR", "GU", "VI", "AS", "MP"]),
    frozenset(["GB", "GG", "JE", "IM"]),
    frozenset(["FI", "AX"]),
    frozenset(["NO", "SJ"]),
    frozenset(["AU", "CX", "CC"]),
    frozenset(["GP", "BL", "MF"]),
    frozenset(["RE", "YT"]),
    frozenset(["SH", "TA"]),
)


def canonical(number: str) -> str:
    """The one spelling of a line in E.164.

    >>> canonical("+5215512345678"), canonical("+541161234567")
    ('+525512345678', '+5491161234567')
    """
    if number.startswith(_CODES):
        for old, to_new in _TO_NEW:
            match = old.fullmatch(number)
            if match is not None:
                return match.expand(to_new)
    return number


def other_spellings(number: str) -> list[str]:
    """Returns the older spellings of a line, given its canonical spelling.

    >>> other_spellings("+525512345678"), other_spellings("+14255550123")
    (['+5215512345678'], [])
    """
    if not number.startswith(_CODES):
        return []
    matches = [(new.fullmatch(number), to_old) for new, to_old in _TO_OLD]
    return [match.expand(to_old) for match, to_old in matches if match is not None]


def counted_as_one(country: str) -> frozenset[str]:
    """Returns the countries that count as domestic for a sending number of this country.

    >>> sorted(counted_as_one("US")), sorted(counted_as_one("FR"))
    (['AS', 'GU', 'MP', 'PR', 'US', 'VI'], ['FR'])
    """
    return next((group for group in _ONE if country in group), frozenset([country]))
