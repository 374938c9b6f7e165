"""The structure of `bot/`, whose imports point one way; all files and functions stay short."""

import ast
import re
from pathlib import Path

from tests.architecture import BOT, FILES, LAYERS, imported, package_of, packages

ROOT = Path(__file__).parents[1]

SOURCES = [
    str(path.relative_to(ROOT))
    for folder in ("bot", "simulator", "tests", "bench", "examples", "deploy")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "node_modules" not in path.parts
]

# Over 250 lines, each with its reason in its first lines.
LONG_FILES = {"bot/domain/transitions.py"}
LINES_OF_FILE = 250
LINES_OF_FUNCTION = 40
# Functions that are tables: a line an entry, and nothing to follow.
TABLES = {
    ("bot/observability/metrics.py", "__init__"),
    ("bot/faces/durable/openapi.py", "_paths"),
    ("bot/faces/durable/openapi.py", "_schemas"),
    ("bot/faces/verify/openapi.py", "_paths"),
}
AZURE = re.compile(
    r"azure|durable|orchestrat|instance id|runtimestatus|raiseEvent|E4_", re.IGNORECASE
)
PRIVATE = re.compile(r"""(?<!self)(?<!cls)(?<!os)\._[a-z]|setattr\([\w.]+, "_[a-z]""")
# Private names of libraries and of Python, which have no public ones for it.
REACHING = {
    "tests/console/test_sign_in.py",
    "tests/forked.py",
    "tests/processes/test_azure_client.py",
    "tests/processes/warm.py",
    "tests/sms/test_twilio.py",
    "tests/test_unusable_databases.py",
}
TWILIO_CODES = re.compile(r"\b(21610|20003)\b")


def name(path: Path) -> str:
    return str(path.relative_to(BOT))


def test_imports_point_one_way() -> None:
    wrong = {}
    for path in FILES:
        package = package_of(path)
        allowed = LAYERS[: LAYERS.index(package) + 1] if package in LAYERS else LAYERS
        wrong[name(path)] = imported(path) - set(allowed)
    assert {path: up for path, up in wrong.items() if up} == {}


def test_every_file_says_what_it_is() -> None:
    silent = [name(path) for path in FILES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def test_files_are_short() -> None:
    long = {path for path in SOURCES if len((ROOT / path).read_text().splitlines()) > LINES_OF_FILE}
    assert long == LONG_FILES
    for path in LONG_FILES:
        docstring = ast.get_docstring(ast.parse((ROOT / path).read_text())) or ""
        assert "Over 250 lines:" in docstring, path


def test_functions_are_short() -> None:
    long = {
        (path, node.name)
        for path in SOURCES
        for node in ast.walk(ast.parse((ROOT / path).read_text()))
        if isinstance(node, ast.FunctionDef)
        and (node.end_lineno or 0) - node.lineno >= LINES_OF_FUNCTION
    }
    assert long == TABLES


def test_every_package_has_its_layer() -> None:
    assert set(LAYERS) == packages()


def test_a_face_knows_no_other_face() -> None:
    for path in FILES:
        parts = path.relative_to(BOT).parts
        if parts[0] != "faces" or len(parts) == 1:
            continue
        own = f"bot.faces.{parts[1].removesuffix('.py')}"
        others = [m for m in modules(path) if m.startswith("bot.faces.") and not m.startswith(own)]
        assert others == [], path


def test_only_the_app_knows_faces() -> None:
    knowing = {
        name(path)
        for path in FILES
        if any(m.startswith("bot.faces") for m in modules(path)) and package_of(path) != "faces"
    }
    assert knowing == {"app.py"}


def test_twilio_is_known_to_the_app_and_its_sentences_alone() -> None:
    knowing = {
        name(path)
        for path in FILES
        if any(m.startswith("bot.channels.twilio") for m in modules(path))
        and "channels/twilio" not in str(path)
    }
    assert knowing == {"app.py", "channels/sentences.py"}
    coded = [name(p) for p in FILES if TWILIO_CODES.search(p.read_text())]
    # The Verify face answers with Verify's codes.
    allowed = ("channels/twilio/", "faces/verify/errors.py")
    assert all(path.startswith(allowed) for path in coded), coded


def test_azures_words_are_in_their_package_alone() -> None:
    for path in FILES:
        if "faces/durable" in str(path) or name(path) == "app.py":
            continue
        assert AZURE.search(path.read_text()) is None, path


def test_sql_is_in_the_store_alone() -> None:
    """A use case calls functions of the tables, and asks a transaction for nothing but the time."""
    sql = re.compile(r"tx\.(?:one|all|run|lock|lock_skip_locked)\(")
    found = {name(path) for path in FILES if sql.search(path.read_text())}
    assert {path for path in found if not path.startswith("store/")} == set()


def test_a_statement_that_changes_rows_tells_how_many() -> None:
    """sqlite3 counts rows only where INSERT, UPDATE or DELETE is the first word."""
    begins = re.compile(r'"""\s*WITH\b')
    assert [name(path) for path in FILES if begins.search(path.read_text())] == []


def test_effects_become_rows_in_one_place() -> None:
    tables = r"outbox\.(?:enqueue|withdraw)|erasures\.add\w*|disowns\.mark|webhook_events\.add"
    writes = re.compile(rf"\b(?:{tables}|usage\.(?:add|lift_newest))\(")
    found = {name(path) for path in FILES if writes.search(path.read_text())}
    assert found == {"usecases/record.py"}


# Below the use cases, or tables themselves.
OF_TABLES = ("store/", "usecases/", "admission/", "observability/")


def test_transactions_are_for_use_cases() -> None:
    takes = re.compile(r"def \w+\((?:\s*self,)?\s*tx: Tx\b")
    found = {name(path) for path in FILES if takes.search(path.read_text())}
    # The first hands `judged_until` to use cases; the second undoes them if the clock has jumped.
    allowed = {"dispatch/catch_up.py", "dispatch/sweep.py"}
    assert {path for path in found if not path.startswith(OF_TABLES)} == allowed


def test_tables_are_for_use_cases() -> None:
    tables = re.compile(r"^from bot\.store import ", re.MULTILINE)
    found = {name(path) for path in FILES if tables.search(path.read_text())}
    assert {path for path in found if not path.startswith(OF_TABLES)} == set()


def modules(path: Path) -> set[str]:
    """Modules of ours that a file imports, dotted."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return {module for module in found if module.startswith("bot")}


def test_tests_share_nothing_with_each_other_but_by_modules_without_tests() -> None:
    shares = re.compile(r"^from tests[.\w]*\.test_\w+ import", re.MULTILINE)
    sharing = [path for path in SOURCES if shares.search((ROOT / path).read_text())]
    assert sharing == []


def test_tests_reach_no_private_name() -> None:
    tests = [path for path in SOURCES if path.startswith("tests/")]
    assert {path for path in tests if PRIVATE.search((ROOT / path).read_text())} == REACHING


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


def test_the_files_that_tools_expect_exist() -> None:
    for name in ("bot", "schema.sql", "wsgi.py", "requirements.txt", "tests", "Procfile"):
        assert (ROOT / name).exists()


def test_requirements_are_pinned_exactly() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text().splitlines():
            if line and not line.startswith(("#", "-r")):
                assert "==" in line, line


def test_each_test_that_can_run_longer_does_in_make_soak() -> None:
    (line,) = [line for line in (ROOT / "Makefile").read_text().splitlines() if "SOAK=40" in line]
    longer = [
        path
        for path in SOURCES
        if "/test_" in path and re.search(r"\bSOAK\b", (ROOT / path).read_text())
    ]
    missing = [path for path in longer if path not in line and str(Path(path).parent) not in line]
    assert missing == []
