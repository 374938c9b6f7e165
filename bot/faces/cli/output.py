"""Prints the output of commands: lines for people, or JSON for programs."""

import codecs
import json
import sys
from typing import Any
from unicodedata import category

import click

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")

UTC_NOTE = "Times are UTC."
INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


def say(as_json: bool, value: Any, *lines: str) -> None:
    """Prints the value as JSON, or the lines."""
    if as_json:
        is_utf_8 = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
        click.echo(json.dumps(value, indent=2, ensure_ascii=not is_utf_8))
    else:
        click.echo("\n".join(map(printable, lines)))


def printable(text: str) -> str:
    """A line without control characters: a caller's reason or name could forge further lines, or
    drive the terminal.

    >>> printable("left\\x1b[2J\\nid")
    'left\\\\x1b[2J\\\\nid'
    """
    return "".join(repr(c)[1:-1] if category(c) in ("Cc", "Zl", "Zp") else c for c in text)
