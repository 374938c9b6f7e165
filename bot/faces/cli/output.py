"""Prints the output of commands: lines for people, or JSON for programs."""

import json
from typing import Any

import click

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")

UTC_NOTE = "Times are UTC."
INSTANT = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


def say(as_json: bool, value: Any, *lines: str) -> None:
    """Prints the value as JSON, or the lines."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False) if as_json else "\n".join(lines))
