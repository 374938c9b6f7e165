"""Checks the codes and settings in docs/verify.md against the code."""

import re

import pytest

from bot import settings
from bot.domain import errors
from bot.domain.limits import Limit, LimitName
from bot.faces.verify import errors as face
from tests.verify.conftest import FORMS
from tests.verify.page import PAGE

ROW = re.compile(r"^\| (`\w+`.*?) \| (\d{5}) \| (\d{3}) \| .+ \|$", re.MULTILINE)


def rows() -> dict[str, tuple[int, int]]:
    """By our word, and the limit that stands behind it."""
    found = {}
    for words, code, status in ROW.findall(PAGE):
        word, _, limit = words.partition(", of ")
        for each in [words] if limit else re.findall(r"`(\w+)`", word):
            found[each] = (int(code), int(status))
    return found


def limit_reached(setting: str) -> face.Code:
    return face.code_of(errors.LimitReached(Limit(LimitName(setting), 1, 60), 1))


def test_the_table_is_that_of_the_code() -> None:
    ours = {refusal.code: (code.number, code.status) for refusal, code in face.CODES.items()}
    ours |= {word: (code.number, code.status) for word, code in face.FAULTS.items()}
    ours["internal"] = (face.INTERNAL.number, face.INTERNAL.status)
    for name, setting in (
        ("`LIMIT_PER_NUMBER`", "LIMIT_PER_NUMBER"),
        ("`LIMIT_WRONG_PER_NUMBER`", "LIMIT_WRONG_PER_NUMBER"),
        ("any other limit", "LIMIT_TOTAL"),
    ):
        code = limit_reached(setting)
        ours[f"`limit_reached`, of {name}"] = (code.number, code.status)
    assert rows() == ours


@pytest.mark.parametrize("name", FORMS)
def test_the_settings_for_forms_are_those_of_the_tests(name: str) -> None:
    assert f"\n{name}={FORMS[name]}\n" in PAGE
    assert name in settings.variables()


def test_every_setting_that_is_named_exists() -> None:
    named = set(
        re.findall(r"`((?:LIMIT|MAX|CODE|WINDOW|SERVICE|VERIFY|ALLOWED)_[A-Z_]+)[=`]", PAGE)
    )
    assert named <= settings.variables().keys()
