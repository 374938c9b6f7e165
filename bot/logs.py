"""Logging: lines to standard error. Whoever logs masks phone numbers; nobody logs a code or key."""

import logging
import re

_NUMBER = re.compile(r"(?<![0-9A-Za-z])\+?[0-9]{5}(?=[0-9]{2,10}(?![0-9A-Za-z]))[0-9]*")


def configure() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # The library writes addresses, queries and headers at this level.
    logging.getLogger("twilio.http_client").setLevel(logging.WARNING)


def safe(path: str) -> str:
    """A path as a log may show it: anybody may put a number or a line break into one.

    >>> safe("/orchestrators/+14255550123"), safe("/a\\nb")
    ('/orchestrators/*****', '/a\\\\nb')
    """
    return _NUMBER.sub("*****", path.encode("unicode_escape").decode())
