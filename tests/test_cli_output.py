"""Commands have JSON of one form, and tell faults and foreign characters in one safe line."""

import json
import re

import click
import pytest

from bot.store.tx import Done, StoreUnavailable, Tx
from tests.harness import PHONE, Harness


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


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_terminal_that_lacks_a_script_loses_no_list(harness: Harness, options: list[str]) -> None:
    harness.start(tag="日本 😀")
    runner = harness.app.test_cli_runner()
    runner.charset = "latin-1"
    ran = runner.invoke(args=["list", *options])
    assert ran.exit_code == 0, ran.exception
    if options:
        assert json.loads(ran.output)[0]["tag"] == "日本 😀"


@pytest.mark.parametrize("command", ["show", "forget", "cancel", "resend"])
def test_a_row_that_cannot_be_read_is_told_in_a_line(harness: Harness, command: str) -> None:
    harness.start_and_send()

    def damage(tx: Tx) -> Done[int]:
        return Done(tx.run("UPDATE verification SET created_at = 'x'"))

    harness.store.write(damage)
    result = harness.flask(command, PHONE)
    assert result.exit_code == 1
    assert "cannot be read" in result.output
