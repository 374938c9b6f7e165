"""All pages escape markup, notice changes, and stand on both databases or without one."""

from functools import partial

import pytest

from bot.store.tx import StoreUnavailable
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.console.pages import FRENCH_PHONE, HISTORY, OTHER_PHONE, WHY, ids_in, settle, show
from tests.harness import PHONE, Harness


def test_an_ignored_text_shows_its_number_masked(operator: Operator, harness: Harness) -> None:
    harness.text("hello")
    (row,) = show(operator, "/ignored").rows("#ignored table")[1:]
    assert row[1] == "+1425*****23"


def test_each_text_is_shown_as_a_phone_gets_it(operator: Operator) -> None:
    page = show(operator, "/texts")
    rows = {(row[0], row[1]): row[2:] for row in page.rows("#texts table")[1:]}
    english = [text for language, text in rows if language == "en"]
    assert any("0123. Reply with just these 4 digits" in text for text in english)
    assert {row[2] for row in rows.values()} == {"1"}
    assert {tag["lang"] for tag in page.all('.bubble[dir="rtl"]')} == {"ar", "he"}


def test_the_address_without_its_slash_leads_to_the_console_whatever_the_host(
    harness: Harness,
) -> None:
    response = harness.call("GET", "/console", headers={"Host": "evil.example"})
    assert (response.status_code, response.headers["Location"]) == (308, "/console/")


def test_without_the_database_there_is_a_page_all_the_same(
    operator: Operator, harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(query: object, *_: object, **__: object) -> None:
        raise StoreUnavailable("away")

    monkeypatch.setattr(harness.store, "read", away)
    response = operator.get("/console/")
    assert (response.status_code, response.mimetype) == (503, "text/html")
    assert "cannot be used at the moment" in Page(response).says('[role="alert"]')


# -- short polling ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/verifications", "/limits", "/opt-outs", "/webhooks"])
def test_a_page_that_has_not_changed_is_not_sent_again(
    operator: Operator, harness: Harness, path: str
) -> None:
    look = partial(operator.get, "/console" + path)
    version = look().headers["X-Version"]
    response = look(headers={"X-Version": version})
    assert (response.status_code, response.data) == (304, b"")
    harness.start()
    changed = look(headers={"X-Version": version})
    assert changed.status_code == 200
    assert changed.headers["X-Version"] != version


def changed(operator: Operator, path: str, version: str) -> bool:
    response = operator.get(f"/console{path}", headers={"X-Version": version})
    return response.status_code == 200


def test_a_page_notices_what_no_history_tells(operator: Operator, harness: Harness) -> None:
    """No dispatcher runs, one number is forgotten, another opts out."""
    harness.start(OTHER_PHONE)
    harness.start()
    version = operator.get("/console/").headers["X-Version"]
    harness.clock.forward(6)
    assert changed(operator, "/", version), "work is overdue"
    harness.run_once()
    version = operator.get("/console/verifications").headers["X-Version"]
    harness.forget(OTHER_PHONE)
    assert changed(operator, "/verifications", version)
    version = operator.get("/console/opt-outs").headers["X-Version"]
    harness.text("STOP", FRENCH_PHONE)
    assert changed(operator, "/opt-outs", version)


# -- markup shows as text --------------------------------------------------------------------------

MARKUP = '<b onclick="x">"&bold'


def test_markup_shows_as_text(operator: Operator, harness: Harness) -> None:
    id = "<i>id&amp;"
    path = "/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/%3Ci%3Eid&amp;"
    assert harness.call("POST", path, json=PHONE).status_code == 202
    harness.run_once()
    harness.text(MARKUP)
    base = "/runtime/webhooks/durabletask/instances/%3Ci%3Eid&amp;"
    harness.call("POST", f"{base}/raiseEvent/%3Cb%20onclick=%22x%22%3E", json=MARKUP)
    harness.call("POST", f"{base}/suspend", params={"reason": MARKUP})
    harness.call("POST", f"{base}/resume", params={"reason": MARKUP})
    harness.call("POST", f"{base}/terminate", params={"reason": MARKUP})
    for address in ("/verifications/%3Ci%3Eid&amp;", "/verifications", "/"):
        page = operator.get("/console" + address).text
        assert "<b onclick" not in page
        assert "<i>id" not in page
    page = show(operator, "/verifications/%3Ci%3Eid&amp;")
    assert page.fact("Id") == id
    assert len([line for line in page.texts(HISTORY) if '<b onclick="x">' in line]) == 4
    assert MARKUP in page.says(WHY)


# -- both databases --------------------------------------------------------------------------------


def test_every_page_stands_on_both_databases(any_harness: Harness) -> None:
    settle(any_harness)
    operator = Operator(any_harness.app.test_client())
    operator.sign_in()
    page = show(operator, "/?period=30d")
    assert page.facts("#lately .counts")[0] == ("started", "6")
    searches = ["q=0123", "q=4255550123&status=approved", "q=21614&country=US", "q=KP", "q=%00"]
    for path in [
        *(f"/verifications?{query}" for query in searches),
        "/verifications.csv",
        "/verifications.json?q=0123&status=approved",
        f"/limits?number={PHONE.replace('+', '%2B')}",
        "/opt-outs",
        "/ignored",
        "/audit?who=operator&what=signed_in&from=2026-01-01T00:00",
    ]:
        assert operator.get("/console" + path).status_code == 200, path
    first = ids_in(show(operator, "/verifications?q=0123&status=approved"))
    assert len(first) == 3
