"""Checks the claims of the documents against the code."""

import ast
import json
import re
import shlex
from functools import partial
from pathlib import Path

import pytest

from bot import settings, wording
from bot.domain.errors import Refusal
from bot.domain.verification import Terms
from bot.faces.durable import errors as durable_errors
from bot.http import errors as http_errors  # noqa: F401
from bot.wording import Style
from tests import architecture, state_diagram
from tests.harness import PHONE, Harness

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*/*.md")])


def text(name: str) -> str:
    return (ROOT / name).read_text()


# Settings without a default of which the table says more than "none".
UNSET = {
    "ALLOWED_COUNTRIES": "the sending number's country",
    "CHALLENGE_TEXT": "see below",
    "TWILIO_API_BASE_URL": "Twilio's cloud",
    "TWILIO_MESSAGING_SERVICE_SID": "one of the two",
    "TWILIO_PHONE_NUMBER": "one of the two",
    "VERIFY_SERVICE_SID": "derived from the oldest secret key",
}


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
        elif default in (None, ()):
            assert rows[name].partition(",")[0] == UNSET.get(name, "none"), name
        else:
            assert rows[name] == (f"{default:g}" if isinstance(default, float) else str(default))


def test_the_default_text_is_the_documented_one() -> None:
    challenge = wording.challenge(
        Style.REPLY, tag="en", service=None, terms=Terms(), reference="KP"
    )
    filled = wording.insert_code(challenge, "0042")
    assert f"`{filled}`" in text("docs/settings.md")
    assert f"> {filled}\n" in text("docs/twilio.md"), "the sample that is registered"


def test_every_command_is_documented(harness: Harness) -> None:
    documented = text("README.md")
    for name, command in harness.app.cli.commands.items():
        if name in ("run", "shell", "routes"):
            continue
        for path in [name, *(f"{name} {sub}" for sub in getattr(command, "commands", {}))]:
            assert f"`flask {path}" in documented


def test_every_refusal_is_documented() -> None:
    documented = text("docs/http.md")
    bodiless = {"unknown_verification", "already_finished"}
    refusals = [*Refusal.__subclasses__(), *durable_errors.InvalidRequest.__subclasses__()]
    assert len(refusals) > 25
    for refusal in refusals:
        assert (refusal.__doc__ or "")[:3].isdigit(), "its status, and when it happens"
        if refusal.code not in bodiless and refusal is not durable_errors.InvalidRequest:
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


def test_the_transcript_of_the_readme_is_what_happens(harness: Harness) -> None:
    """The start's body and path, the text, the answer and the status, as the README prints them."""
    readme = text("README.md")
    (curl,) = re.findall(r"^\$ (curl -s -d .*) > started.json$", readme, re.MULTILINE)
    words = shlex.split(curl)
    body, url = words[3], words[4]
    path = url.removeprefix("$PUBLIC_BASE_URL").replace("$FUNCTION_KEY", "a-function-key-for-tests")
    started = harness.call("POST", path, key=None, data=body).json()
    harness.run_once()
    assert body == json.dumps(PHONE)

    sent = harness.texts()[-1].body
    (printed,) = re.findall(r"^> (Your verification.*)$", readme, re.MULTILINE)
    made_alike = partial(re.sub, r"\d{4}\.|Ref ..", "…")
    assert made_alike(sent) == made_alike(printed)

    harness.text(harness.code())
    assert f"*{harness.answers()[-1]}*" in readme
    status = harness.http.get(started["statusQueryGetUri"]).json()
    (shown,) = re.findall(r'^(\{\n    "name".*?^\})$', readme, re.MULTILINE | re.DOTALL)
    printed_status = json.loads(shown)
    assert list(status) == list(printed_status)
    assert list(status["customStatus"]) == list(printed_status["customStatus"])
    for field in ("name", "runtimeStatus", "input", "output"):
        assert status[field] == printed_status[field]


def test_the_picture_of_the_architecture_is_that_of_the_imports() -> None:
    assert architecture.page() == text("docs/architecture.md"), "stale: run make architecture"


def test_the_walks_name_what_is_there_and_never_go_up() -> None:
    page = text("docs/architecture.md")
    walks = re.findall(r"^\*\*(?:An|A) [^*]+\.\*\*(.*?)\n\n", page, re.MULTILINE | re.DOTALL)
    assert len(walks) == 3
    for walk in walks:
        parts = [re.findall(r"`((?:\w+/)+\w+)\.(\w+)`", part) for part in walk.split("*Later*")]
        assert sum(map(len, parts)) >= 4
        assert sum(len(part) - 1 for part in parts) <= 6  # calls; what comes later is not called
        for part in parts:
            callers = ""
            for module, name in part:
                source = text(f"bot/{module}.py")
                defined = ast.walk(ast.parse(source))
                assert name in {getattr(node, "name", None) for node in defined}, (module, name)
                assert not callers or re.search(rf"\b{name}\b", callers), (module, name)
                callers += source
            files = [ROOT / "bot" / f"{module}.py" for module, _ in part]
            layers = [architecture.LAYERS.index(architecture.package_of(file)) for file in files]
            assert layers == sorted(layers, reverse=True), part


def test_the_packages_of_the_architecture_are_those_of_the_listing() -> None:
    named = set(re.findall(r"`(\w+)/`", text("docs/architecture.md")))
    there = {path.name for path in (ROOT / "bot").iterdir() if (path / "__init__.py").exists()}
    assert there <= named


@pytest.mark.parametrize(
    "page", [p for p in PAGES if p.name != "CHANGELOG.md"], ids=lambda p: p.name
)
def test_files_that_are_named_exist(page: Path) -> None:
    named = set(re.findall(r"`([\w./-]+/[\w.-]+\.(?:py|sql|yml|html|md|json))`", page.read_text()))
    places = [ROOT, ROOT / "bot", page.parent]
    missing = {name for name in named if not any((place / name).exists() for place in places)}
    assert missing == set()
