"""The commands, against a desk."""

import threading
import time

from click.testing import Result

from tests.desk import PHONE, Desk


def run(desk: Desk, *command: str) -> Result:
    return desk.app.test_cli_runner().invoke(args=list(command))


def test_start_waits_for_the_outcome(desk: Desk) -> None:
    def person() -> None:
        while not desk.texts():
            desk.run_once()
            time.sleep(0.01)
        desk.text(desk.code())

    thread = threading.Thread(target=person)
    thread.start()
    result = run(desk, "start", PHONE)
    thread.join()
    assert result.exit_code == 0
    assert "reference" in result.output
    assert result.output.splitlines()[-1].split("\r")[-1].strip() == "approved"


def test_start_that_is_not_approved_exits_with_1(desk: Desk) -> None:
    def person() -> None:
        while not desk.texts():
            desk.run_once()
            time.sleep(0.01)
        desk.text("STOP")

    thread = threading.Thread(target=person)
    thread.start()
    result = run(desk, "start", PHONE)
    thread.join()
    assert result.exit_code == 1
    assert "canceled: opted_out" in result.output


def test_start_says_what_was_wrong(desk: Desk) -> None:
    result = run(desk, "start", "4255550123")
    assert result.exit_code == 1
    assert "invalid_number: The phone number must be in international form" in result.output


def test_start_without_waiting(desk: Desk) -> None:
    assert run(desk, "start", PHONE, "--no-wait").exit_code == 0
    assert desk.verifications.newest(1)[0].verification.started_by == "cli"


def test_show_tells_the_history_and_never_the_code(desk: Desk) -> None:
    id = desk.start_and_send()["id"]
    desk.clock.forward(12)
    desk.text(desk.wrong())
    result = run(desk, "show", id)
    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert lines[0].startswith(f"{id}  {PHONE}  reference ")
    assert lines[1] == "pending"
    assert "    12.0 s  wrong_answer          attempt 1" in result.output
    assert desk.code() not in result.output.replace(id, "")


def test_show_of_an_unknown_one_says_so(desk: Desk) -> None:
    result = run(desk, "show", "unknown")
    assert (result.exit_code, "No instance has this id." in result.output) == (1, True)


def test_list_shows_the_newest_first(desk: Desk) -> None:
    first = desk.start()["id"]
    desk.clock.forward(1)
    second = desk.start("+14255550199")["id"]
    lines = run(desk, "list").output.splitlines()
    assert [line.split()[2] for line in lines] == [second, first]
    assert len(run(desk, "list", "--limit", "1").output.splitlines()) == 1


def test_number_check_and_set(desk: Desk) -> None:
    before = run(desk, "number", "check")
    assert before.exit_code == 1
    assert "it should be" in before.output
    assert run(desk, "number", "set").exit_code == 0
    after = run(desk, "number", "check")
    assert (after.exit_code, "#rc=2&rp=5xx,ct,rt" in after.output) == (0, True)


def test_check_shows_the_settings_without_secrets(desk: Desk) -> None:
    result = run(desk, "check")
    assert result.exit_code == 0
    assert "4 digits, 90 seconds, 4 attempts" in result.output
    assert desk.settings.secret_key not in result.output
    assert desk.settings.function_keys[0][1] not in result.output
