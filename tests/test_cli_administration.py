"""Commands show and clear limits and opt-outs, and tell the audit, the number and the settings."""

import json
from pathlib import Path

import pytest

import bot
from tests.harness import PHONE, Harness
from tests.harness import harness as open_harness


def test_limits_are_shown_and_cleared(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="2/hour; 10/day") as harness:
        shown = harness.flask("limits", "show", PHONE).output
        assert "Nothing that counts prevents a start." in shown
        harness.start()
        harness.start()
        shown = harness.flask("limits", "show", PHONE).output
        assert "2 of 2/hour" in shown
        assert "2 of 10/day" in shown
        assert "A start is refused." in shown
        told = json.loads(harness.flask("limits", "show", "--json", "+1 425 555 0123").output)
        assert (told["number"], told["isClear"]) == (PHONE, False)
        assert told["limits"][0] == {
            "setting": "LIMIT_PER_NUMBER", "limit": "2/hour", "used": 2, "of": 2,
        }  # fmt: skip
        assert json.loads(harness.flask("limits", "clear", "--json", PHONE).output) == {
            "cleared": 2
        }
        assert json.loads(harness.flask("limits", "show", "--json", PHONE).output)["isClear"]
        assert harness.post_start().status_code == 202
        harness.text("STOP")
        assert (
            "Texted STOP at 2026-01-31 12:00:00 UTC."
            in harness.flask("limits", "show", PHONE).output
        )
        for command in ("show", "clear"):
            assert harness.flask("limits", command, "me").exit_code == 1


def test_limits_of_all_and_closed_areas_are_told_with_those_of_a_number(tmp_path: Path) -> None:
    bounds = {"LIMIT_TOTAL": "5/hour", "LIMIT_PER_KEY": "5/hour", "BREAKER_TEXTS_PER_PREFIX": "5"}
    with open_harness(tmp_path, **bounds) as harness:
        for number in range(5):
            harness.start_and_send(f"+142555502{number:02}")
        harness.forward(600)
        shown = harness.flask("limits", "show", PHONE).output
        assert "All starts: 5/hour are used up (LIMIT_TOTAL)." in shown
        assert "Starts of the caller function: 5/hour are used up (LIMIT_PER_KEY)." in shown
        assert "Starts in +1425555 are refused, except of numbers verified before" in shown
        assert shown.endswith("Nothing of this number alone prevents a start.\n")
        told = json.loads(harness.flask("limits", "show", "--json", PHONE).output)
        assert (told["isClear"], len(told["refusedWithOthers"])) == (True, 3)


def test_empty_lists_say_so(harness: Harness) -> None:
    assert harness.flask("optout", "list").output == "No number has texted STOP.\n"
    assert harness.flask("audit").output == "No entry matches.\n"
    assert json.loads(harness.flask("optout", "list", "--json").output) == []


def test_opt_outs_are_listed_and_cleared(harness: Harness) -> None:
    harness.text("STOP")
    assert PHONE in harness.flask("optout", "list").output
    cleared = (
        "Cleared here. If the phone texted STOP alone, Twilio refuses texts until it texts START.\n"
    )
    assert harness.flask("optout", "clear", PHONE).output == cleared
    assert "had not opted out" in harness.flask("optout", "clear", PHONE).output
    assert harness.post_start().status_code == 202


def test_commands_are_in_the_audit_by_the_systems_user(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.getlogin", lambda: "dana")
    harness.flask("start", "--no-wait", PHONE)
    id = harness.newest(1)[0].verification.id
    harness.flask("cancel", id[:20])
    harness.flask("limits", "clear", PHONE)
    harness.flask("optout", "clear", PHONE)
    harness.flask("forget", PHONE)
    rows = json.loads(harness.flask("audit", "--json").output)
    assert [row["action"] for row in rows] == [
        "forgotten", "opt_out_cleared", "limits_cleared", "canceled", "started",
    ]  # fmt: skip
    assert {(row["operator"], row["via"]) for row in rows} == {("dana", "command")}
    assert {row["maskedNumber"] for row in rows} == {"+1425*****23"}
    assert [row["verificationId"] for row in rows][-2:] == [id, id]
    assert PHONE not in str(rows)
    at = rows[0]["at"]
    for since in (at, at[:19] + "Z", at[:19], at[:19].replace("T", " "), at[:16], at[:10]):
        found = json.loads(harness.flask("audit", "--json", "--since", since).output)
        assert len(found) == 5, since
    assert "dana" in harness.flask("audit", "--who", "dana", "--what", "canceled").output
    assert harness.flask("audit", "--who", "nobody").output == "No entry matches.\n"


def test_the_history_names_who_acted(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getlogin", lambda: "dana")
    harness.flask("start", "--no-wait", PHONE)
    harness.run_once()
    harness.forward(15)
    harness.flask("resend", PHONE)
    harness.flask("cancel", PHONE)
    shown = harness.flask("show", PHONE).output
    assert "Started by dana;" in shown
    assert "The text was requested again by dana" in shown
    assert "Canceled by dana" in shown


def test_number_check_and_set(harness: Harness) -> None:
    before = harness.flask("number", "check")
    assert before.exit_code == 1
    assert "it should be" in before.output
    assert harness.flask("number", "set").exit_code == 0
    after = harness.flask("number", "check")
    assert (after.exit_code, "#rc=2&rp=5xx,ct,rt" in after.output) == (0, True)
    told = json.loads(harness.flask("number", "check", "--json").output)
    assert (told["isRight"], told["faults"]) == (True, [])


def test_check_shows_the_settings_without_secrets(harness: Harness) -> None:
    result = harness.flask("check")
    assert result.exit_code == 0
    assert "4 digits, 90 seconds, 4 attempts" in result.output
    assert harness.settings.secret_key not in result.output
    assert harness.settings.function_key[0][1] not in result.output


def test_version_is_that_of_the_package(harness: Harness) -> None:
    assert harness.flask("version").output == f"Textback {bot.__version__}\n"
