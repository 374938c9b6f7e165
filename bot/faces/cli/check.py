"""`flask check`: the settings, and whether the services they name are ready."""

import sys
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

import click
from flask import current_app
from flask.cli import with_appcontext

from bot import service as services
from bot.channels.gateway import Finding, Level
from bot.domain import phone
from bot.faces.cli.output import counted, json_option, say
from bot.settings import Settings, SettingsCheck
from bot.store.migrations import VERSION
from bot.store.opening import schema_version
from bot.store.tx import UnusableDatabase
from bot.usecases.webhooks import name_of

Ask = Callable[[Settings], Iterable[Finding]]

_MARKS = {Level.GOOD: "ok", Level.WARNING: "warning", Level.FAULT: "FAULT", Level.LOOK: "look"}


def check_command(ask: Ask) -> click.Command:
    """`ask` returns the channel's findings about its account."""

    @click.command()
    @click.option("--twilio", is_flag=True, help="Ask Twilio too; nothing is sent or changed.")
    @json_option
    @with_appcontext
    def check(twilio: bool, as_json: bool) -> None:
        """Check the settings: am I ready? Exit code 1: there is a fault."""
        checked = services.settings_check_of(current_app)
        if checked.settings is None:
            _refuse(checked, as_json=as_json)
        fault = ""
        try:
            database = _database(checked.settings)
        except UnusableDatabase as error:
            database, fault = "cannot be used", str(error)
        findings = ask(checked.settings) if twilio else ()
        if as_json:
            is_ready = _print_json(
                checked, checked.settings, list(findings), database=database, fault=fault
            )
        else:
            _print_settings(checked, checked.settings, database=database, fault=fault)
            is_ready = _print_findings(findings)
        sys.exit(0 if is_ready and not fault else 1)

    return check


def _refuse(checked: SettingsCheck, *, as_json: bool) -> NoReturn:
    if not as_json:
        sys.exit(checked.message)
    faults, warnings = list(checked.faults), list(checked.warnings)
    say(True, {"isReady": False, "faults": faults, "warnings": warnings, "findings": []})
    sys.exit(1)


def _database(settings: Settings) -> str:
    """A sentence on what the start will do to the database. The database is only read here: a file
    made by root could not be opened by the service, and an older schema may be in use. Raises
    UnusableDatabase."""
    version = schema_version(settings.database_url)
    if version is None:
        return f"{settings.database_name} (new: the start makes it)"
    if version < VERSION:
        change = f"the start migrates it from {version} to {VERSION}"
        return f"{settings.database_name} (an older schema: {change})"
    return f"{settings.database_name} (schema {version})"


def _print_json(
    checked: SettingsCheck,
    settings: Settings,
    findings: list[Finding],
    *,
    database: str,
    fault: str,
) -> bool:
    is_ready = not fault and all(found.level is not Level.FAULT for found in findings)
    report: dict[str, Any] = {
        "isReady": is_ready,
        "faults": [fault] if fault else [],
        "warnings": list(checked.warnings),
        "settings": dict(_shown(settings, database)),
        "findings": [
            {"kind": str(found.kind), "level": str(found.level), "sentence": found.sentence}
            for found in findings
        ],
    }
    say(True, report)
    return is_ready


def _print_settings(
    checked: SettingsCheck, settings: Settings, *, database: str, fault: str
) -> None:
    for name, value in _shown(settings, database):
        click.echo(f"{name:14}  {value}")
    for warning in checked.warnings:
        click.echo(f"Warning: {warning}", err=True)
    click.echo(fault or "The settings can be used.", err=bool(fault))


def _print_findings(findings: Iterable[Finding]) -> bool:
    """Each as soon as it is known: asking takes a while."""
    count = {Level.FAULT: 0, Level.WARNING: 0}
    has_asked = False
    for finding in findings:
        if not has_asked:
            click.echo()
        has_asked = True
        click.echo(f"{_MARKS[finding.level]:8} {finding.kind:13} {finding.sentence}")
        if finding.level in count:
            count[finding.level] += 1
    if not has_asked:
        return True
    faults = "no fault" if not count[Level.FAULT] else counted(count[Level.FAULT], "fault")
    click.echo(f"\nTwilio: {faults}, {counted(count[Level.WARNING], 'warning')}.")
    return count[Level.FAULT] == 0


def _shown(settings: Settings, database: str) -> Iterable[tuple[str, str]]:
    """Settings without their secrets; `database`: its name, and what the start does to it."""
    number, terms = settings.twilio_phone_number, settings.terms
    yield "public address", settings.public_base_url
    yield "texts from", phone.masked(number) if number else settings.from_address
    yield "Twilio", settings.twilio_api_base_url or "the cloud"
    yield "database", database
    yield (
        "rules",
        f"{terms.code_length} digits, {terms.window_seconds} seconds,"
        f" {terms.max_attempts} attempts",
    )
    yield "webhooks to", ", ".join(map(name_of, settings.webhook_urls)) or "none"
    yield "languages", f"{settings.default_locale}, offered {len(settings.offered_locales)}"
    yield "Verify service", settings.service_sid
    yield "countries", ", ".join(sorted(settings.countries)) or "all"
    yield "guess budget", str(settings.guess_budget)
