"""Checks deploy/ and docs/deploy.md against Textback; `make deploy` runs them."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot import __version__, settings
from bot.server import file_limit
from tests.harness import Harness, environment
from tests.processes.service import Service

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
SCRIPTS = [DEPLOY / "try", *sorted((DEPLOY / "trying").glob("*.sh"))]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
DEFAULTS = {name: default for name, (_, default, _) in settings.variables().items()}
CADDY = (DEPLOY / "Caddyfile").read_text()
NGINX = (DEPLOY / "nginx.conf").read_text()
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
PAGE = (ROOT / "docs" / "deploy.md").read_text()
LONGEST_WAIT_SECONDS = 60  # of a caller, which docs/http.md names
STOP_SECONDS = 30  # which the README names


def unit(path: Path) -> dict[str, list[str]]:
    """Values by name. systemd lets a name stand several times, so configparser cannot read it."""
    found: dict[str, list[str]] = {}
    for line in path.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def blocks() -> list[tuple[str, str]]:
    """Every block of commands on the page with the comment before it."""
    return re.findall(r"^(?:<!-- ([^\n]*) -->\n)?```sh\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_every_block_of_the_page_is_run_or_says_why_not() -> None:
    scripts = "".join(path.read_text() for path in SCRIPTS)
    run = set(re.findall(r'(?:walk|installing|block) "([a-z]+ [a-z]+)"', scripts))
    marks = [mark for mark, _ in blocks()]
    tried = [mark.removeprefix("tried: ") for mark in marks if mark.startswith("tried: ")]
    assert sorted(tried) == sorted(run)
    for mark in marks:
        assert mark.startswith("tried: ") or re.match(r"not tried: \w+", mark), mark
    assert PAGE.count("```sh") == len(marks)


def test_commands_of_the_page_are_sound_shell() -> None:
    for mark, commands in blocks():
        subprocess.run(["bash", "-n"], input=commands, text=True, check=True, timeout=10)
        for path in re.findall(r"(?<![\w/])(?:/opt/textback/)?(deploy/[\w./-]+)", commands):
            assert (ROOT / path).exists() or path == "deploy/.env", (mark, path)


def test_scripts_are_sound_shell_and_can_be_run() -> None:
    for path in SCRIPTS:
        subprocess.run(["bash", "-n", path], check=True, timeout=10)
    for path in (DEPLOY / "try", DEPLOY / "trying" / "image.sh"):
        assert os.access(path, os.X_OK)


def test_flask_commands_of_the_page_exist(harness: Harness) -> None:
    named = re.findall(r"(?:\.venv/bin/|web )flask (\w+)(?: (\w+))?", PAGE)
    assert len(named) >= 4
    for name, sub in named:
        command = harness.app.cli.commands[name]
        assert not hasattr(command, "commands") or sub in command.commands


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_units_start_what_exists(path: Path, harness: Harness) -> None:
    (command,) = unit(path)["ExecStart"]
    program, *arguments = command.split()
    folder = unit(path)["WorkingDirectory"][0]
    assert folder == "/opt/textback"
    assert program.startswith(f"{folder}/.venv/bin/")
    assert (Path(sys.executable).parent / Path(program).name).exists()
    if program.endswith("flask"):
        assert arguments[0] in harness.app.cli.commands
    elif program.endswith("python"):
        assert (ROOT / arguments[0]).exists()
    else:
        assert f"web: gunicorn {' '.join(arguments)}\n" in (ROOT / "Procfile").read_text()


def test_units_are_hardened_alike() -> None:
    """Names the lines that only one of them has, so that a line added to one is added to all."""
    own = {"StateDirectory", "RestrictAddressFamilies", "PrivateNetwork"}
    hardening = []
    for path in UNITS:
        text = path.read_text()
        lines = text[text.index("StateDirectory=") :].partition("[Install]")[0].splitlines()
        shared = [line for line in lines if line and line.partition("=")[0] not in own]
        hardening.append(shared)
    assert len(hardening) == 3
    assert hardening[0] == hardening[1] == hardening[2]
    for path in UNITS:
        assert unit(path)["UMask"] == ["0077"]
        assert unit(path)["User"] == ["textback"]
        assert unit(path)["ProtectSystem"] == ["strict"]
        assert unit(path)["CapabilityBoundingSet"] == [""]


def test_units_leave_time_to_stop_and_files_for_all_connections() -> None:
    for name in ("web", "dispatch"):
        found = unit(DEPLOY / "systemd" / f"textback-{name}.service")
        assert int(found["TimeoutStopSec"][0]) > STOP_SECONDS
        assert found["Restart"] == ["always"]
    web = unit(DEPLOY / "systemd" / "textback-web.service")
    made = settings.read(environment())
    files = made.connections + file_limit.of_ours(made) + file_limit.SPARE_FILES
    assert int(web["LimitNOFILE"][0]) == files


def test_settings_that_are_named_exist() -> None:
    compose = {name for s in ("web", "dispatch") for name in COMPOSE["services"][s]["environment"]}
    image = set(re.findall(r"^(?:ENV|    ) ?([A-Z_]+)=", DOCKERFILE, re.MULTILINE))
    page = set(
        re.findall(r"^(?:echo '?)?([A-Z_]+)=", "".join(b for _, b in blocks()), re.MULTILINE)
    )
    assert compose <= DEFAULTS.keys()
    assert image - {"PATH", "PYTHONDONTWRITEBYTECODE"} == {"DATABASE_URL", "HOST", "PORT"}
    assert page <= DEFAULTS.keys() | {"SITE", "POSTGRES_PASSWORD", "VERSION", "REPOSITORY"}
    assert {"DATABASE_URL", "HOST", "CONNECTIONS_PER_ADDRESS", "DISPATCH"} <= page


def test_addresses_of_the_database_are_what_textback_reads() -> None:
    for url in re.findall(r"DATABASE_URL=(sqlite:\S+)", DOCKERFILE + PAGE):
        found = settings.read(environment(DATABASE_URL=url))
        assert found.database_url.removeprefix("sqlite:///").startswith(("/data/", "/var/lib/"))
    url = COMPOSE["services"]["web"]["environment"]["DATABASE_URL"]
    assert re.sub(r"\$\{.*?\}", "x", url).startswith("postgresql://textback:x@postgres/")
    assert COMPOSE["services"]["postgres"]["environment"]["POSTGRES_DB"] == "textback"


def test_ports_agree() -> None:
    port = str(DEFAULTS["PORT"])
    assert re.findall(r"(?:PORT=|EXPOSE )(\d+)", DOCKERFILE) == [port, port]
    assert f"127.0.0.1:{port}}}" in CADDY
    assert f"server 127.0.0.1:{port};" in NGINX
    services = COMPOSE["services"]
    assert services["caddy"]["environment"]["UPSTREAM"] == f"web:{port}"
    assert services["web"]["environment"]["PORT"] == port
    assert [name for name in services if "ports" in services[name]] == ["caddy"]


def test_the_image_holds_what_exists_and_no_more() -> None:
    wanted = {"bot", "gunicorn.conf.py", "requirements.txt", "schema.sql", "wsgi.py"}
    copied = set()
    for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE):
        copied.update(line.split()[:-1])
    ignore = (ROOT / ".dockerignore").read_text().splitlines()
    assert copied == wanted
    assert {line[1:] for line in ignore if line.startswith("!")} == wanted
    assert "*" in ignore
    assert all((ROOT / name).exists() for name in wanted)


def test_the_image_runs_without_root_and_without_a_shell() -> None:
    assert re.search(r"^USER textback$", DOCKERFILE, re.MULTILINE)
    assert DOCKERFILE.index("USER") > DOCKERFILE.rindex("RUN")
    (command,) = re.findall(r"^CMD (.*)$", DOCKERFILE, re.MULTILINE)
    assert f"web: {' '.join(json.loads(command))}\n" in (ROOT / "Procfile").read_text()


def test_the_health_check_of_the_image(tmp_path: Path) -> None:
    (command,) = re.findall(r"^    CMD (\[.*\])$", DOCKERFILE, re.MULTILINE)
    _, *arguments = json.loads(command)
    service = Service(tmp_path)
    try:
        service.start()
        run = [sys.executable, *arguments]
        there = subprocess.run(run, env={"PORT": str(service.port)}, timeout=20)
        assert there.returncode == 0
    finally:
        service.close()
    gone = subprocess.run(run, env={"PORT": str(service.port)}, timeout=20, capture_output=True)
    assert gone.returncode != 0


def test_versions_are_pinned() -> None:
    images = [*re.findall(r"^ARG BASE=(.*)$", DOCKERFILE, re.MULTILINE)]
    images += [service["image"] for service in COMPOSE["services"].values()]
    assert len(images) == 5
    assert all(re.search(r":\d", image) for image in images), images
    for name in ("web", "dispatch"):
        assert COMPOSE["services"][name]["image"] == f"textback:{__version__}"
    assert f"export VERSION=v{__version__}\n" in PAGE


def test_services_of_compose() -> None:
    services = COMPOSE["services"]
    procfile = dict(
        line.split(": ") for line in (ROOT / "Procfile").read_text().splitlines() if line
    )
    assert " ".join(services["dispatch"]["command"]) == procfile["dispatch"]
    for name in ("web", "dispatch"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["env_file"] == ".env"
        assert int(service["stop_grace_period"].removesuffix("s")) > STOP_SECONDS
        assert service["depends_on"]["postgres"]["condition"] == "service_healthy"
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).exists()
    assert services["web"]["environment"]["CONNECTIONS_PER_ADDRESS"] == "0"
    assert services["caddy"]["depends_on"]["web"]["condition"] == "service_healthy"
    assert "./Caddyfile:/etc/caddy/Caddyfile:ro" in services["caddy"]["volumes"]
    used = {v.partition(":")[0] for s in services.values() for v in s.get("volumes", [])}
    assert used - {"./Caddyfile"} == COMPOSE["volumes"].keys()


def test_proxies_have_the_bounds_of_textback() -> None:
    """A caller that waits is not cut, and no kept connection is used that Textback closes."""
    kept = int(re.search(r"^keepalive = (\d+)", (ROOT / "gunicorn.conf.py").read_text(), re.M)[1])  # type: ignore[index]
    reads = re.findall(r"(?:proxy_)?read_timeout (\d+)s", CADDY + NGINX)
    idle = re.findall(r"^\s*(?:keepalive|keepalive_timeout) (\d+)s;?(?: .*)?$", CADDY, re.M)
    upstream = re.findall(r"keepalive_timeout (\d+)s;", NGINX.partition("server {")[0])
    assert len(reads) == 2
    assert all(int(seconds) > LONGEST_WAIT_SECONDS for seconds in reads)
    assert [int(seconds) < kept for seconds in [*idle, *upstream]] == [True, True]
    assert "client_max_body_size 64k;" in NGINX
    assert "max_size 1MB" in CADDY
