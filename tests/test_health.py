"""GET /healthz and GET /metrics; /readyz is tested with what makes it not ready."""

import pytest

from simulator.receiver import Behaviour
from tests.harness import FUNCTION_KEY, PHONE, SYSTEM_KEY, Harness


def metrics(harness: Harness, key: str = SYSTEM_KEY):
    headers = {"Authorization": f"Bearer {key}"}
    return harness.call("GET", "/metrics", key=None, headers=headers)


def test_liveness_needs_no_key(harness: Harness) -> None:
    response = harness.call("GET", "/healthz", key=None)
    assert (response.status_code, response.json()) == (200, {"status": "alive"})


def test_metrics_need_a_system_key(harness: Harness) -> None:
    assert metrics(harness).status_code == 200
    assert metrics(harness, FUNCTION_KEY).status_code == 403
    assert metrics(harness, "wrong").status_code == 401
    assert harness.call("GET", "/metrics", key=None).status_code == 401


@pytest.mark.parametrize("path", ["/metrics", "/readyz"])
def test_a_key_is_taken_wherever_it_may_stand(harness: Harness, path: str) -> None:
    bearer = harness.call("GET", path, key=None, headers={"Authorization": f"Bearer {SYSTEM_KEY}"})
    query = harness.call("GET", f"{path}?code={SYSTEM_KEY}", key=None)
    header = harness.call("GET", path, key=SYSTEM_KEY)
    for response in (bearer, query, header):
        assert response.status_code == 200
        assert path == "/metrics" or "reasons" in response.json()


def test_refusals_are_counted_by_their_word_and_webhooks_by_their_reason(harness: Harness) -> None:
    harness.post_start("nonsense")
    harness.post_start("nonsense")
    harness.call("POST", "/twilio/sms", data={"From": PHONE})
    harness.simulator.faults.add("webhook_twice")
    harness.text("hello")
    text = metrics(harness).text
    assert 'textback_refusals_total{code="invalid_number"} 2.0' in text
    assert 'textback_webhooks_refused_total{reason="signature"} 1.0' in text
    assert 'textback_webhooks_refused_total{reason="repeat"} 1.0' in text
    assert "textback_breaker_closed_areas 0.0" in text
    assert "textback_guess_chance 0.00498" in text
    assert PHONE not in text


def test_a_disabled_endpoint_is_noted_and_the_service_is_ready(told: Harness) -> None:
    """A balancer would send requests elsewhere, and every process has the same endpoints."""
    told.simulator.receiver.behaviour = Behaviour.GONE
    told.start_and_send()
    assert told.call("GET", "/readyz").json()["notes"] == {}
    told.text(told.code())
    told.run_once()
    ready = told.call("GET", "/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "ready")
    assert ready.json()["reasons"] == {}
    assert list(ready.json()["notes"]) == ["webhook_endpoint"]
    assert "flask webhooks enable" in ready.json()["notes"]["webhook_endpoint"]
    assert told.call("GET", "/readyz", key=None).json() == {"status": "ready"}
    told.restart(WEBHOOK_URLS="", WEBHOOK_SECRET="")
    assert told.call("GET", "/readyz").json()["notes"] == {}, "it is not set any more"


def test_the_first_page_says_what_this_is_and_where_the_rest_is(harness: Harness) -> None:
    response = harness.call("GET", "/", key=None)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    for path in ("/openapi.json", "/healthz", "/readyz", "/console/"):
        assert f'href="{path}"' in response.text
    assert harness.call("POST", "/", key=None).status_code == 404
