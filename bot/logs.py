"""Logging: lines to standard error. Whoever logs masks phone numbers; nobody logs a code or key."""

import logging


def configure() -> None:
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    # The library writes addresses, queries and headers at this level.
    logging.getLogger("twilio.http_client").setLevel(logging.WARNING)
