"""The commands, against a harness."""

import json
import re
import threading
import time
from pathlib import Path

import click
import pytest

import bot
from bot import settings
from bot.app import create_app
from bot.faces.cli import verifications
from bot.faces.cli.webhooks import WHILE
from bot.store import webhook_endpoints
from bot.store.tx import Done, StoreUnavailable, Tx
from simulator.receiver import Behaviour
from tests.harness import PHONE, Harness, environment
from tests.harness import harness as open_harness


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
    assert "No verification fits" in harness.flask("list").output
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
    assert "'USA' is no country" in refused.output


def test_show_finds_by_the_beginning_and_by_number(harness: Harness) -> None:
    id = harness.start()["id"]
    for known in (id, id[:20], PHONE, "+1 425 555 0123"):
        assert id in harness.flask("show", known).output
    assert "No verification" in harness.flask("show", "+14255550199").output
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
    assert "Ihr Code lautet 0123." in shown
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


def test_every_command_that_tells_something_has_json(harness: Harness) -> None:
    without = {"dispatch", "run", "shell", "routes"}
    lacking = []

    def look(name: str, command: click.Command) -> None:
        if isinstance(command, click.Group):
            for inner, found in command.commands.items():
                look(f"{name} {inner}".strip(), found)
        elif name not in without and "as_json" not in {p.name for p in command.params}:
            lacking.append(name)

    look("", harness.app.cli)
    assert lacking == []


def test_json_has_names_of_one_form(harness: Harness) -> None:
    harness.start_and_send()
    commands = ["list", f"show {PHONE}", "texts", f"limits show {PHONE}", f"limits clear {PHONE}"]
    commands += ["optout list", "audit", "webhooks list", "version", f"forget {PHONE}"]
    names: set[str] = set()
    for command in commands:
        ran = harness.flask(*command.split(), "--json")
        assert ran.exit_code == 0, (command, ran.output)
        names |= set(re.findall(r'"(\w+)":', ran.stdout))
    # `detail` of a history has the names that are stored.
    stored = {"by_text", "error_code", "attempts_used"}
    assert {
        name for name in names - stored if not re.fullmatch("[a-z]+([A-Z][a-z]*)*", name)
    } == set()


def test_limits_are_shown_and_cleared(tmp_path: Path) -> None:
    with open_harness(tmp_path, LIMIT_PER_NUMBER="2/hour; 10/day") as harness:
        shown = harness.flask("limits", "show", PHONE).output
        assert "No limit of this number prevents a start." in shown
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


def test_empty_lists_say_so(harness: Harness) -> None:
    assert harness.flask("optout", "list").output == "No number has texted STOP.\n"
    assert harness.flask("audit").output == "Nothing fits.\n"
    assert json.loads(harness.flask("optout", "list", "--json").output) == []


def test_opt_outs_are_listed_and_cleared(harness: Harness) -> None:
    harness.text("STOP")
    assert PHONE in harness.flask("optout", "list").output
    assert "Cleared." in harness.flask("optout", "clear", PHONE).output
    assert "was not marked" in harness.flask("optout", "clear", PHONE).output
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
    assert harness.flask("audit", "--who", "nobody").output == "Nothing fits.\n"


def test_the_history_names_who_acted(harness: Harness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.getlogin", lambda: "dana")
    harness.flask("start", "--no-wait", PHONE)
    harness.run_once()
    harness.forward(15)
    harness.flask("resend", PHONE)
    harness.flask("cancel", PHONE)
    shown = harness.flask("show", PHONE).output
    assert "Asked for by dana;" in shown
    assert "The same text was asked for again by dana" in shown
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


# -- outcome webhooks ------------------------------------------------------------------------------


def event_of(harness: Harness, behaviour: Behaviour) -> str:
    """The id of an event that was tried once."""
    harness.simulator.receiver.behaviour = behaviour
    harness.start_and_send()
    harness.text(harness.code())
    harness.run_once()
    return harness.simulator.receiver.events()[-1].id


def endpoint_of(harness: Harness) -> str:
    return harness.flask("webhooks", "list").output.split()[0]


def test_webhooks_are_listed_with_what_was_answered(told: Harness) -> None:
    assert "There are no events." in told.flask("webhooks", "list").output
    id = event_of(told, Behaviour.FAIL)
    lines = told.flask("webhooks", "list").output.splitlines()
    name = told.simulator.receiver_url.removeprefix("http://")
    assert lines[0].endswith(
        f"  {name}  failing. Since 2026-01-31 12:00:00 UTC; its events are tried again."
        " Events that wait: 1."
    )
    assert lines[2] == f"2026-01-31 12:00:00  {id}  verification.approved  pending"
    assert lines[4].startswith("    1 try. It refused the event with HTTP status 500. Next try: ")
    assert "No event has failed." in told.flask("webhooks", "list", "--failed").output
    failed = event_of(told, Behaviour.GONE)
    said = told.flask("webhooks", "list", "--failed").output
    assert re.findall(r"msg_\w+", said) == [failed]
    assert len(re.findall("msg_", told.flask("webhooks", "list", "--limit", "1").output)) == 1


def test_without_webhooks_the_commands_say_what_to_set(harness: Harness) -> None:
    assert "Set WEBHOOK_URLS and WEBHOOK_SECRET" in harness.flask("webhooks", "list").output
    result = harness.flask("webhooks", "test")
    assert (result.exit_code, "Set WEBHOOK_URLS" in result.output) == (1, True)


def test_a_test_event_is_sent(told: Harness) -> None:
    said = told.flask("webhooks", "test").output
    assert said == f"A test event will be sent {WHILE}.\n"
    told.run_once()
    (event,) = told.simulator.receiver.events()
    assert '"sentBy":"cli"' in event.body


def test_an_event_is_sent_again(told: Harness) -> None:
    id = event_of(told, Behaviour.ACCEPT)
    assert told.flask("webhooks", "resend", id).exit_code == 0
    told.run_once()
    assert told.simulator.receiver.events()[0].tries == 2
    result = told.flask("webhooks", "resend", "msg_none")
    assert (result.exit_code, "unknown_event: No event has this id" in result.output) == (1, True)


def test_all_that_failed_are_sent_again_once_the_endpoint_is_enabled(told: Harness) -> None:
    event_of(told, Behaviour.GONE)
    endpoint = endpoint_of(told)
    assert told.flask("webhooks", "enable", endpoint).output.startswith("Enabled. ")
    assert told.flask("webhooks", "enable", endpoint).output.endswith(" is not disabled.\n")
    unknown = told.flask("webhooks", "enable", "none")
    assert (unknown.exit_code, "unknown_endpoint: " in unknown.output) == (1, True)
    told.simulator.receiver.behaviour = Behaviour.ACCEPT
    resend = ("webhooks", "resend", "--failed-since")
    assert "No event has failed" in told.flask(*resend, "2026-01-31T12:01").output
    said = told.flask(*resend, "2026-01-31T12:00").output
    assert said == (
        "1 event will be sent again while a dispatcher runs and its endpoint is set and enabled.\n"
    )
    told.run_once()
    assert told.simulator.receiver.events()[0].is_accepted


@pytest.mark.parametrize("words", [(), ("msg_x", "--failed-since", "2026-01-31T12:00")])
def test_resend_takes_an_id_or_a_time(told: Harness, words: tuple[str, ...]) -> None:
    result = told.flask("webhooks", "resend", *words)
    assert (result.exit_code, "Name either the id" in result.output) == (2, True)
    result = told.flask("webhooks", "resend", "--failed-since", "yesterday")
    assert result.exit_code == 2


@pytest.mark.parametrize(
    "command", [("limits", "clear", PHONE), ("list",), ("show", PHONE), ("webhooks", "list")]
)
def test_a_database_that_cannot_be_used_is_told_in_one_line(
    harness: Harness, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    def away(*_, **__):
        raise StoreUnavailable("away")

    for name in ("_write", "_read"):
        monkeypatch.setattr(type(harness.store), name, away)
    ran = harness.flask(*command)
    assert (ran.exit_code, ran.output) == (1, f"Error: {StoreUnavailable.sentence}\n")


def test_a_reason_cannot_forge_a_line_or_drive_the_terminal(harness: Harness) -> None:
    id = harness.start_and_send()["id"]
    forged = "gone\n01a2  +14255550199  approved\x1b[2J\x07"
    assert harness.flask("cancel", id, "--reason", forged).exit_code == 0
    for command in (("list",), ("show", id)):
        output = harness.flask(*command).output
        assert "gone\\n01a2" in output
        assert not {"\x1b", "\x07"} & set(output)


@pytest.mark.parametrize(
    "command",
    [("show", "f\udcfcr"), ("list", "--tag", "f\udcfcr"), ("cancel", "x", "--reason", "f\udcfcr")],
)
def test_an_argument_in_another_encoding_is_told(harness: Harness, command: tuple[str]) -> None:
    result = harness.flask(*command)
    assert result.exit_code == 2
    assert "it is not valid UTF-8" in result.output


def test_start_as_json_tells_the_id_without_a_dispatcher_too(
    harness: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing_runs(*_: object, **__: object) -> None:
        raise click.ClickException("no dispatcher runs")

    monkeypatch.setattr(verifications, "_await_outcome", nothing_runs)
    result = harness.flask("start", PHONE, "--json")
    assert result.exit_code == 1
    (view,) = harness.newest(1)
    assert view.verification.id in result.output


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_terminal_that_lacks_a_script_loses_no_list(harness: Harness, options: list[str]) -> None:
    harness.start(tag="日本 😀")
    runner = harness.app.test_cli_runner()
    runner.charset = "latin-1"
    ran = runner.invoke(args=["list", *options])
    assert ran.exit_code == 0, ran.exception
    if options:
        assert json.loads(ran.output)[0]["tag"] == "日本 😀"


def test_a_command_that_shows_the_application_leaves_the_endpoints_alone(
    harness: Harness,
) -> None:
    url = "https://hooks.example.com/textback"
    harness.restart(WEBHOOK_URLS=url, WEBHOOK_SECRET="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    without = settings.read(environment(DATABASE_URL=harness.settings.database_url))
    create_app(without, serves=False)
    (endpoint,) = harness.store.read(webhook_endpoints.configured)
    assert endpoint.url == url


@pytest.mark.parametrize("command", ["show", "forget", "cancel", "resend"])
def test_a_row_that_cannot_be_read_is_told_in_a_line(harness: Harness, command: str) -> None:
    harness.start_and_send()

    def damage(tx: Tx) -> Done[int]:
        return Done(tx.run("UPDATE verification SET created_at = 'x'"))

    harness.store.write(damage)
    result = harness.flask(command, PHONE)
    assert result.exit_code == 1
    assert "cannot be read" in result.output
