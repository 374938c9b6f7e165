"""Signing in: the key, the cookie, the token, the throttle."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.faces.console.sign_in import COOKIE, PATH, Throttle
from tests.console.conftest import Operator
from tests.harness import CONSOLE_KEY, Harness
from tests.harness import harness as open_harness

PAGES = ["/", "/verifications", "/verifications/x", "/verifications/x/at-twilio", "/limits"]
PAGES += ["/opt-outs", "/nothing"]
FORMS = ["/verifications", "/verifications/x/cancel", "/verifications/x/again"]
FORMS += ["/verifications/x/forget", "/limits", "/opt-outs", "/sign-out"]


def test_without_a_key_there_is_no_console(tmp_path: Path) -> None:
    with open_harness(tmp_path, CONSOLE_KEY="") as harness:
        for path in ("/console/", "/console/sign-in", "/console/static/console.css"):
            response = harness.call("GET", path, key=None)
            assert (response.status_code, response.content) == (404, b"")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_asks_for_the_key_first(visitor: Operator, page: str) -> None:
    response = visitor.get("/console" + page)
    assert response.status_code == 303
    assert response.headers["Location"].startswith("/console/sign-in?next=")


def test_the_right_key_signs_in_and_leads_to_the_page_that_was_asked_for(visitor: Operator) -> None:
    response = visitor.sign_in(next="/console/limits?x=1")
    assert (response.status_code, response.headers["Location"]) == (303, "/console/limits?x=1")
    assert visitor.get("/console/limits").status_code == 200
    assert visitor.get("/console/sign-in").status_code == 303


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/console/\\evil", "javascript:alert(1)", ""]
    + ["/console/\rx", "/console/\nx", "/console/\x1fx"],
)
def test_a_sign_in_leads_nowhere_else(visitor: Operator, elsewhere: str) -> None:
    assert visitor.sign_in(next=elsewhere).headers["Location"] == "/console/"


def test_a_wrong_key_does_not_and_is_counted(visitor: Operator, harness: Harness) -> None:
    response = visitor.sign_in("not-the-key-at-all")
    assert response.status_code == 403
    assert "This key is not valid." in response.text
    assert visitor.get("/console/").status_code == 303
    assert '{"code": "wrong_console_key"}' in str(harness.service.metrics.samples())


def test_five_wrong_keys_in_a_minute_are_enough(visitor: Operator, harness: Harness) -> None:
    for _ in range(5):
        assert visitor.sign_in("not-the-key-at-all").status_code == 403
    response = visitor.sign_in()
    assert (response.status_code, response.headers["Retry-After"]) == (429, "60")
    harness.clock.forward(60)
    assert visitor.sign_in().status_code == 303


def test_many_wrong_keys_at_once_are_no_more_than_one_after_the_other(harness: Harness) -> None:
    throttle = Throttle(harness.clock)
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda _: throttle.try_one("192.0.2.1"), range(64)))
    assert waits.count(0) == 5
    assert throttle.try_one("192.0.2.2") == 0
    assert [throttle.try_one(f"2001:db8:1:2::{n}") for n in range(6)] == [0] * 5 + [60]
    assert [throttle.try_one(f"2001:db8::a:{n}:1:1") for n in range(6)] == [0] * 5 + [60]


def test_a_signed_in_operator_is_not_throttled(operator: Operator, harness: Harness) -> None:
    stranger = Operator(harness.app.test_client())
    for _ in range(6):
        stranger.sign_in("not-the-key-at-all")
    assert operator.get("/console/").status_code == 200


def cookie(response) -> str:
    return response.headers["Set-Cookie"]


def test_the_cookie_is_httponly_lax_and_for_the_console_alone(visitor: Operator) -> None:
    set_cookie = cookie(visitor.sign_in())
    for part in ("HttpOnly", "SameSite=Lax", "Path=/console/", "Max-Age=43200"):
        assert part in set_cookie
    assert "Secure" not in set_cookie
    assert CONSOLE_KEY not in set_cookie


def test_behind_https_the_cookie_is_secure(tmp_path: Path) -> None:
    with open_harness(tmp_path, PUBLIC_BASE_URL="https://verify.example.com") as harness:
        client = harness.app.test_client()
        assert "Secure" in cookie(client.get("/console/sign-in", base_url="https://x"))


def test_a_session_ends_after_twelve_hours(operator: Operator, harness: Harness) -> None:
    harness.clock.forward(12 * 3600 - 1)
    assert operator.get("/console/").status_code == 200
    harness.clock.forward(1)
    assert operator.get("/console/").status_code == 303


def test_signing_out_takes_the_cookie_away(operator: Operator) -> None:
    assert operator.post("/console/sign-out").status_code == 303
    assert operator.get("/console/").status_code == 303


def carry(harness: Harness, value: str) -> int:
    client = harness.app.test_client()
    client.set_cookie("textback_console", value, path="/console/")
    return client.get("/console/").status_code


def test_a_forged_cookie_opens_nothing(operator: Operator, harness: Harness) -> None:
    kept = operator.client.get_cookie("textback_console", path="/console/")
    assert kept is not None
    assert carry(harness, kept.value) == 200
    body, _, signature = kept.value.rpartition(".")
    for forged in (body, f"{body}.", f"{body}.AAAA", f"x{body}.{signature}", "", "a.b.c", "é"):
        assert carry(harness, forged) == 303


def test_another_key_signs_everyone_out_and_a_rotated_secret_key_does_not(tmp_path: Path) -> None:
    with open_harness(tmp_path / "one") as harness:
        operator = Operator(harness.app.test_client())
        operator.sign_in()
        kept = operator.client.get_cookie("textback_console", path="/console/")
    assert kept is not None
    with open_harness(tmp_path / "two", CONSOLE_KEY="another-console-key-now") as harness:
        assert carry(harness, kept.value) == 303
    rotated = {"SECRET_KEY": "a-newer-secret-key-xyz"}
    with open_harness(
        tmp_path / "three", **rotated, SECRET_KEY_FALLBACKS="a-secret-key-for-tests"
    ) as harness:
        assert carry(harness, kept.value) == 200
    with open_harness(tmp_path / "four", **rotated) as harness:
        assert carry(harness, kept.value) == 303


def test_signing_in_gives_a_new_session(visitor: Operator) -> None:
    """A session id planted before the sign-in is not valid afterwards."""
    before = visitor.token()
    visitor.sign_in()
    assert visitor.token() != before
    response = visitor.client.post("/console/verifications", data={"token": before})
    assert response.status_code == 403


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("token", ["", "forged", "é"])
def test_a_form_without_its_token_does_nothing(operator: Operator, form: str, token: str) -> None:
    response = operator.client.post("/console" + form, data={"token": token, "number": "+1"})
    assert response.status_code == 403
    assert operator.get("/console/").status_code == 200, "not signed out either"


def test_a_form_of_many_fields_is_not_even_parsed(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    from werkzeug.formparser import FormDataParser

    def fail(*_: object) -> None:
        pytest.fail("parsed")

    monkeypatch.setattr(FormDataParser, "_parse_urlencoded", fail)
    response = harness.call(
        "POST",
        "/console/sign-in",
        data="&".join(["a="] * 6000),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert response.status_code == 403


def test_a_token_of_somebody_else_does_nothing(operator: Operator, harness: Harness) -> None:
    other = Operator(harness.app.test_client())
    other.sign_in()
    response = operator.client.post(
        "/console/verifications", data={"token": other.token(), "number": "+14255550123"}
    )
    assert response.status_code == 403
    assert harness.newest(1) == []


def test_a_form_without_a_session_leads_to_the_sign_in(visitor: Operator, harness: Harness) -> None:
    response = visitor.post("/console/verifications", number="+14255550123")
    assert (response.status_code, response.headers["Location"]) == (303, "/console/sign-in")
    assert harness.newest(1) == []


def test_a_form_after_the_session_says_that_it_is_over(
    operator: Operator, harness: Harness
) -> None:
    token = operator.token()
    operator.client.delete_cookie(COOKIE, path=PATH)
    fields = {"token": token, "number": "+14255550123"}
    response = operator.client.post("/console/verifications", data=fields)
    assert response.status_code == 403
    assert "no longer signed in" in response.text
    assert 'href="/console/sign-in"' in response.text
    assert harness.newest(1) == []


def test_every_answer_carries_a_strict_policy(operator: Operator) -> None:
    for path in ("/console/", "/console/sign-in", "/console/nothing", "/console/static/console.js"):
        with operator.get(path) as response:
            headers = response.headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"


def test_no_page_holds_inline_script_or_style(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    for path in ("/", "/verifications", f"/verifications/{id}", "/limits", "/opt-outs"):
        page = operator.get("/console" + path).text
        assert "<script src=" in page
        assert "<script>" not in page
        assert " style=" not in page
        assert "<style" not in page
        assert " onclick" not in page
