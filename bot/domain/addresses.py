"""Links, e-mail addresses and users' names in a text: they may hold a year, but no code."""

import re

_REST = r"[!-+\--:<-~]*"  # ASCII without blanks, commas and semicolons
_ADDRESS = re.compile(
    # https://example.com/1999, joe1999@example.com, @joe1999
    r"(?<![a-zA-Z0-9_.+-])[a-zA-Z][a-zA-Z0-9_.+-]*://[^\s,;]+"
    r"|(?<![a-zA-Z0-9_.+%@-])[a-zA-Z0-9_.+%-]*@([^\s,;]*)"
    # Without its scheme: www.example.com, bit.ly/2024, joes1999.com. "is1234.Thanks" is none, nor
    # is "ok.thanks/1234".
    rf"|(?<![a-zA-Z0-9_.+%@-])(?:(?i:www)\.(?:[a-zA-Z0-9-]+\.)*[a-zA-Z]{{2,}}(?![a-zA-Z0-9-])"
    rf"(?:[/?#:]{_REST})?"
    rf"|[a-zA-Z][a-zA-Z0-9-]*(?:\.[a-zA-Z0-9-]+)*\."
    rf"(?:[a-z]{{2}}/{_REST}|(?i:com|net|org)(?![a-zA-Z0-9-])(?:[/?#:]{_REST})?))"
)
_LETTER = re.compile(r"[^\W\d_]")


def without_addresses(text: str) -> str:
    """
    >>> without_addresses("1234 Www.joes1999.com:80"), without_addresses("is1234.Thanks")
    ('1234  ', 'is1234.Thanks')
    >>> without_addresses("www.example.com.1234"), without_addresses("ok.thanks/1234")
    (' .1234', 'ok.thanks/1234')
    """
    return _ADDRESS.sub(lambda found: found[0] if _is_numeric(found[1]) else " ", text)


def _is_numeric(name: str | None) -> bool:
    """Whether what follows an @ has no letter, so that it is no name; None: it is a link."""
    return name is not None and not _LETTER.search(name)
