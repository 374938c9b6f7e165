"""The OpenAPI description matches the code, and it describes every answer."""

import json
import re
from pathlib import Path

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from bot.app import openapi_document
from bot.faces.durable.routes import DurableRoutes
from tests.conftest import SOAK
from tests.harness import SYSTEM_KEY, Harness

ROOT = Path(__file__).parents[2]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


def test_the_page_in_docs_is_the_document() -> None:
    page = json.loads((ROOT / "docs" / "openapi.json").read_text())
    assert page == openapi_document(), "stale: run make openapi"


def test_it_is_served(harness: Harness) -> None:
    response = harness.call("GET", "/openapi.json", key=None)
    assert (response.status_code, response.json()) == (200, openapi_document())


def test_it_has_every_route_and_no_other(harness: Harness) -> None:
    table = DurableRoutes(harness.service).table
    served = {(r.method, r.path) for r in table if r.method not in ("HEAD", "OPTIONS")}
    for rule in harness.app.url_map.iter_rules():
        is_page = rule.endpoint.startswith("console.")
        if rule.endpoint not in ("durable.find", "verify.missing") and not is_page:
            path = re.sub(r"<(\w+?)(_id)?>", r"{\1}", rule.rule)
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            served |= {(method, path) for method in methods}
    described = {
        (method.upper(), path)
        for path, operations in openapi_document()["paths"].items()
        for method in operations
    }
    assert described == served


@pytest.mark.timeout(120 * SOAK)
def test_nothing_generated_from_it_meets_a_fault_or_an_undescribed_answer(harness: Harness) -> None:
    harness.service.waiting.release()  # waits end at once, since no outcome will come
    schema = schemathesis.openapi.from_dict(openapi_document())
    schema.app = harness.app
    for place in (5, 6, 7):  # so that some ids are there to be found
        harness.call(
            "POST",
            f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{place}",
            json=f"+1425555020{place}",
        )
    for operation in schema.get_all_operations():
        check(operation.ok())


def check(operation) -> None:
    @hypothesis.given(case=operation.as_strategy())
    @hypothesis.settings(
        max_examples=10 if SOAK == 1 else 25 * SOAK,
        deadline=None,
        database=None,
        derandomize=SOAK == 1,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def run(case) -> None:
        headers = {"x-functions-key": SYSTEM_KEY}
        response = case.call(headers=headers)
        asked_for_500 = case.query.get("returnInternalServerErrorOnFailure") is not None
        checks = CHECKS[1:] if response.status_code in (501,) or asked_for_500 else CHECKS
        case.validate_response(response, checks=checks)

    run()
