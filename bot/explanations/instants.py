"""Instants as operators read them."""

from datetime import datetime


def clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}"


def clock_utc(at: datetime) -> str:
    return f"{clock(at)} UTC"
