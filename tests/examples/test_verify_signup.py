"""The application written for Twilio Verify: one person enters the code, another texts it back."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from examples.signup import textback
from examples.verify_signup import client
from examples.verify_signup.app import OTHERWISE, SENTENCES, create_app, first_key
from tests.browser.conftest import Visit
from tests.examples.conftest import Example, example
from tests.harness import FUNCTION_KEY, PHONE, Harness
from tests.harness import harness as open_harness
from tests.verify.conftest import FORMS
from tests.verify.page import snippet

OTHER = "+14255550124"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[Example, Harness]]:
    with example() as made, open_harness(tmp_path, **FORMS) as harness:
        environment = {
            "PUBLIC_BASE_URL": harness.url,
            "FUNCTION_KEY": FUNCTION_KEY,
            "VERIFY_SERVICE_SID": harness.settings.service_sid,
        }
        made.app = create_app(environment)
        yield made, harness


def test_its_client_is_that_of_the_page() -> None:
    assert Path(client.__file__).read_text().endswith(snippet("python"))


# -- in a browser ----------------------------------------------------------------------------------


def send(page: Page, harness: Harness, number: str) -> None:
    page.get_by_label("Mobile number").fill(number)
    page.get_by_role("button", name="Text me a code").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter the code")
    harness.run_once()


def enter(page: Page, code: str) -> None:
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Verify").click()


def test_one_enters_the_code_and_another_texts_it_back(
    running: tuple[Example, Harness], visit: Callable[..., Visit]
) -> None:
    example, harness = running
    entering, texting = visit(example.url), visit(example.url)
    send(entering.open(), harness, PHONE)
    send(texting.open(), harness, OTHER)

    enter(entering.page, harness.wrong(PHONE))
    expect(entering.page.get_by_role("alert")).to_have_text("That is not the code in the text.")
    assert Axe().run(entering.page).response["violations"] == []
    enter(entering.page, harness.code(PHONE))
    expect(entering.page.get_by_role("heading", level=1)).to_have_text("Welcome to Clover")

    harness.text(harness.code(OTHER), OTHER)
    expect(texting.page.get_by_role("heading", level=1)).to_have_text("Welcome to Clover")
    expect(texting.page.locator("main")).to_contain_text(OTHER)
    assert [len(harness.texts(phone)) for phone in (PHONE, OTHER)] == [1, 1]


# -- without one -----------------------------------------------------------------------------------


class Person:
    def __init__(self, made: Example) -> None:
        assert made.app is not None
        self.client = made.app.test_client()

    def token(self) -> str:
        found = re.search(r'name="token" value="([^"]+)"', self.client.get("/").text)
        assert found
        return found[1]

    def send(self, number: str = PHONE) -> Any:
        return self.client.post("/", data={"number": number, "token": self.token()})

    def check(self, code: str) -> Any:
        return self.client.post("/verify", data={"code": code, "token": self.token()})

    @property
    def is_in(self) -> bool:
        self.client.get("/verify/status")
        return bool(self.client.get("/welcome").status_code == 200)


def alert(response: Any) -> str:
    found = re.search(r'role="alert">([^<]*)<', response.text)
    return found[1] if found else ""


def test_each_error_has_its_sentence(running: tuple[Example, Harness]) -> None:
    example, harness = running
    person = Person(example)
    assert alert(person.send("nonsense")) == SENTENCES[60200]
    for _ in range(5):
        assert person.send().status_code == 303
        harness.run_once()
        harness.forward(15)
    assert alert(person.send()) == SENTENCES[60203]
    for _ in range(5):
        assert alert(person.check(harness.wrong())) == "That is not the code in the text."
    assert alert(person.check(harness.wrong())) == SENTENCES[60202]
    assert alert(person.check("1")) == SENTENCES[60202]
    harness.forward(600)
    assert alert(person.check(harness.code())) == SENTENCES[20404]
    assert person.client.get("/welcome").status_code == 302


def test_a_person_is_told_if_textback_does_not_answer() -> None:
    made = Example(1)
    made.app = create_app(
        {
            "PUBLIC_BASE_URL": "http://127.0.0.1:1",
            "FUNCTION_KEY": FUNCTION_KEY,
            "VERIFY_SERVICE_SID": f"VA{'0' * 32}",
        }
    )
    person = Person(made)
    with person.client.session_transaction() as session:
        session.update(number=PHONE, sid=f"VE{'0' * 32}")
    for response in (person.send(), person.check("123456")):
        assert (response.status_code, alert(response)) == (503, OTHERWISE)
    assert person.client.get("/verify/status").json == {"status": "pending"}


@pytest.mark.parametrize("values", ["new,old", "web:new, app:old", " new "])
def test_the_first_of_several_keys_is_used(values: str) -> None:
    assert first_key(values) == textback.first_key(values) == "new"


def test_what_was_texted_back_may_be_entered_too(running: tuple[Example, Harness]) -> None:
    example, harness = running
    person = Person(example)
    person.send()
    harness.run_once()
    harness.text(harness.code())
    assert person.check(harness.code()).location == "/welcome"
    assert "is verified" in person.client.get("/welcome").text


@pytest.mark.parametrize("first", ["person", "stranger"])
@pytest.mark.parametrize("how", ["texts", "enters"])
def test_the_code_of_a_person_lets_no_stranger_in(
    running: tuple[Example, Harness], first: str, how: str
) -> None:
    """Both have entered the person's number, so both have the same verification."""
    example, harness = running
    person, stranger = Person(example), Person(example)
    for one in (person, stranger) if first == "person" else (stranger, person):
        assert one.send().status_code == 303
    harness.run_once()
    assert len(harness.texts(PHONE)) == 1
    if how == "texts":
        harness.text(harness.code())
        assert (person.is_in, stranger.is_in) == (False, False)
    assert person.check(harness.code()).location == "/welcome"
    assert (person.is_in, stranger.is_in) == (True, False)


def test_a_form_of_another_site_is_refused(running: tuple[Example, Harness]) -> None:
    example, harness = running
    client = Person(example).client
    assert client.post("/", data={"number": PHONE}).status_code == 403
    assert client.post("/", data={"number": PHONE, "token": "x"}).status_code == 403
    harness.run_once()
    assert harness.texts() == []
