"""The audit has who did what, masks numbers, and is filtered, paged and kept for a year."""

from datetime import timedelta

import pytest

from bot.domain.operators import Action
from bot.store.audit import KEPT, AuditFilter
from bot.store.tx import Done, StoreUnavailable, Tx
from bot.usecases import audit
from tests.console.conftest import ALICE, BOB, Operator, lines, signed_in
from tests.console.page import Page
from tests.harness import PHONE, Harness


def test_what_operators_do_is_in_audit_history_and_log(
    shared: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "bot.usecases.audit")
    alice, bob = signed_in(shared, ALICE), signed_in(shared, BOB)
    alice.post("/console/verifications", number=PHONE)
    shared.run_once()
    id = shared.newest(1)[0].verification.id
    shared.forward(15)
    bob.post(f"/console/verifications/{id}/resend")
    alice.post(f"/console/verifications/{id}/cancel")
    page = Page(bob.get(f"/console/verifications/{id}"))
    said = " ".join(page.texts("#history .timeline li"))
    assert "Started by alice;" in said
    assert "requested again by bob" in said
    assert "Canceled by alice: canceled at the console" in said
    bob.post(f"/console/verifications/{id}/again")
    bob.post("/console/limits", number=PHONE)
    bob.post("/console/opt-outs", number=PHONE)
    bob.post(f"/console/verifications/{id}/forget")
    bob.post("/console/sign-out")
    assert lines(shared) == [
        ("alice", "signed_in"),
        ("bob", "signed_in"),
        ("alice", "started"),
        ("bob", "resent"),
        ("alice", "canceled"),
        ("bob", "started"),
        ("bob", "limits_cleared"),
        ("bob", "opt_out_cleared"),
        ("bob", "forgotten"),
        ("bob", "signed_out"),
    ]
    logged = [(record.operator, record.getMessage()) for record in caplog.records]
    assert ("bob", "operator: forgotten") in logged
    assert PHONE not in caplog.text


def test_what_is_refused_or_fails_is_not_in_the_audit(shared: Harness) -> None:
    alice = signed_in(shared, ALICE)
    assert alice.post("/console/verifications", number="12").status_code == 400
    assert alice.post("/console/verifications/nobody/cancel").status_code == 404
    assert lines(shared) == [("alice", "signed_in")]


def test_a_text_that_is_on_its_way_already_is_not_in_the_audit_again(shared: Harness) -> None:
    alice = signed_in(shared, ALICE)
    alice.post("/console/verifications", number=PHONE)
    shared.run_once()
    id = shared.newest(1)[0].verification.id
    assert alice.post(f"/console/verifications/{id}/resend").status_code == 303
    assert [action for _, action in lines(shared)] == ["signed_in", "started"]


def test_the_audit_keeps_no_id_that_a_caller_chose(shared: Harness) -> None:
    alice = signed_in(shared, ALICE)
    chosen = "for-14255550123"
    response = shared.call(
        "POST",
        f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/{chosen}",
        json=PHONE,
    )
    assert response.status_code == 202
    alice.post(f"/console/verifications/{chosen}/cancel")
    newest = shared.store.read(audit.lines, AuditFilter(limit=1))[0].entry
    assert (newest.verification_id, newest.masked_phone) == (None, "+1425*****23")
    page = Page(alice.get("/console/audit"))
    assert chosen not in page.says("#audit")


@pytest.mark.parametrize("is_right", [True, False])
def test_signing_in_needs_no_database_that_can_be_written(
    shared: Harness,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    is_right: bool,
) -> None:
    """An operator must be able to sign in to look into a full disk."""
    caplog.set_level("INFO", "bot.usecases.audit")

    def full(*_: object, **__: object) -> None:
        raise StoreUnavailable("database or disk is full")

    monkeypatch.setattr(type(shared.store), "write", full)
    operator = Operator(shared.app.test_client())
    response = operator.sign_in(ALICE if is_right else "wrong")
    assert response.status_code == (303 if is_right else 403)
    if is_right:
        assert operator.get("/console/").status_code == 200
        assert operator.post("/console/sign-out").status_code == 303
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == f"operator: {'signed_in' if is_right else 'sign_in_refused'}"
    assert said[1] == "audit: the line before this one was not kept: database or disk is full"


def test_an_audit_line_that_cannot_be_read_does_not_end_the_pages(shared: Harness) -> None:
    alice = signed_in(shared, ALICE)
    for _ in range(60):
        alice.post("/console/limits", number=PHONE)
        shared.clock.forward(1)
    newest = shared.store.read(audit.lines, AuditFilter(limit=60))

    def corrupt(tx: Tx) -> Done[int]:
        sql = "UPDATE audit SET action = 'unknown' WHERE id IN (:first, :fiftieth)"
        return Done(tx.run(sql, first=newest[0].id, fiftieth=newest[49].id))

    shared.store.write(corrupt)
    page = Page(alice.get("/console/audit"))
    assert len(page.rows("#audit table")) == 51
    further = Page(alice.get(str(page.one('.pages a[rel="next"]')["href"])))
    assert len(further.rows("#audit table")) == 1 + 9


def test_a_reset_of_the_clock_takes_the_audit_back_too(shared: Harness) -> None:
    signed_in(shared, ALICE)
    now = shared.clock.now
    shared.clock.forward(86_400)
    signed_in(shared, BOB)
    shared.clock.now = now + timedelta(seconds=1)
    shared.restart()
    ran = shared.flask("clock", "reset")
    assert ran.exit_code == 0, ran.output
    found = shared.store.read(audit.lines, AuditFilter(limit=10))
    assert {line.entry.action for line in found} >= {Action.CLOCK_RESET, Action.SIGNED_IN}
    assert max(line.at for line in found) <= now + timedelta(seconds=2)


def test_the_audit_page_filters_and_links(shared: Harness) -> None:
    alice, bob = signed_in(shared, ALICE), signed_in(shared, BOB)
    alice.post("/console/verifications", number=PHONE)
    id = shared.newest(1)[0].verification.id
    bob.post(f"/console/verifications/{id}/cancel")

    def rows(query: str) -> list[list[str]]:
        page = Page(alice.get(f"/console/audit?{query}"))
        return page.rows("#audit table")[1:] if page.all("#audit table") else []

    assert [row[1:4] for row in rows("")][:2] == [
        ["bob", "canceled a verification", "+1425*****23"],
        ["alice", "started a verification", "+1425*****23"],
    ]
    assert [row[1] for row in rows("who=bob")] == ["bob", "bob"]
    assert [row[1] for row in rows("what=started")] == ["alice"]
    assert rows("who=bob&what=started") == []
    assert rows("from=2026-02-01T00:00") == []
    assert len(rows("to=2026-02-01T00:00")) == 4
    page = Page(alice.get("/console/audit?what=nonsense"))
    assert page.says(".fault") == "This action is unknown."
    link = Page(alice.get("/console/audit")).all("#audit a")[0]
    assert link["href"] == f"/console/verifications/{id}"


def test_the_audit_is_paged_and_kept_for_a_year(shared: Harness) -> None:
    alice = signed_in(shared, ALICE)
    for _ in range(120):
        alice.post("/console/limits", number=PHONE)
    seen, address = 0, "/console/audit?what=limits_cleared"
    while address:
        page = Page(alice.get(address))
        seen += len(page.rows("#audit table")) - 1
        further = page.all('.pages a[rel="next"]')
        address = str(further[0]["href"]) if further else ""
    assert seen == 120
    assert shared.store.write(audit.drop_old, limit=500) == 0
    shared.clock.forward(KEPT.total_seconds() + 1)
    assert shared.store.write(audit.drop_old, limit=500) == 121


def test_wrong_keys_are_in_the_audit_up_to_a_bound(
    shared: Harness, caplog: pytest.LogCaptureFixture
) -> None:
    visitor = Operator(shared.app.test_client())
    for _ in range(audit.REFUSALS_KEPT_AN_HOUR + 5):
        assert visitor.sign_in("not-the-key-at-all").status_code == 403
        shared.clock.forward(20)
    refused = [line for line in lines(shared) if line[1] == Action.SIGN_IN_REFUSED]
    assert refused == [("", "sign_in_refused")] * audit.REFUSALS_KEPT_AN_HOUR
    shared.clock.forward(3600)
    visitor.sign_in("not-the-key-at-all")
    assert len(lines(shared)) == audit.REFUSALS_KEPT_AN_HOUR + 1
    rows = Page(signed_in(shared, ALICE).get("/console/audit")).rows("#audit table")
    assert rows[2][1:] == ["–", "sign-in refused: wrong key", "", "127.0.0.1"]
    assert "not-the-key-at-all" not in caplog.text
