"""The rooms of `bot/`: imports point up the table of docs/architecture.md, never down."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BOT = ROOT / "bot"

# What each room may import of ours. The door (files directly in bot/) may import everything,
# except settings.py, which everybody reads.
MAY_IMPORT = {
    "domain": {"domain"},
    "store": {"domain", "store", "watchdog"},
    "usecases": {"domain", "store", "usecases"},
    "sms": {"domain", "store", "usecases", "sms", "settings", "logs", "watchdog"},
    "dispatch": {"domain", "store", "usecases", "dispatch", "sms"},
    "durable": {"domain", "store", "usecases", "durable", "keys", "sms", "logs"},
    "console": {"domain", "store", "usecases", "console", "keys", "sms", "logs", "settings"},
    "settings": {"domain", "keys", "setting_types"},
    "setting_types": {"domain"},
    "keys": {"domain"},
    "logs": set(),
    "memory": set(),
    "metrics": {"domain", "store"},
    "shared_counters": {"metrics", "store"},
    "journal": {"domain", "store"},
    "openapi": {"domain", "durable"},
    "watchdog": set(),
    "connections": {"store"},
    "worker": {"connections", "logs", "store"},
}
FILES = sorted(BOT.rglob("*.py"))


def imported(path: Path) -> set[str]:
    """The rooms of ours that a file imports."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            modules |= set(names if node.module == "bot" else [node.module])
        elif isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
    return {name.split(".")[1] for name in modules if name.startswith("bot.")}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(BOT)))
def test_imports_point_up(path: Path) -> None:
    place = path.relative_to(BOT)
    room = place.parts[0] if len(place.parts) > 1 else place.stem
    allowed = MAY_IMPORT.get(room)
    if allowed is not None:
        assert imported(path) <= allowed


def test_nothing_of_the_simulator_or_the_tests_is_in_the_bot() -> None:
    for path in FILES:
        text = path.read_text()
        assert "import simulator" not in text
        assert "from simulator" not in text
        assert "from tests" not in text


def test_the_environment_is_read_in_one_place() -> None:
    readers = [path.name for path in FILES if "os.environ" in path.read_text()]
    assert readers == []
    assert "os.environ" in (ROOT / "wsgi.py").read_text()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(BOT)))
def test_every_file_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_the_frame_stands() -> None:
    for name in ("bot", "schema.sql", "wsgi.py", "requirements.txt", "tests", "Procfile"):
        assert (ROOT / name).exists()


def test_what_is_pinned_is_pinned_exactly() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-r")):
                assert "==" in line, line
