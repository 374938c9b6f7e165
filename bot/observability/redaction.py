"""Masks secrets in log lines: a caller may put one anywhere in a request by mistake."""

import json
from collections.abc import Iterable

from bot.domain.masking import MASK

SHORTEST = 8  # characters; a trial's shorter ones are words that any line may have

# Those of earlier settings stay: a key that was replaced may still be sent. The longest comes
# first, since another one may be its beginning.
hidden: list[str] = []


def hide(secrets: Iterable[str]) -> None:
    """From here on, no line holds one of these: as it is, or as JSON escapes it."""
    found = {secret for secret in secrets if len(secret) >= SHORTEST}
    found |= {json.dumps(secret)[1:-1] for secret in found}
    hidden[:] = sorted(found.union(hidden), key=len, reverse=True)


def redacted(text: str) -> str:
    """
    >>> hide(["a-secret-for-doctests"])
    >>> redacted("GET /a-secret-for-doctests/x")
    'GET /*****/x'
    """
    for secret in hidden:
        if secret in text:
            text = text.replace(secret, MASK)
    return text
