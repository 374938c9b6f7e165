"""Instants as the APIs write them."""

from datetime import UTC, datetime


def whole_seconds(at: datetime) -> str:
    """ISO 8601, UTC, whole seconds.

    >>> whole_seconds(datetime(2017, 6, 29, 19, 10, 49, 999, tzinfo=UTC))
    '2017-06-29T19:10:49Z'
    """
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
