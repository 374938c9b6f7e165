"""Any bytes at all: no 5xx, and no change without a valid signature or key."""

import logging

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

from bot.settings import OTHER_NAMES, variables
from tests.conftest import SOAK
from tests.harness import (
    ACCOUNT,
    FUNCTION_KEY,
    INSTANCES,
    NUMBER,
    PHONE,
    START,
    SYSTEM_KEY,
    Harness,
)

FUZZED = settings(
    max_examples=100 if SOAK == 1 else 250 * SOAK,
    deadline=None,
    database=None,
    derandomize=SOAK == 1,
    suppress_health_check=list(HealthCheck),
)
SID = "SM" + "a" * 32
VALUES = st.one_of(
    st.text(max_size=60),
    st.sampled_from([PHONE, NUMBER, SID, "STOP", "1234", "", "delivered", "30005"]),
)
NAMES = st.sampled_from(
    ["MessageSid", "From", "To", "Body", "AccountSid", "OptOutType", "MessageStatus", "ErrorCode"]
)
FORMS = st.lists(st.tuples(st.one_of(NAMES, st.text(max_size=10)), VALUES), max_size=8)
JSON_BODIES = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=100).map(lambda text: f'"{text}"'.encode()),
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=10),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=5,
    ).map(lambda value: repr(value).encode()),
)


def rows(harness: Harness) -> list[tuple]:
    """Everything that is stored."""
    tables = ("verification", "outbox", "inbound", "opt_out", "history", "usage", "idempotency")
    return harness.store.read(
        lambda tx: [tuple(row) for table in tables for row in tx.all(f"SELECT * FROM {table}")]
    )


@pytest.fixture
def client(harness: Harness) -> FlaskClient:
    harness.restart(CODE_LENGTH="10")  # too long to be met by chance
    harness.start_and_send()
    return harness.app.test_client()


@pytest.mark.timeout(120 * SOAK)
def test_unsigned_webhooks_of_any_bytes_change_nothing(
    harness: Harness, client: FlaskClient
) -> None:
    before = rows(harness)

    @FUZZED
    @given(body=st.binary(max_size=300), signature=st.text(max_size=40), status=st.booleans())
    def fuzz(body: bytes, signature: str, status: bool) -> None:
        response = client.post(
            "/twilio/status/x" if status else "/twilio/sms",
            data=body,
            content_type="application/x-www-form-urlencoded",
            headers={"X-Twilio-Signature": signature.encode("unicode_escape").decode()},
        )
        assert (response.status_code, response.get_json()["code"]) == (403, "forbidden")

    fuzz()
    assert rows(harness) == before


@pytest.mark.timeout(120 * SOAK)
def test_signed_webhooks_of_any_form_meet_no_fault(harness: Harness, client: FlaskClient) -> None:
    validator = RequestValidator(ACCOUNT.auth_token)

    @FUZZED
    @given(form=FORMS, path=st.sampled_from(["/twilio/sms", "/twilio/status/x"]))
    def fuzz(form: list[tuple[str, str]], path: str) -> None:
        fields = MultiDict(form)
        try:
            signature = validator.compute_signature(harness.url + path, fields)
        except UnicodeEncodeError:  # a lone surrogate cannot be sent
            return
        response = client.post(path, data=fields, headers={"X-Twilio-Signature": signature})
        assert response.status_code in (200, 204, 400, 403)
        assert "html" not in response.headers.get("Content-Type", "")

    fuzz()


@pytest.mark.timeout(120 * SOAK)
def test_bodies_of_any_bytes_without_a_key_change_nothing(
    harness: Harness, client: FlaskClient
) -> None:
    id = harness.newest(1)[0].verification.id
    before = rows(harness)

    @FUZZED
    @given(
        body=JSON_BODIES,
        method=st.sampled_from(["POST", "DELETE", "GET"]),
        path=st.sampled_from(["", "/raiseEvent/SmsChallengeResponse", "/terminate", "/restart"]),
        key=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=40),
    )
    def fuzz(body: bytes, method: str, path: str, key: str) -> None:
        url = f"{INSTANCES}/{id}{path}"
        headers = {"x-functions-key": key}
        response = client.open(url, method=method, data=body, headers=headers)
        assert response.status_code in (401, 404)
        assert client.post(START, data=body, headers=headers).status_code == 401

    fuzz()
    assert rows(harness) == before


@pytest.mark.timeout(120 * SOAK)
def test_bodies_of_any_bytes_with_a_key_meet_no_fault_and_leave_no_trace_in_logs(
    harness: Harness, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    id = harness.newest(1)[0].verification.id
    event = f"{INSTANCES}/{id}/raiseEvent/SmsChallengeResponse"

    @FUZZED
    @given(body=JSON_BODIES)
    def fuzz(body: bytes) -> None:
        headers = {"x-functions-key": SYSTEM_KEY}
        started = client.post(START, data=body, headers=headers)
        assert started.status_code in (202, 400, 409)
        answered = client.post(event, data=body, headers=headers, content_type="application/json")
        assert answered.status_code in (202, 400, 410)

    fuzz()
    client.post(event, json=harness.code(), headers={"x-functions-key": SYSTEM_KEY})
    for secret in (SYSTEM_KEY, FUNCTION_KEY, PHONE, harness.code()):
        assert secret not in caplog.text


def test_there_is_no_switch_that_turns_a_check_off() -> None:
    names = [*variables(), *OTHER_NAMES]
    for word in ("SKIP", "INSECURE", "UNSAFE", "DEBUG", "DISABLE", "NO_VERIFY", "NO_CHECK"):
        assert [name for name in names if word in name.upper()] == []
