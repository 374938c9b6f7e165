"""Operators with names and roles, and the audit of what they do."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.operators import Action
from bot.settings import SettingsError, read
from bot.store.audit import KEPT, AuditFilter
from bot.store.tx import Done, StoreUnavailable, Tx
from bot.usecases import audit
from tests.console.conftest import Operator
from tests.console.page import Page
from tests.harness import CONSOLE_KEY, PHONE, Harness, environment
from tests.harness import harness as open_harness

ALICE, BOB, CAROL = "alice-key-0123456789", "bob-key-abcdefghijk", "carol-key-mnopqrstuv"
KEYS = {"CONSOLE_KEY": f"alice:{ALICE},bob:{BOB}", "CONSOLE_VIEWER_KEY": f"carol:{CAROL}"}


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Harness]:
    with open_harness(tmp_path, **KEYS) as harness:
        yield harness


def signed_in(harness: Harness, key: str) -> Operator:
    operator = Operator(harness.app.test_client())
    assert operator.sign_in(key).status_code == 303
    return operator


def lines(harness: Harness) -> list[tuple[str, str]]:
    """Operators and their actions, the oldest first."""
    found = harness.store.read(audit.lines, AuditFilter(limit=1000))
    return [(line.entry.operator, line.entry.action.value) for line in reversed(found)]


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
    assert "Asked for by alice;" in said
    assert "asked for again by bob" in said
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


def test_a_viewer_sees_everything_and_changes_nothing(shared: Harness) -> None:
    id = shared.start_and_send()["id"]
    carol = signed_in(shared, CAROL)
    pages = ["/", "/verifications", f"/verifications/{id}", f"/verifications/{id}/at-twilio"]
    pages += ["/limits", f"/limits?number={PHONE}", "/opt-outs", "/texts", "/ignored"]
    for path in [*pages, "/webhooks", "/audit"]:
        response = carol.get("/console" + path)
        assert response.status_code == 200
        posts = Page(response).all('form[method="post"]')
        assert [form["action"] for form in posts] == ["/console/sign-out"], path
    one = f"/verifications/{id}"
    forms = ["/verifications", f"{one}/cancel", f"{one}/resend", f"{one}/again", f"{one}/forget"]
    forms += ["/limits", "/opt-outs", "/webhooks/test", "/webhooks/failed"]
    forms += ["/webhooks/endpoints/x/enable", "/webhooks/events/x/again"]
    for path in forms:
        response = carol.post("/console" + path, number=PHONE)
        assert response.status_code == 403, path
        assert "changes nothing" in Page(response).says(".fault")
    assert '{"code": "viewer_cannot_act"}' in str(shared.service.metrics.samples())
    assert not shared.find(id).is_terminal
    assert lines(shared) == [("carol", "signed_in")]
    assert carol.post("/console/sign-out").status_code == 303


def test_a_key_that_is_taken_away_signs_its_operator_out_alone(shared: Harness) -> None:
    alice, bob = signed_in(shared, ALICE), signed_in(shared, BOB)
    cookies = [o.client.get_cookie("textback_console", path="/console/") for o in (alice, bob)]
    shared.restart(CONSOLE_KEY=f"bob:{BOB}")
    statuses = []
    for cookie in cookies:
        client = shared.app.test_client()
        client.set_cookie("textback_console", cookie.value, path="/console/")
        statuses.append(client.get("/console/").status_code)
    assert statuses == [303, 200]


def test_one_key_without_a_name_is_an_operators(harness: Harness) -> None:
    signed_in(harness, CONSOLE_KEY)
    assert lines(harness) == [("operator", "signed_in")]


def test_a_viewers_key_alone_opens_the_console(tmp_path: Path) -> None:
    with open_harness(tmp_path, CONSOLE_KEY="", CONSOLE_VIEWER_KEY=CAROL) as harness:
        signed_in(harness, CAROL)
        assert lines(harness) == [("viewer", "signed_in")]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"CONSOLE_KEY": f"alice:{ALICE},{BOB}"}, "CONSOLE_KEY cannot be used"),
        ({"CONSOLE_KEY": "alice:short"}, "CONSOLE_KEY cannot be used"),
        (
            {"CONSOLE_VIEWER_KEY": f"alice:{CAROL}", "CONSOLE_KEY": f"alice:{ALICE}"},
            "stands in both",
        ),
        ({"CONSOLE_VIEWER_KEY": ALICE, "CONSOLE_KEY": ALICE}, "must differ"),
        ({"CONSOLE_KEY": f"alice:{ALICE},bob:{ALICE}"}, "must differ"),
    ],
)
def test_keys_that_cannot_be_told_apart_are_refused(settings: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(environment(**settings))


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
        assert cleared.says("#standing button") == f"Clear the limits of {PHONE}"
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


def test_one_sentence_stands_once(operator: Operator, harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.simulator.webhooks.post_report(harness.texts()[-1], "undelivered", 30007)
    harness.forward(90)
    for path in (f"/console/verifications/{id}", f"/console/verifications/{id}/at-twilio"):
        said = Page(operator.get(path)).says("main")
        assert said.count("A carrier or Twilio filtered the text.") == 1, said
