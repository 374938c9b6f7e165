"""The buttons enable an endpoint, and send events again or as a test."""

from simulator.receiver import Behaviour, Received
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.console.pages import OTHER_PHONE
from tests.console.webhooks.conftest import EVENTS, approve, show
from tests.harness import PHONE, Harness


def press(operator: Operator, path: str, **fields: str) -> Page:
    """Presses a button and returns the page that follows."""
    response = operator.post(f"/console/webhooks{path}", **fields)
    assert response.status_code == 303, response.text
    return show(operator, response.headers["Location"].removeprefix("/console"))


def received(harness: Harness) -> list[Received]:
    return harness.simulator.receiver.events()


def enable_form(page: Page) -> tuple[str, dict[str, str]]:
    form = page.one("#endpoints form")
    generation = page.one('#endpoints input[name="generation"]')["value"]
    return str(form["action"]).removeprefix("/console/webhooks"), {"generation": str(generation)}


def test_enabling_sends_what_waits(operator: Operator, told: Harness) -> None:
    approve(told, behaviour=Behaviour.GONE)
    approve(told, OTHER_PHONE, behaviour=Behaviour.ACCEPT)
    path, fields = enable_form(show(operator))
    page = press(operator, path, **fields)
    assert page.says(".notice") == (
        "The endpoint is enabled: its waiting events are sent now, if it is still set."
    )
    assert page.rows("#endpoints table")[1][1:3] == ["enabled", "1"]
    told.run_once()
    assert [event.is_accepted for event in received(told)] == [False, True]


def test_a_form_of_before_enables_nothing_and_says_so(operator: Operator, told: Harness) -> None:
    approve(told, behaviour=Behaviour.GONE)
    path, fields = enable_form(show(operator))
    press(operator, path, **fields)
    approve(told, OTHER_PHONE, behaviour=Behaviour.GONE)
    for stale in (fields, {"generation": "x"}, {}):
        response = operator.post(f"/console/webhooks{path}", **stale)
        assert response.status_code == 409
        said = Page(response).says(".fault")
        assert said == "This endpoint was enabled or disabled meanwhile. Look again."
    assert show(operator).rows("#endpoints table")[1][1].startswith("disabled")
    response = operator.post("/console/webhooks/endpoints/none/enable", generation="0")
    assert (response.status_code, Page(response).says(".fault")) == (
        404,
        "No endpoint has this id.",
    )


def test_an_event_is_sent_again(operator: Operator, told: Harness) -> None:
    id = approve(told, behaviour=Behaviour.ACCEPT)
    action = str(show(operator).one(f"{EVENTS} form")["action"]).removeprefix("/console/webhooks")
    page = press(operator, action)
    assert page.says(".notice") == (
        "The event is sent again with its id, once its endpoint is set and enabled."
    )
    told.run_once()
    page = press(operator, action, verification=id)
    assert page.says("h1") == PHONE, "back on its own page"
    said = "The outcome was sent to the application again by operator."
    assert len([line for line in page.texts("#history li") if said in line]) == 2
    told.run_once()
    (event,) = received(told)
    assert (event.tries, event.is_same) == (3, True)
    assert operator.post("/console/webhooks/events/none/again").status_code == 404


def test_all_that_failed_are_sent_again(operator: Operator, told: Harness) -> None:
    approve(told, behaviour=Behaviour.GONE)
    path, fields = enable_form(show(operator))
    press(operator, path, **fields)
    told.simulator.receiver.behaviour = Behaviour.ACCEPT
    told.clock.forward(60)
    page = press(operator, "/failed", since="2026-01-31T12:01")
    assert page.says(".notice") == "No event has failed since then."
    page = press(operator, "/failed", since="2026-01-31T12:00")
    assert page.says(".notice") == (
        "Events that failed since then are sent again as soon as their endpoints are set and"
        " enabled."
    )
    told.run_once()
    assert received(told)[0].is_accepted
    for since in ("", "soon"):
        response = operator.post("/console/webhooks/failed", since=since)
        assert response.status_code == 400
        assert Page(response).says(".fault") == "A time looks like 2026-01-31T09:30."


def test_a_test_event_is_sent(operator: Operator, told: Harness) -> None:
    page = press(operator, "/test")
    assert page.says(".notice") == "A test event is sent to each endpoint that is set and enabled."
    assert page.rows(EVENTS)[1][1:3] == ["webhook.\u200btest", "none"]
    told.run_once()
    assert received(told)[0].is_accepted
    told.restart(WEBHOOK_URLS="", WEBHOOK_SECRET="")
    visitor = Operator(told.app.test_client())
    visitor.sign_in()
    response = visitor.post("/console/webhooks/test")
    assert response.status_code == 400
    assert "Set WEBHOOK_URLS" in Page(response).says(".fault")
