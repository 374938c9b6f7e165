"""The packages of `bot/`, and the picture of their imports in docs/architecture.md.

`python -m tests.architecture` draws the picture anew.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
BOT = ROOT / "bot"
PAGE = ROOT / "docs" / "architecture.md"
FILES = sorted(BOT.rglob("*.py"))

GATEWAY = (
    "channels/gateway.py",
    "channels/sentences.py",
    "channels/twilio/errors.py",
    "channels/twilio/error_codes.py",
    "channels/twilio/reply_errors.py",
)

# From the bottom to the top: a package imports its own and those before it.
LAYERS = [
    "concurrency",
    "outbound",
    "domain",
    "wording",
    "settings",
    "gateway",
    "webhooks",
    "store",
    "observability",
    "admission",
    "usecases",
    "explanations",
    "http",
    "dispatch",
    "service",
    "channels",
    "server",
    "faces",
    "app",
]


_GATEWAY_MODULES = tuple(path.removesuffix(".py") for path in GATEWAY)


def package_of(path: Path) -> str:
    """`gateway` counts as a package of its own, since other packages use only it of the channels:
    its requests, and the meaning of error codes."""
    if str(path.relative_to(BOT)) in GATEWAY:
        return "gateway"
    parts = path.relative_to(BOT).parts
    return parts[0].removesuffix(".py")


def packages() -> set[str]:
    return {package_of(path) for path in FILES} - {"__init__"}


def imported(path: Path) -> set[str]:
    """The packages of ours that a file imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module:
            is_root = node.module in ("bot", "bot.channels")
            names = [f"{node.module}.{a.name}" for a in node.names] if is_root else [node.module]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.replace(".", "/").removeprefix("bot/").startswith(_GATEWAY_MODULES):
                found.add("gateway")
            elif name.startswith("bot."):
                found.add(name.split(".")[1])
    return found


def edges() -> list[tuple[str, str]]:
    """Imports between packages, without those that follow from others."""
    direct = {
        package: {
            other
            for path in FILES
            if package_of(path) == package
            for other in imported(path)
            if other != package
        }
        for package in LAYERS
    }

    def reached(package: str) -> set[str]:
        return direct[package] | {far for near in direct[package] for far in reached(near)}

    return [
        (package, other)
        for package in reversed(LAYERS)
        for other in sorted(direct[package])
        if not any(other in reached(near) for near in direct[package] if near != other)
    ]


def picture() -> str:
    lines = [f"    {package} --> {other}" for package, other in edges()]
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])


def page() -> str:
    """The page with its picture as the imports are now."""
    return re.sub(r"```mermaid.*?```", lambda _: picture(), PAGE.read_text(), flags=re.DOTALL)


if __name__ == "__main__":
    PAGE.write_text(page())
