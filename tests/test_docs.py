"""What the documents claim is true of the code."""

import json
import re
import shlex
from pathlib import Path

import pytest

from bot import settings, wording
from bot.domain.verification import Terms
from bot.faces.durable.payloads import STATUSES
from tests import state_diagram
from tests.desk import PHONE, Desk

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def text(name: str) -> str:
    return (ROOT / name).read_text()


def test_every_setting_is_documented_with_its_default() -> None:
    rows = {}
    for line in text("docs/settings.md").splitlines():
        if line.startswith("| `"):
            names, default, _ = (cell.strip() for cell in line.strip("| ").split(" | ", 2))
            for name in re.findall(r"`(\w+)`", names):
                rows[name] = default.strip("`| ")
    assert rows.keys() == settings.variables().keys()
    for name, (_, default, is_required) in settings.variables().items():
        if is_required:
            assert rows[name] == "required"
        elif default not in (None, ()) and name != "ALLOWED_COUNTRIES":
            assert rows[name] == f"{default:g}" if isinstance(default, float) else str(default)


def test_the_default_text_is_the_documented_one() -> None:
    challenge = wording.challenge(None, service=None, terms=Terms(), reference="KP")
    assert f"`{wording.fill(challenge, '0042')}`" in text("docs/settings.md")


def test_every_command_is_documented(desk: Desk) -> None:
    documented = text("README.md")
    for name, command in desk.app.cli.commands.items():
        if name in ("run", "shell", "routes"):
            continue
        for path in [name, *(f"{name} {sub}" for sub in getattr(command, "commands", {}))]:
            assert f"`flask {path}" in documented


def test_every_refusal_is_documented() -> None:
    documented = text("docs/http.md")
    bodiless = {"unknown_verification", "already_finished"}
    for refusal in STATUSES:
        if refusal.code not in bodiless:
            assert f"`{refusal.code}`" in documented


def test_the_state_diagram_is_that_of_the_code() -> None:
    assert text("docs/state-machine.md") == state_diagram.page(), "stale: run make diagram"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", page.read_text()):
        assert target.startswith("http") or (page.parent / target).exists(), target


def test_make_targets_that_are_named_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", text("Makefile"), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`(?:[A-Z_]+=… )*make ([a-z]+)`", page.read_text())) <= targets


def test_the_transcript_of_the_readme_is_what_happens(desk: Desk) -> None:
    """The start's body and path, the text, the answer and the status, as the README prints them."""
    readme = text("README.md")
    (curl,) = re.findall(r"^\$ (curl -s -d .*) > started.json$", readme, re.MULTILINE)
    words = shlex.split(curl)
    body, url = words[3], words[4]
    path = url.removeprefix("$PUBLIC_BASE_URL").replace("$FUNCTION_KEY", "a-function-key-for-tests")
    started = desk.call("POST", path, key=None, data=body).json()
    desk.run_once()
    assert body == json.dumps(PHONE)

    sent = desk.texts()[-1].body
    (printed,) = re.findall(r"^> (Your verification.*)$", readme, re.MULTILINE)
    assert re.sub(r"\d{4}\.", "0000.", sent)[:-2] == re.sub(r"\d{4}\.", "0000.", printed)[:-2]

    desk.text(desk.code())
    assert f"*{desk.answers()[-1]}*" in readme
    status = desk.http.get(started["statusQueryGetUri"]).json()
    (shown,) = re.findall(r'^(\{\n    "name".*?^\})$', readme, re.MULTILINE | re.DOTALL)
    printed_status = json.loads(shown)
    assert list(status) == list(printed_status)
    assert list(status["customStatus"]) == list(printed_status["customStatus"])
    for field in ("name", "runtimeStatus", "input", "output"):
        assert status[field] == printed_status[field]


def test_the_rooms_of_the_architecture_are_those_of_the_listing() -> None:
    named = set(re.findall(r"`(\w+)/`", text("docs/architecture.md")))
    there = {path.name for path in (ROOT / "bot").iterdir() if (path / "__init__.py").exists()}
    assert there <= named
