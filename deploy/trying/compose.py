"""What a service of deploy/compose.yaml is started with: settings, or its command.

python deploy/trying/compose.py SERVICE settings ENV_FILE
python deploy/trying/compose.py SERVICE command
"""

import re
import sys
from pathlib import Path
from typing import Any

import yaml
from dotenv import dotenv_values

FILE = Path(__file__).parents[1] / "compose.yaml"


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(FILE.read_text())["services"]
    return found


def settings(service: str, variables: dict[str, str]) -> dict[str, str]:
    """Those of the file .env, and over them those of the service, as compose joins them."""

    def value(match: re.Match[str]) -> str:
        name, _, rest = match[1].partition(":")
        if not variables.get(name) and rest.startswith("?"):
            sys.exit(f"{name}: {rest[1:]}")
        return variables.get(name) or rest.removeprefix("-")

    own = services()[service].get("environment", {})
    return variables | {name: re.sub(r"\$\{(.*?)\}", value, text) for name, text in own.items()}


def main(service: str, wanted: str, *files: str) -> None:
    if wanted == "command":
        print(*services()[service].get("command", ["gunicorn", "wsgi:app"]), sep="\n")
        return
    variables = {name: value or "" for name, value in dotenv_values(files[0]).items()}
    for name, text in settings(service, variables).items():
        print(f"{name}={text}")


if __name__ == "__main__":
    main(*sys.argv[1:])
