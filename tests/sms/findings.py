"""Asks for the findings of `flask check --twilio`, which tests provoke at the simulator."""

from dataclasses import replace

from bot.channels.gateway import Finding, Level
from bot.channels.twilio import readiness
from bot.channels.twilio.readiness.findings import FindingKind
from simulator.access import ERASE, NUMBERS, READ, REGISTRATION, SEND, SERVICES
from simulator.world import ApiKey, World
from tests.harness import Harness

SERVICE = "MG" + "1f" * 16
KEY = ApiKey("SK4b7d1e90c2f8a6035e9d7b1c4a8f2063", "Qx3vL0pZ8rT5yW2nB7mK4jH9sD6fG1aC")
OTHER_TOKEN = "5be8207cd3194fa6b07e2d85c91f46a3"
ALL_RIGHTS = frozenset([SEND, READ, ERASE, NUMBERS, SERVICES, REGISTRATION])


def world(harness: Harness) -> World:
    return harness.simulator.world


def change_service(harness: Harness, **changed: object) -> None:
    world = harness.simulator.world
    assert world.service is not None
    world.configure_service(replace(world.service, **changed))


def found(harness: Harness, **settings: object) -> list[Finding]:
    changed = harness.settings.model_copy(update=settings)
    return list(readiness.findings(changed))


def keyed(harness: Harness, rights: frozenset[str] | None, **more: object) -> list[Finding]:
    world(harness).api_keys = (replace(KEY, rights=rights),)
    return found(harness, twilio_api_key_sid=KEY.sid, twilio_api_key_secret=KEY.secret, **more)


def of_kind(findings: list[Finding], kind: FindingKind) -> list[Finding]:
    return [one for one in findings if one.kind == kind]


def sentence_of(findings: list[Finding], kind: FindingKind, level: Level) -> str:
    """Returns the sentence of the only finding of this kind and level."""
    (sentence,) = [one.sentence for one in of_kind(findings, kind) if one.level is level]
    return sentence


def faulty(findings: list[Finding]) -> set[str]:
    return {one.kind for one in findings if one.level is Level.FAULT}
