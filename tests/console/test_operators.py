"""Operators have names and roles: each key is one of them, and a viewer changes nothing."""

from pathlib import Path

import pytest

from bot.settings import SettingsError, read
from tests.console.conftest import ALICE, BOB, CAROL, lines, signed_in
from tests.console.page import Page
from tests.harness import CONSOLE_KEY, PHONE, Harness, environment
from tests.harness import harness as open_harness


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
        assert "cannot change anything" in Page(response).says(".fault")
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
            "both use the name",
        ),
        ({"CONSOLE_VIEWER_KEY": ALICE, "CONSOLE_KEY": ALICE}, "must differ"),
        ({"CONSOLE_KEY": f"alice:{ALICE},bob:{ALICE}"}, "must differ"),
    ],
)
def test_keys_that_cannot_be_told_apart_are_refused(settings: dict[str, str], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        read(environment(**settings))
