"""The pages show where each endpoint stands, and what became of each event."""

import pytest

from bot.domain.webhook_response import WebhookResult
from bot.explanations.webhooks import result_in_words, waiting
from bot.store import webhook_endpoints
from bot.store.tx import Done
from bot.usecases import notify, webhooks
from simulator.receiver import Behaviour
from tests.console.conftest import Operator
from tests.console.pages import OTHER_PHONE
from tests.console.webhooks.conftest import EVENTS, approve, name, show
from tests.harness import RECEIVER, WEBHOOK_SECRET, Harness

# -- endpoints -------------------------------------------------------------------------------------


def test_without_endpoints_the_page_says_what_to_set(operator: Operator, told: Harness) -> None:
    told.restart(WEBHOOK_URLS="", WEBHOOK_SECRET="")
    with told.app.test_client() as client:
        visitor = Operator(client)
        visitor.sign_in()
        page = show(visitor)
    assert "Set WEBHOOK_URLS and WEBHOOK_SECRET" in page.says("#endpoints > p")
    (row,) = page.rows("#endpoints table")[1:]
    assert row[1] == "not set WEBHOOK_URLS no longer lists it; its events wait."
    assert page.all('[aria-labelledby="sending-title"]') == []
    assert page.says("#events > p") == "None."


def test_an_endpoint_is_shown_without_its_query(told: Harness) -> None:
    told.restart(WEBHOOK_URLS=f"{RECEIVER}?token=a-secret", WEBHOOK_SECRET=WEBHOOK_SECRET)
    operator = Operator(told.app.test_client())
    operator.sign_in()
    approve(told, behaviour=Behaviour.ACCEPT)
    page = show(operator)
    rows = page.rows("#endpoints table")[1:]
    assert [(row[0], row[1].split()[0]) for row in rows] == [
        (name(told), "enabled"),
        (name(told), "not"),
    ]
    assert "a-secret" not in operator.get("/console/webhooks").text


def test_where_an_endpoint_stands(operator: Operator, told: Harness) -> None:
    def row() -> list[str]:
        (only,) = show(operator).rows("#endpoints table")[1:]
        return [only[1], only[2], only[4]]

    assert row() == ["enabled", "0", ""]
    approve(told, behaviour=Behaviour.FAIL)
    assert row() == ["failing Since 2026-01-31 12:00:00 UTC; its events are tried again.", "1", ""]
    approve(told, OTHER_PHONE, behaviour=Behaviour.GONE)
    state, waiting, button = row()
    assert state == (
        "disabled Since 2026-01-31 12:00:00 UTC, because it answered 410: it wants no more events."
    )
    assert (waiting, button) == ("1", "Enable")


def test_a_day_of_failures_is_said(operator: Operator, told: Harness) -> None:
    approve(told, behaviour=Behaviour.FAIL)
    for _ in range(2):
        told.clock.forward(12.5 * 3600)
        told.run_once()
    operator.sign_in()  # a session is shorter
    state = show(operator).rows("#endpoints table")[1][1]
    assert state.endswith("because nothing but failures came for 24 hours.")


def test_more_than_are_counted_are_said_to_be(told: Harness) -> None:
    (endpoint,) = told.store.read(webhook_endpoints.configured)
    assert waiting(webhooks.EndpointView(endpoint, 9_999)) == "9,999"
    assert waiting(webhooks.EndpointView(endpoint, 10_000)) == "10,000 or more"


# -- events ----------------------------------------------------------------------------------------


def test_events_are_listed_newest_first_with_what_was_answered(
    operator: Operator, told: Harness
) -> None:
    first = approve(told, behaviour=Behaviour.ACCEPT)
    told.clock.forward(5)
    second = approve(told, OTHER_PHONE, behaviour=Behaviour.BUSY)
    page = show(operator)
    rows = page.rows(EVENTS)[1:]
    told_of, here = "verification.\u200bapproved", name(told)
    taken = "It took the event with HTTP status 204."
    refused = "It refused the event with HTTP status 503."
    assert [row[:8] for row in rows] == [
        ["2026-01-31 12:00:05 UTC", told_of, second, here, "pending", "1", refused,
         "2026-01-31 12:02:05 UTC"],
        ["2026-01-31 12:00:00 UTC", told_of, first, here, "delivered", "1", taken, "none"],
    ]  # fmt: skip
    links = [link["href"] for link in page.all(f"{EVENTS} a")]
    assert links == [f"/console/verifications/{id}" for id in (second, first)]


def test_events_are_filtered_by_state(operator: Operator, told: Harness) -> None:
    approve(told, behaviour=Behaviour.ACCEPT)
    approve(told, OTHER_PHONE, behaviour=Behaviour.GONE)
    for state in ("delivered", "failed"):
        page = show(operator, f"/webhooks?state={state}")
        assert page.texts(f"{EVENTS} .chip") == [state]
        assert page.says("select option[selected]") == state
    assert show(operator, "/webhooks?state=pending").says("#events > p") == "None."
    page = show(operator, "/webhooks?state=nonsense")
    assert page.says(".fault") == "This state is unknown."
    assert len(page.texts(f"{EVENTS} .chip")) == 2


def test_what_is_next_says_what_it_waits_for(operator: Operator, told: Harness) -> None:
    def next_try() -> str:
        return show(operator).rows(EVENTS)[1][7]

    told.start_and_send()
    told.text(told.code())
    assert next_try() == "2026-01-31 12:00:00 UTC"
    (endpoint,) = told.store.read(webhook_endpoints.configured)
    told.store.write(notify.claim_events, endpoint.id, limit=1)
    assert next_try() == "being sent now"
    cause = webhook_endpoints.DisabledCause.GONE
    told.store.write(
        lambda tx: Done(webhook_endpoints.disable(tx, endpoint.id, cause, generation=0))
    )
    assert next_try() == "when the endpoint is enabled"


@pytest.mark.parametrize("result", WebhookResult)
def test_every_result_has_a_sentence(result: WebhookResult) -> None:
    said = result_in_words(result, 418)
    assert said.endswith(".")
    unanswered = (WebhookResult.UNREACHABLE, WebhookResult.TIMEOUT, WebhookResult.FORBIDDEN_ADDRESS)
    assert ("HTTP status 418" in said) == (result not in unanswered)


# -- other pages -----------------------------------------------------------------------------------


def test_a_verification_shows_its_events_alone(operator: Operator, told: Harness) -> None:
    id = approve(told, behaviour=Behaviour.ACCEPT)
    other = approve(told, OTHER_PHONE, behaviour=Behaviour.FAIL)
    page = show(operator, f"/verifications/{id}")
    assert page.rows(EVENTS)[0][:3] == ["When", "Event", "To"]
    assert page.texts(f"{EVENTS} .chip") == ["delivered"]
    assert show(operator, f"/verifications/{other}").texts(f"{EVENTS} .chip") == ["pending"]
    pending = told.start_and_send()["id"]
    assert show(operator, f"/verifications/{pending}").all(EVENTS) == []


def test_the_overview_says_when_an_endpoint_is_disabled(operator: Operator, told: Harness) -> None:
    assert show(operator, "/").all("#state .indicators .bad") == []
    version = operator.get("/console/").headers["X-Version"]
    approve(told, behaviour=Behaviour.GONE)
    assert operator.get("/console/", headers={"X-Version": version}).status_code == 200
    for path in ("/", "/limits"):
        page = show(operator, path)
        indicator = page.says("#state .indicators .bad")
        assert indicator.startswith("A webhook endpoint is disabled, so its events wait.")
        assert indicator.endswith("See why")
        assert page.one("#state .indicators .bad a")["href"] == "/console/webhooks"


def test_an_open_page_notices_what_became_of_an_event(operator: Operator, told: Harness) -> None:
    id = approve(told, behaviour=Behaviour.FAIL)
    paths = ("/console/webhooks", f"/console/verifications/{id}")
    versions = {path: operator.get(path).headers["X-Version"] for path in paths}
    for path in paths:
        same = operator.get(path, headers={"X-Version": versions[path]})
        assert (same.status_code, same.data) == (304, b"")
    told.simulator.receiver.behaviour = Behaviour.ACCEPT
    told.forward(3)
    for path in paths:
        assert operator.get(path, headers={"X-Version": versions[path]}).status_code == 200
