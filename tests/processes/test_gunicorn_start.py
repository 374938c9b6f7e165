"""Commands refuse to start with unusable settings, and gunicorn keeps its own at a reload."""

import re
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from tests.harness import FUNCTION_KEY, INSTANCES, PHONE, START, SYSTEM_KEY, environment
from tests.processes.service import BIN, ROOT, Service, until


def test_flask_run_is_refused(tmp_path: Path) -> None:
    values = environment(DATABASE_URL=f"sqlite:///{tmp_path}/textback.db", PATH="/usr/bin:/bin")
    ran = subprocess.run(
        [BIN / "flask", "run"], cwd=ROOT, env=values, capture_output=True, text=True, timeout=30
    )
    assert ran.returncode != 0
    assert "Run gunicorn wsgi:app" in ran.stdout + ran.stderr
    assert "Traceback" not in ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"PUBLIC_BASE_URL": ""}, "PUBLIC_BASE_URL is not set"),
        ({"TWILIO_AUTH_TOKEN": ""}, "TWILIO_AUTH_TOKEN is not set"),
        ({"TWILIO_PHONE_NUMBER": "Contoso"}, "TWILIO_PHONE_NUMBER cannot be used"),
        ({"WINDOW_SECONDS": "soon"}, "WINDOW_SECONDS cannot be used"),
        ({"DATABASE_URL": "sqlite:////dev/null/x.db"}, "cannot be opened"),
    ],
)
def test_an_unusable_setting_stops_the_start_with_a_line(
    service: Service, changed: dict[str, str], named: str
) -> None:
    process = service.gunicorn(**changed)
    assert until(lambda: process.poll() is not None)
    assert process.returncode != 0
    said = service.log.read_text()
    assert named in said
    assert "Traceback" not in said


def test_one_application_for_all_processes_is_refused(service: Service) -> None:
    process = service.gunicorn(GUNICORN_CMD_ARGS="--preload")
    assert until(lambda: process.poll() is not None)
    assert "--preload cannot be used" in service.log.read_text()


@pytest.mark.parametrize("command", ["gunicorn wsgi:app", "flask check"])
def test_every_command_names_the_missing_setting(tmp_path: Path, command: str) -> None:
    values = environment(
        DATABASE_URL=f"sqlite:///{tmp_path}/textback.db", PATH="/usr/bin:/bin", PUBLIC_BASE_URL=""
    )
    name, *arguments = command.split()
    ran = subprocess.run(
        [BIN / name, *arguments],
        cwd=ROOT,
        env=values,
        capture_output=True,
        text=True,
        timeout=30,
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode != 0
    assert "PUBLIC_BASE_URL is not set" in said
    assert "Traceback" not in said


def test_warnings_of_the_settings_are_logged_at_the_start(service: Service) -> None:
    process = service.start(WINDOW_SECOND="30")
    service.terminate(process)
    told = "settings: WINDOW_SECOND is not read. The variable is WINDOW_SECONDS."
    assert service.log.read_text().count(told) == 1


def settings_for_a_file(service: Service) -> tuple[str, dict[str, str]]:
    """Takes the settings out of the environment: the lines of a file, and those that are empty."""
    names = [*environment(), "DATABASE_URL", "PORT"]
    values = {name: service.environment.pop(name) for name in names}
    lines = "\n".join(f"{name}={value}" for name, value in values.items() if value)
    return lines, {name: value for name, value in values.items() if not value}


def gunicorn_in(folder: Path, service: Service, more: dict[str, str]) -> subprocess.Popen[bytes]:
    """A gunicorn that reads the file `.env` of this folder."""
    with service.log.open("wb") as log:
        return subprocess.Popen(
            [BIN / "gunicorn", "-c", ROOT / "gunicorn.conf.py", "wsgi:app"],
            cwd=folder,
            env={**service.environment, **more, "PYTHONPATH": str(ROOT)},
            stderr=log,
        )


def starts(service: Service) -> int:
    return service.log.read_text().count("Booting worker")


def error_of_start(service: Service) -> str:
    headers = {"x-functions-key": FUNCTION_KEY}
    url = service.url + START
    try:
        answer = service.http.post(url, json=PHONE, headers=headers, timeout=9)
    except requests.RequestException:
        return "a worker that stops closed the connection"
    return str(answer.json().get("code"))


def reload(process: subprocess.Popen[bytes], file: Path, settings: str) -> None:
    file.write_text(settings)
    process.send_signal(signal.SIGHUP)


def test_no_key_is_in_the_log_before_or_after_a_reload(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Though a caller puts it in place of an id, and of the id of its request."""
    service = Service(tmp_path)
    file, later = tmp_path / ".env", "nK7wq2LrVb9xTz4PfGh8sYc3"
    try:
        kept, empty = settings_for_a_file(service)
        file.write_text(kept)
        process = gunicorn_in(tmp_path, service, empty)
        try:
            until(lambda: starts(service) == 1 and service.is_ready(), 15)
            ask_with(service, SYSTEM_KEY)
            changed = kept.replace(SYSTEM_KEY, later)
            reload(process, file, f"{changed}\nLOG_FORMAT=text\nWINDOW_SECOND=30\n")
            # The earlier process does not know the later key.
            until(lambda: "Worker exiting" in service.log.read_text(), 15)
            until(lambda: starts(service) == 2 and ask_with(service, later) == 404, 15)
        finally:
            process.terminate()
            process.wait(20)
        log = service.log.read_text() + capfd.readouterr().out
        assert '/instances/*****"' in log
        # The reload has changed the form of the lines, and warns of its settings.
        line = r"^[0-9:]{8} INFO gunicorn.access: GET \S*/instances/\*{5} 404  "
        assert re.search(line, log, re.MULTILINE)
        warned = r"^[0-9:]{8} WARNING bot.settings: settings: WINDOW_SECOND is not read"
        assert re.search(warned, log, re.MULTILINE)
        assert SYSTEM_KEY not in log
        assert later not in log
    finally:
        service.close()


def ask_with(service: Service, key: str) -> int:
    headers = {"x-functions-key": key, "X-Request-ID": key}
    with suppress(requests.RequestException):  # a worker that stops
        return service.http.get(
            f"{service.url}{INSTANCES}/{key}", headers=headers, timeout=9
        ).status_code
    return 0


def test_a_reload_with_unusable_settings_keeps_the_earlier_ones(tmp_path: Path) -> None:
    """And one with usable ones takes them."""
    service = Service(tmp_path)
    file = tmp_path / ".env"
    try:
        kept, empty = settings_for_a_file(service)
        file.write_text(kept)
        process = gunicorn_in(tmp_path, service, empty)

        def is_refused() -> bool:
            return error_of_start(service) == "country_not_allowed"

        try:
            until(lambda: starts(service) == 1 and service.is_ready(), 15)
            reload(process, file, f"{kept}\nALLOWED_COUNTRIES=FR\n")
            until(lambda: starts(service) == 2 and is_refused(), 15)
            reload(process, file, f"{kept}\nWINDOW_SECONDS=nonsense\n")
            until(lambda: starts(service) == 3, 15)
            until(is_refused, 15)
            assert "WINDOW_SECONDS cannot be used" in service.log.read_text()
            with socket.create_server(("127.0.0.1", 0)) as taken:
                port = taken.getsockname()[1]
                for line, told in (
                    ("DATABASE_URL=sqlite:////dev/null/x.db", "cannot be opened"),
                    (f"PORT={port}", f":{port}: Address already in use"),
                ):
                    begun = starts(service)
                    reload(process, file, f"{kept}\n{line}\n")
                    until(lambda begun=begun: starts(service) > begun, 15)
                    until(is_refused, 15)
                    assert told in service.log.read_text()
            assert process.poll() is None
        finally:
            process.terminate()
            process.wait(20)
    finally:
        service.close()
