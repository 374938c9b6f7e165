"""The sid that a program knows leads an operator to its verification; forms of another kind."""

import pytest

from bot.faces.durable.payloads import BASE_PATH, FUNCTION
from bot.usecases import search
from tests.harness import PHONE
from tests.verify.conftest import Verify


@pytest.mark.parametrize("change", [str, str.lower, str.upper])
def test_its_sid_finds_a_verification(verify: Verify, change: type[str]) -> None:
    harness = verify.harness
    created = verify.create_and_send().sid
    harness.call("POST", f"{BASE_PATH}/orchestrators/{FUNCTION}/order-77", json="+14255550177")
    (row,) = harness.store.read(
        lambda tx: tx.all("SELECT hex_id FROM verification WHERE id = 'order-77'")
    )
    for sid, id in ((created, created.removeprefix("VE")), (f"VE{row['hex_id']}", "order-77")):
        assert harness.store.read(search.named, change(sid)) == id
        assert harness.flask("show", change(sid)).exit_code == 0


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", None])
def test_a_body_that_is_no_form_is_told_so(verify: Verify, kind: str | None) -> None:
    answer = verify.post(
        "/Verifications", b"To=%2B14255550123&Channel=sms", headers={"Content-Type": kind}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, 60200)
    assert "application/x-www-form-urlencoded" in answer.json()["message"]


@pytest.mark.parametrize(
    ("code", "status"), [("12 34 56 78", 200), ("1234-5678", 200), ("1 2-3", 400), ("1-2-3-4", 200)]
)
def test_a_code_is_as_long_as_its_digits(verify: Verify, code: str, status: int) -> None:
    verify.create_and_send()
    answer = verify.post("/VerificationCheck", {"To": PHONE, "Code": code})
    assert answer.status_code == status, answer.text
