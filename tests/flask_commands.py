"""Runs `flask` commands with settings of a test's own, and the program itself."""

import os
import tempfile
from pathlib import Path

from click.testing import Result

from bot.app import create_commands
from tests.processes.starting import Started

ROOT = Path(__file__).parents[1]


def with_environment(values: dict[str, str], *command: str) -> Result:
    app = create_commands(lambda: values)
    return app.test_cli_runner().invoke(args=list(command))


def flask(folder: Path, *command: str) -> tuple[int, str, str]:
    """The program itself, in a folder without .env and an environment without settings: its exit
    code, its output and its errors."""
    with tempfile.TemporaryDirectory() as elsewhere:
        output, errors = Path(elsewhere) / "output", Path(elsewhere) / "errors"
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
        arguments = ["flask", "--app", str(ROOT / "wsgi.py"), *command]
        process = Started(arguments, environment, output, errors=errors, folder=folder)
        return process.wait(timeout=60), output.read_text(), errors.read_text()
