"""Prints the output of commands: lines for people, or JSON for programs."""

import codecs
import json
import sys
from typing import Any
from unicodedata import category

import click

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")

UTC_NOTE = "Times are UTC."
# As people type it, as lists print it, and as JSON has it.
INSTANT = click.DateTime(
    [
        *("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"),
        *("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ"),
    ]
)


def say(as_json: bool, value: Any, *lines: str) -> None:
    """Prints the value as JSON, or the lines."""
    if as_json:
        is_utf_8 = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
        click.echo(json.dumps(value, indent=2, ensure_ascii=not is_utf_8))
    else:
        click.echo("\n".join(map(printable, lines)))


def counted(count: int, what: str, many: str = "") -> str:
    """
    >>> counted(1, "fault"), counted(2, "fault"), counted(0, "entry", "entries")
    ('1 fault', '2 faults', '0 entries')
    """
    return f"{count} {what if count == 1 else many or what + 's'}"


def printable(text: str) -> str:
    """A line without control characters: a caller's reason or name could forge further lines, or
    drive the terminal.

    >>> printable("left\\x1b[2J\\nid")
    'left\\\\x1b[2J\\\\nid'
    """
    return "".join(repr(c)[1:-1] if category(c) in ("Cc", "Zl", "Zp") else c for c in text)
