"""Placeholders of links and templates, sent in place of a value.

The links in the answer to a start hold {eventName} and {text}; curl, Postman, shells and other
templates leave theirs if a variable is not set.
"""

import re
import unicodedata
from urllib.parse import unquote

# Brackets and a colon have other uses too, so only around the names of our own parameters.
_NAMES = r"text|reason|name|event_?name|instance_?id|id|key|tag"
_ONE = re.compile(
    rf"""
    [$\#@]?\{{+[^{{}}"]+\}}+        # {{text}} ${{text}} {{{{$json.text}}}}
    | <[\w .-]+>                    # <text>
    | \$[a-z_]\w* | \$\([\w .-]+\)  # $text $(text)
    | %[a-z_]+% | %(?:\(\w+\))?[sd] # %text% %s %(text)s
    | \[(?:{_NAMES})\] | :(?:{_NAMES})
    """,
    re.VERBOSE | re.IGNORECASE,
)
_ALL = re.compile(rf"\s*(?:(?:{_ONE.pattern})\s*)+", _ONE.flags)


def is_placeholder(text: str) -> bool:
    """Whether a value consists of placeholders and nothing else, encoded once more or not.

    >>> is_placeholder("{text}"), is_placeholder("%7Btext%7D"), is_placeholder("{{ $json.text }}")
    (True, True, True)
    >>> is_placeholder('{"user": 5}'), is_placeholder("[duplicate]"), is_placeholder("")
    (False, False, False)
    """
    return any(
        _ALL.fullmatch(unicodedata.normalize("NFKC", tried)) for tried in (text, unquote(text))
    )
