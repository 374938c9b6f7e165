"""Paths of requests, as logs and errors may show them."""

import re
from functools import cache, lru_cache

from bot.domain.masking import is_drawn, masked_event, safe, without_link_keys
from bot.observability.redaction import redacted

_words: set[str] = set()


def mask_after(*words: str) -> None:
    """Masks what follows one of these words in a path: it may be the code. Each face registers its
    own words before it serves."""
    _words.update(words)
    _before_code.cache_clear()
    of_environ.cache_clear()


def safe_path(path: str) -> str:
    """The path without a code, a number, a key or a line break.

    >>> mask_after("events")
    >>> safe_path("/Events/１２３４"), safe_path("/events/Paid2"), safe_path("/phones/+14255550123")
    ('/Events/*****', '/events/Paid2', '/phones/*****')
    >>> safe_path("/instances/2hn0Yx-GZ7b1Tqv_lWc4eRkMJd8sUo9iPfA3XgLzQwE")
    '/instances/*****'
    """
    # Before its digits are masked: a part of a key would stay.
    shown = without_link_keys(redacted(path))
    return safe(_before_code().sub(lambda found: found[1] + _masked(found[2]), shown))


@lru_cache(maxsize=64)  # most requests have one of a few paths
def of_environ(path_info: str) -> str:
    """The path of a WSGI environment, which has its bytes as Latin-1, as a log may show it."""
    try:
        return safe_path(path_info.encode("latin-1").decode())
    except UnicodeError:
        return safe_path(path_info)


@cache
def _before_code() -> re.Pattern[str]:
    words = "|".join(map(re.escape, sorted(_words))) or "(?!)"
    return re.compile(rf"(/(?:{words})/+)(.*)", re.IGNORECASE | re.DOTALL)


def _masked(parts: str) -> str:
    """A code may stand in further parts of the path too."""
    return "/".join(
        part if not part or is_drawn(part) else masked_event(part) for part in parts.split("/")
    )
