"""Each refusal is told to the person in a sentence, and a lost start is repeated under its key."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.domain.errors import Refusal
from bot.faces.durable import errors as durable_errors  # noqa: F401
from bot.http import errors as http_errors
from examples.signup import sentences, textback
from examples.signup.app import create_app
from tests.examples.conftest import OTHER, Example, Person
from tests.harness import PHONE, Harness

# -- sentences -------------------------------------------------------------------------------------


@pytest.fixture
def person_alone(tmp_path: Path) -> Person:
    """A person at an example that has no Textback."""
    example = Example(1)
    example.app = create_app(example.environment("http://127.0.0.1:1", tmp_path))
    return Person(example)


@pytest.mark.parametrize(
    ("number", "country", "sentence"),
    [
        ("12", "US", sentences.REFUSALS["invalid_number"]),
        ("(800) 555-1212", "US", sentences.REFUSALS["cannot_receive_texts"]),
        ("(425) 555-0100", "US", sentences.REFUSALS["cannot_receive_texts"]),
        ("0171 555 01 23", "DE", sentences.REFUSALS["country_not_allowed"]),
    ],
)
def test_numbers_that_are_refused(
    told: tuple[Example, Harness], person: Person, number: str, country: str, sentence: str
) -> None:
    told[1].restart(ALLOWED_COUNTRIES="US")
    answer = person.sign_up(number, country=country)
    assert answer.status_code == 400
    assert f'id="number-error">{sentence}<' in answer.text
    assert f'value="{number}"' in answer.text, "nothing is typed twice"
    assert f'value="{country}" selected' in answer.text


def test_limits_and_opt_outs_are_told(told: tuple[Example, Harness], person: Person) -> None:
    _, harness = told
    harness.restart(LIMIT_PER_NUMBER="1/10 minutes")
    assert person.sign_up().status_code == 303
    assert re.search(r"Try again in (9|10) minutes\.", person.sign_up().text)
    harness.text("STOP", OTHER)
    assert sentences.REFUSALS["opted_out"] in person.sign_up("(425) 555-0124").text


def codes(error: type[Refusal]) -> list[str]:
    return [error.code, *(code for sub in error.__subclasses__() for code in codes(sub))]


EVERY_CODE = sorted(
    {*codes(Refusal), "body_too_large", "store_unavailable", "internal", *sentences.REFUSALS}
)


@pytest.mark.parametrize("code", EVERY_CODE)
def test_every_refusal_has_a_sentence(
    person_alone: Person, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise textback.Refused(code, 240)

    monkeypatch.setattr(textback.Textback, "start", refuse)
    answer = person_alone.sign_up()
    assert answer.status_code in (400, 503)
    sentence = sentences.refusal(code, 240)
    assert sentence in answer.text
    assert "{" not in sentence
    assert code not in sentence.split()


def test_what_only_waiting_helps_against_has_its_own_sentence() -> None:
    waiting = {error.code for error, status in http_errors.STATUSES.items() if status in (429, 503)}
    waiting -= {"sends_used"}  # final for its verification
    assert waiting <= sentences.REFUSALS.keys()
    assert all("{wait}" in sentences.REFUSALS[code] for code in waiting)


# -- the client ------------------------------------------------------------------------------------


class Answers:
    """Gives these answers in place of Textback, one after another."""

    def __init__(self, *answers: tuple[int, dict[str, str], Any] | None) -> None:
        self.left = list(answers)
        self.headers: list[dict[str, str]] = []

    def __call__(self, method: str, url: str, **more: Any) -> requests.Response:
        self.headers.append(more.get("headers", {}))
        answer = self.left.pop(0)
        if answer is None:
            raise requests.ConnectionError
        made = requests.Response()
        made.status_code, headers, body = answer
        made.headers.update(headers)
        made.raw = io.BytesIO(json.dumps(body).encode() if body else b"")
        return made


STARTED = (
    202,
    {},
    {
        "id": "1",
        "reference": "KP",
        "statusQueryGetUri": "read",
        "sendEventPostUri": "act/{eventName}",
        "terminatePostUri": "end",
    },
)


@pytest.mark.parametrize(
    "first", [None, (503, {"Retry-After": "0"}, {"code": "still_counting"})], ids=["lost", "early"]
)
def test_a_start_is_repeated_under_the_same_key(
    monkeypatch: pytest.MonkeyPatch, first: Any
) -> None:
    answers = Answers(first, STARTED)
    monkeypatch.setattr(requests, "request", answers)
    client = textback.Textback("http://textback.example", "key")
    made = client.start(PHONE, tag="1", locale=None, idempotency_key="once")
    assert made.reference == "KP"
    assert [headers["Idempotency-Key"] for headers in answers.headers] == ["once", "once"]


@pytest.mark.parametrize(
    ("answer", "code", "wait"),
    [
        ((410, {}, None), "already_finished", None),
        ((404, {}, None), "unknown_verification", None),
        ((409, {}, {"code": "too_late_to_resend"}), "too_late_to_resend", None),
        ((429, {"Retry-After": "40"}, {"code": "sends_used"}), "sends_used", 40),
        ((502, {}, None), "", None),
        (None, "unreachable", None),
    ],
)
def test_a_refused_resend(
    monkeypatch: pytest.MonkeyPatch, answer: Any, code: str, wait: int | None
) -> None:
    monkeypatch.setattr(requests, "request", Answers(answer))
    with pytest.raises(textback.Refused) as refused:
        textback.Textback("", "").send_again("act/{eventName}")
    assert (refused.value.code, refused.value.wait) == (code, wait)
