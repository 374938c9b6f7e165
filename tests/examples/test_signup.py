"""The sign-up form starts one verification, and its page has the read link alone."""

from pathlib import Path

import pytest

from tests.examples.conftest import Example, Person, change, rows
from tests.harness import Harness


def test_only_the_read_link_reaches_the_page(
    told: tuple[Example, Harness], person: Person, tmp_path: Path
) -> None:
    example, harness = told
    assert person.sign_up().status_code == 303
    page = person.verify_page().replace("&amp;", "&")
    columns = "status_link, event_link, terminate_link"
    ((status_link, *acting),) = rows(tmp_path, f"SELECT {columns} FROM account")
    assert f'"{status_link}&showInput=false"' in page
    for link in acting:
        key = link.rpartition("code=")[2]
        assert key not in page
        assert harness.http.post(link.replace(key, "")).status_code == 401
    assert example.settings["WEBHOOK_SECRET"] not in page
    headers = person.client.get("/verify").headers
    assert f"connect-src {harness.url};" in headers["Content-Security-Policy"]
    cookie = Person(example).client.get("/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_start_tells_tag_and_language(told: tuple[Example, Harness], person: Person) -> None:
    _, harness = told
    person.client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de-AT, x-nonsense-!!;q=0.9, de;q=0.8"
    assert 'value="AT" selected' in person.client.get("/").text
    person.sign_up()
    (view,) = harness.newest(5)
    assert view.verification.locale == "de"
    assert len(view.verification.tag or "") == 32


def test_a_form_sent_twice_is_one_start(told: tuple[Example, Harness], person: Person) -> None:
    _, harness = told
    form = {**person.hidden(), "name": "Ada", "country": "US", "number": "4255550123"}
    for _ in range(2):
        assert person.client.post("/", data=form).status_code == 303
    assert len(harness.newest(5)) == 1


@pytest.mark.parametrize("attempt", ["€€€€€", "a\r\nX: y", ""])
def test_an_attempt_of_another_form_is_no_fault(person: Person, attempt: str) -> None:
    assert person.sign_up(attempt=attempt).status_code == 303


def test_answers_to_two_forms_may_be_stored_in_any_order(
    told: tuple[Example, Harness], person: Person, tmp_path: Path
) -> None:
    """Of two tabs; the newer start is the one that is answered."""
    _, harness = told
    person.sign_up()
    ((first,),) = rows(tmp_path, "SELECT verification FROM account")
    person.sign_up()
    change(tmp_path, "UPDATE account SET verification = ?", first)
    harness.run_once()
    harness.text(harness.code())
    harness.run_once()
    assert person.client.get("/welcome").status_code == 200


def test_a_resend_and_a_new_start(told: tuple[Example, Harness], person: Person) -> None:
    _, harness = told
    person.sign_up()
    harness.run_once()
    person.post("/verify/resend")
    assert "is on its way. Wait a moment" in person.verify_page()
    harness.forward(15)
    person.post("/verify/resend")
    assert "the same code again" in person.verify_page()
    assert len(harness.texts()) == 1
    person.post("/verify/again")
    assert "a new code is on its way" in person.verify_page()
    assert len(harness.newest(5)) == 2


@pytest.mark.parametrize(
    "path", ["/", "/verify/code", "/verify/resend", "/verify/again", "/sign-out"]
)
def test_forms_of_other_sites_do_nothing(
    told: tuple[Example, Harness], person: Person, path: str
) -> None:
    person.sign_up()
    for form in ({}, {"csrf": ""}, {"csrf": "ü"}):
        assert person.client.post(path, data=form).status_code == 403
    assert len(told[1].newest(5)) == 1


def test_every_outcome_has_a_part_of_the_page(person: Person) -> None:
    person.sign_up()
    page = person.verify_page()
    for status in ("approved", "expired", "max_attempts_reached", "canceled", "failed"):
        assert f'data-status="{status}" data-cause=""' in page
