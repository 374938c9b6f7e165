"""Commands start, list, show, resend and cancel verifications."""

import json
import re
import threading
import time
from itertools import count

import click
import pytest

from bot.faces.cli import verifications
from bot.store.tx import Done
from tests.harness import PHONE, Harness


def test_start_waits_for_the_outcome(harness: Harness) -> None:
    def person() -> None:
        while not harness.texts():
            harness.run_once()
            time.sleep(0.01)
        harness.text(harness.code())

    thread = threading.Thread(target=person)
    thread.start()
    result = harness.flask("start", PHONE)
    thread.join()
    assert result.exit_code == 0
    assert "reference" in result.output
    assert result.output.splitlines()[-1].split("\r")[-1].strip() == "approved"


def test_start_that_is_not_approved_exits_with_1(harness: Harness) -> None:
    def person() -> None:
        while not harness.texts():
            harness.run_once()
            time.sleep(0.01)
        harness.text("STOP")

    thread = threading.Thread(target=person)
    thread.start()
    result = harness.flask("start", PHONE)
    thread.join()
    assert result.exit_code == 1
    assert "canceled: texted STOP" in result.output


def test_start_says_what_was_wrong(harness: Harness) -> None:
    result = harness.flask("start", "4255550123")
    assert result.exit_code == 1
    assert "invalid_number: The phone number must be in international form" in result.output


def test_start_says_soon_that_nothing_sends(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifications, "TAKEN_WITHIN_SECONDS", 0.05)
    monkeypatch.setattr(verifications, "LOOK_EVERY_SECONDS", 0.01)
    result = harness.flask("start", PHONE)
    assert result.exit_code == 1
    assert "No dispatcher runs on this database" in result.output


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_ctrl_c_says_that_the_verification_goes_on(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(verifications.time, "sleep", interrupted)
    result = harness.flask("start", PHONE, *options)
    (id,) = re.findall(r"flask cancel (\w+)", result.output)
    assert result.exit_code == 130
    assert harness.status(id)["runtimeStatus"] in ("Pending", "Running")
    if options:
        assert f'"id": "{id}"' in result.output


def test_a_dispatcher_whose_sends_are_all_under_way_is_not_taken_for_none(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifications, "TAKEN_WITHIN_SECONDS", 0.05)
    monkeypatch.setattr(verifications, "LOOK_EVERY_SECONDS", 0.01)
    harness.start("+14255550124")
    assert len(harness.dispatcher.send.claim(1)) == 1
    looks, sleep = count(), time.sleep

    def look(seconds: float) -> None:
        sleep(seconds)
        if next(looks) == 12:
            harness.clock.forward(300)  # the lease lapses, and the dispatcher is gone

    monkeypatch.setattr(verifications.time, "sleep", look)
    assert "No dispatcher runs" in harness.flask("start", PHONE).output
    assert next(looks) > 13


def test_start_without_waiting(harness: Harness) -> None:
    assert harness.flask("start", PHONE, "--no-wait").exit_code == 0
    assert harness.newest(1)[0].verification.started_by == "cli"


def test_resend_sends_the_same_text_again(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    harness.forward(15)
    result = harness.flask("resend", id)
    assert (result.exit_code, "2 of at most 3" in result.output) == (0, True)
    harness.run_once()
    assert len({text.body for text in harness.texts()}) == 1
    assert len(harness.texts()) == 2
    assert "No verification" in harness.flask("resend", "unknown").output


def test_list_filters_and_says_when_there_is_nothing(harness: Harness) -> None:
    assert "No verification matches" in harness.flask("list").output
    first = harness.start_and_send(tag="order-1")["id"]
    harness.text(harness.code())
    second = harness.start("+33612345678")["id"]
    assert "Times are UTC." in harness.flask("list").output

    def listed(*options: str) -> list[str]:
        return [row["id"] for row in json.loads(harness.flask("list", "--json", *options).output)]

    assert sorted(listed()) == sorted([first, second])
    assert listed("--status", "approved") == [first]
    assert listed("--status", "pending") == [second]
    assert listed("--country", "fr") == [second]
    assert listed("--number", "+1 (425) 555-0123") == [first]
    assert listed("--tag", "order-1") == [first]
    assert harness.flask("list", "--number", "nonsense").exit_code == 1
    refused = harness.flask("list", "--country", "USA")
    assert refused.exit_code == 2
    assert "'USA' is not a country" in refused.output


def test_show_finds_by_the_beginning_and_by_number(harness: Harness) -> None:
    id = harness.start()["id"]
    for known in (id, id[:20], PHONE, "+1 425 555 0123", "(425) 555-0123", "4255550123"):
        assert id in harness.flask("show", known).output
    assert "No verification" in harness.flask("show", "+14255550199").output
    assert "in international form" in harness.flask("cancel", "4255550123").output
    for place in (1, 2):
        path = f"/runtime/webhooks/durabletask/orchestrators/E4_SmsPhoneVerification/order-{place}"
        harness.call("POST", path, json=f"+1425555017{place}")
    assert "Several ids begin" in harness.flask("show", "order").output


@pytest.mark.parametrize("command", ["cancel", "resend", "show"])
def test_a_blank_id_names_nothing(harness: Harness, command: str) -> None:
    id = harness.start_and_send()["id"]
    for blank in ("", "  "):
        ran = harness.flask(command, blank)
        assert ran.exit_code == 1
        assert "No id is given" in ran.output
    assert not harness.find(id).is_terminal


def test_a_number_is_found_under_the_spelling_it_was_kept_under(harness: Harness) -> None:
    id = harness.start_and_send("+525512345678")["id"]
    sql = "UPDATE verification SET phone = '+5215512345678' WHERE id = :id"
    harness.store.write(lambda tx: Done(tx.run(sql, id=id)))
    for spelling in ("+52 55 1234 5678", "+52 1 55 1234 5678"):
        assert id in harness.flask("show", spelling).output
        assert id in harness.flask("list", "--number", spelling).output


def test_cancel(harness: Harness) -> None:
    id = harness.start()["id"]
    assert "canceled" in harness.flask("cancel", id).output
    assert harness.find(id).outcome.reason == "canceled at the command line"
    refused = harness.flask("cancel", id, "--reason", "x" * 4001)
    assert "a reason has at most 4000 characters" in refused.output
    assert harness.flask("cancel", id).exit_code == 1


def test_texts_shows_every_language(harness: Harness) -> None:
    rows = json.loads(harness.flask("texts", "--json").output)
    assert {row["segments"] for row in rows} == {1}
    assert len({row["language"] for row in rows}) >= 30
    shown = harness.flask("texts", "--language", "de").output
    assert "GSM-7" in shown
    assert "Ihr Code: 0123." in shown
    assert "no language" in harness.flask("texts", "--language", "tlh").output


def test_show_tells_the_history_and_never_the_code(harness: Harness) -> None:
    harness.restart(CODE_LENGTH="10")  # too long to be met by chance
    id = harness.start_and_send()["id"]
    harness.clock.forward(12)
    harness.text(harness.wrong())
    result = harness.flask("show", id)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith(f"{id}  {PHONE}  reference ")
    assert lines[1] == "pending"
    assert "Waiting for the person to text the code back." in lines[2]
    assert "2026-01-31 12:00:12     +12.0 s  A wrong code was sent by text: attempt 1." in lines
    assert lines[-1] == "Times are UTC."
    assert harness.code() not in result.output
    shown = json.loads(harness.flask("show", "--json", id).output)
    assert (shown["id"], shown["status"], shown["attempts"]) == (id, "pending", 1)
    assert shown["history"][-1] == {
        "at": "2026-01-31T12:00:12.000000Z",
        "event": "wrong_answer",
        "attempt": 1,
        "by_text": True,
    }


def test_show_of_an_unknown_one_says_so(harness: Harness) -> None:
    result = harness.flask("show", "unknown")
    assert (result.exit_code, "No verification has this id or number." in result.output) == (
        1,
        True,
    )


def test_list_shows_the_newest_first(harness: Harness) -> None:
    first = harness.start()["id"]
    harness.clock.forward(1)
    second = harness.start("+14255550199")["id"]
    lines = harness.flask("list").output.splitlines()
    assert lines.pop() == "Times are UTC."
    assert [line.split()[2] for line in lines] == [second, first]
    assert len(harness.flask("list", "--limit", "1").output.splitlines()) == 2


def test_start_as_json_tells_the_id_without_a_dispatcher_too(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_runs(*_: object, **__: object) -> None:
        raise click.ClickException("no dispatcher runs")

    monkeypatch.setattr(verifications, "await_outcome", nothing_runs)
    result = harness.flask("start", PHONE, "--json")
    assert result.exit_code == 1
    (view,) = harness.newest(1)
    assert view.verification.id in result.output
