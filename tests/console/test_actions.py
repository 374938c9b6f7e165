"""The console's forms start, resend, cancel and forget verifications, and clear limits."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.store.tx import Done
from tests.console.conftest import Operator, signed_in
from tests.console.page import Page
from tests.console.pages import WHY, one, show
from tests.harness import CONSOLE_KEY, PHONE, Harness
from tests.harness import harness as open_harness


def test_the_text_goes_out_again(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(15)
    response = operator.post(f"/console/verifications/{id}/resend")
    page = show(operator, response.headers["Location"].removeprefix("/console"))
    assert page.says(".notice").startswith("The text goes out again")
    assert page.fact("Texts") == "2 of 3"
    harness.run_once()
    assert len(harness.texts()) == 2


def test_a_start_leads_to_its_page_with_the_reference(operator: Operator, harness: Harness) -> None:
    response = operator.post("/console/verifications", number="+1 (425) 555-0123")
    assert response.status_code == 303
    (view,) = harness.newest(10)
    verification = view.verification
    assert response.headers["Location"] == f"/console/verifications/{verification.id}"
    assert (verification.phone, verification.started_by) == (PHONE, "console")
    assert one(operator, verification.id).fact("Reference") == verification.reference
    harness.run_once()
    assert len(harness.texts()) == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("", "A phone number input is required"),
        ("12", "international form"),
        ("+1", "7 to 15 digits"),
        ("+1425x", "may hold"),
    ],
)
def test_a_start_that_is_refused_says_why(operator: Operator, number: str, said: str) -> None:
    response = operator.post("/console/verifications", number=number)
    assert response.status_code == 400
    assert said in Page(response).says(".fault")


def test_cancel_start_again_forget(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    response = operator.post(f"/console/verifications/{id}/cancel")
    assert response.status_code == 303
    page = show(operator, response.headers["Location"].removeprefix("/console"))
    assert page.says(".notice") == "The verification is canceled."
    assert "It was canceled: canceled at the console" in page.says(WHY)
    assert operator.post(f"/console/verifications/{id}/cancel").status_code == 400, "it has ended"

    response = operator.post(f"/console/verifications/{id}/again")
    again = response.headers["Location"].rpartition("/")[2]
    assert harness.find(again).started_by == "function"
    harness.run_once()
    assert len(harness.texts()) == 2

    response = operator.post(f"/console/verifications/{again}/forget")
    page = show(operator, response.headers["Location"].removeprefix("/console"))
    assert f"{PHONE} is forgotten" in page.says(".notice")
    page = show(operator, "/verifications?notice=forgotten")
    assert "forgotten" not in page.says("main"), "a forged link"
    assert harness.newest(10) == []
    assert operator.post(f"/console/verifications/{again}/forget").status_code == 404


def test_limits_breaker_and_guess_budget_as_they_stand(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_TOTAL="10/hour", LIMIT_PER_NUMBER="2/hour") as harness:
        operator = Operator(harness.app.test_client())
        operator.sign_in()
        for _ in range(2):
            harness.start()
        assert harness.post_start().status_code == 429
        page = show(operator, "/limits")
        limits = page.rows("#starts table")
        assert ["All starts", "10/hour", "all", "2 of 10"] in limits
        limits_of_a_number = page.texts('[aria-labelledby="number-title"] li')
        assert "Starts of a number: 2/hour LIMIT_PER_NUMBER" in limits_of_a_number
        standing = show(operator, f"/limits?number={PHONE.replace('+', '%2B')}")
        assert "Starts of a number: 2 of 2/hour, full" in standing.texts("#number-limits li")
        budget = page.says('[aria-labelledby="budget-title"] p')
        assert budget == f"{harness.settings.guess_budget}."
        assert page.says("#breaker p") == "All circuits are closed: starts are admitted everywhere."
        assert operator.post("/console/limits", number=PHONE).status_code == 303
        assert harness.post_start().status_code == 202
        assert operator.post("/console/limits", number="me").status_code == 400


def test_an_open_circuit_is_told_with_its_counts_and_for_each_number(tmp_path: Path) -> None:
    with open_harness(tmp_path, BREAKER_TEXTS_PER_PREFIX="5") as harness:
        operator = Operator(harness.app.test_client())
        operator.sign_in()
        for number in range(5):
            harness.start_and_send(f"+142555502{number:02}")
        harness.forward(600)
        page = show(operator, f"/limits?number={PHONE.replace('+', '%2B')}")
        assert page.texts("#breaker li") == ["+1425555: 0 of 5 texts answered"]
        sentence, verdict = page.texts("#number-limits > p")[:2]
        assert sentence.startswith("Starts in +1425555 are refused, except of numbers verified")
        assert verdict == "Nothing of this number alone prevents a start."


def test_opt_outs_are_listed_and_cleared(operator: Operator, harness: Harness) -> None:
    assert show(operator, "/opt-outs").says("#marked > p") == "No number has texted STOP."
    harness.text("STOP")
    (row,) = show(operator, "/opt-outs").rows("#marked table")[1:]
    assert row[:2] == [PHONE, "2026-01-31 12:00:00 UTC"]
    operator.post("/console/opt-outs", number=PHONE)
    assert show(operator, "/opt-outs").says("#marked > p") == "No number has texted STOP."


def test_an_open_page_of_opt_outs_shows_a_stop_at_once(
    operator: Operator, harness: Harness
) -> None:
    """It ends no verification, so it is in no history."""
    version = operator.get("/console/opt-outs").headers["X-Version"]
    assert operator.get("/console/opt-outs", headers={"X-Version": version}).status_code == 304
    harness.text("STOP")
    assert operator.get("/console/opt-outs", headers={"X-Version": version}).status_code == 200


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/opt-outs", f"{PHONE} had not opted out."),
        ("/limits", f"Nothing counted against {PHONE}."),
    ],
)
def test_where_nothing_was_cleared_the_notice_says_so(
    operator: Operator, path: str, said: str
) -> None:
    response = operator.post(f"/console{path}", number=PHONE)
    assert Page(operator.get(response.headers["Location"])).says(".notice") == said


def test_a_start_that_is_refused_keeps_the_number_and_leads_on(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="1/hour") as harness:
        alice = signed_in(harness, CONSOLE_KEY)
        alice.post("/console/verifications", number=PHONE)
        response = alice.post("/console/verifications", number="+1 425 555 0123")
        page = Page(response)
        assert response.status_code == 400
        assert page.one('main input[name="number"]')["value"] == "+1 425 555 0123"
        link = page.one('main a[href*="limits"]')
        assert link.text == "Clear its limits"
        cleared = Page(alice.get(str(link["href"])))
        assert cleared.says("#number-limits button") == f"Clear the limits of {PHONE}"
        form = cleared.one('form[action="/console/limits"][method="post"] input[name="number"]')
        response = alice.post("/console/limits", number=str(form["value"]))
        notice = Page(alice.get(response.headers["Location"])).says(".notice")
        assert notice == f"The limits of {PHONE} are cleared."
        assert alice.post("/console/verifications", number=PHONE).status_code == 303


def test_start_again_is_not_offered_where_it_cannot_work(
    operator: Operator, harness: Harness
) -> None:
    id = harness.start_and_send()["id"]

    def buttons() -> list[str]:
        return Page(operator.get(f"/console/verifications/{id}")).texts("#doing button")

    assert f"Text a new code to {PHONE}" in buttons()
    harness.text("STOP")
    assert f"Text a new code to {PHONE}" not in buttons()
    page = Page(operator.get(f"/console/verifications/{id}"))
    assert "This number has texted STOP" in page.says("#doing > p")
    link = page.one("#doing > p a")
    opt_outs = Page(operator.get(str(link["href"])))
    assert opt_outs.one('main input[name="number"]')["value"] == PHONE
    harness.text("START")
    assert f"Text a new code to {PHONE}" in buttons()
    harness.start_and_send()
    harness.text("NO")
    assert "replied NO" in Page(operator.get(f"/console/verifications/{id}")).says("#doing > p")
    harness.restart(ALLOWED_COUNTRIES="FR")
    visitor = signed_in(harness, CONSOLE_KEY)
    said = Page(visitor.get(f"/console/verifications/{id}")).says("#doing > p")
    assert "ALLOWED_COUNTRIES" in said


def test_looking_whether_it_can_start_again_changes_nothing(
    operator: Operator, harness: Harness
) -> None:
    """An opt-out older than a day admits one start as a test; looking must not use it up."""
    id = harness.start_and_send()["id"]
    harness.text("STOP")
    harness.clock.forward(25 * 3600)
    operator.sign_in()
    for _ in range(3):
        page = Page(operator.get(f"/console/verifications/{id}"))
        assert f"Text a new code to {PHONE}" in page.texts("#doing button")
    assert harness.post_start().status_code == 202
    assert harness.post_start().status_code == 409


def test_events_are_not_sent_again_since_a_time_to_come(
    operator: Operator, harness: Harness
) -> None:
    since = f"{harness.clock.now + timedelta(hours=8):%Y-%m-%dT%H:%M}"
    response = operator.post("/console/webhooks/failed", since=since)
    assert response.status_code == 400
    assert "still to come" in response.text


def test_a_row_that_cannot_be_read_has_a_page_that_says_so(
    operator: Operator, harness: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    id = harness.start_and_send()["id"]
    sql = "UPDATE verification SET created_at = 'x' WHERE id = :id"
    harness.store.write(lambda tx: Done(tx.run(sql, id=id)))
    response = operator.get(f"/console/verifications/{id}")
    assert response.status_code == 500
    assert "Rows that cannot be read" in response.text
    assert "of verification cannot be read" in caplog.text
