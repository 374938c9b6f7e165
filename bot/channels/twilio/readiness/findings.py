"""Findings, by kind."""

from enum import StrEnum

from bot.channels.gateway import Finding, Level


class FindingKind(StrEnum):
    """The kinds of findings, in the order of their questions."""

    CONNECTION = "connection"
    CREDENTIALS = "credentials"
    ACCOUNT = "account"
    TRIAL = "trial"
    API_KEY = "api key"
    NUMBER = "number"
    SERVICE = "service"
    POOL = "pool"
    WEBHOOK = "webhook"
    REGISTRATION = "registration"
    TOLL_FREE = "toll-free"
    COUNTRIES = "countries"
    REPLIES = "replies"
    ADDRESS = "address"


def good(kind: FindingKind, sentence: str) -> Finding:
    return Finding(kind, Level.GOOD, sentence)


def warning(kind: FindingKind, sentence: str) -> Finding:
    return Finding(kind, Level.WARNING, sentence)


def fault(kind: FindingKind, sentence: str) -> Finding:
    return Finding(kind, Level.FAULT, sentence)


def look(kind: FindingKind, sentence: str) -> Finding:
    return Finding(kind, Level.LOOK, sentence)


def capitalized(sentence: str) -> str:
    """With a capital first letter, and all others as they are."""
    return f"{sentence[:1].upper()}{sentence[1:]}"
