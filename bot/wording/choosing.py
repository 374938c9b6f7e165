"""Chooses the language of a verification: the one that the caller asks for, else the operator's
choice for the country of the number, else the default (RFC 4647, section 3.4: lookup)."""

import re
from collections.abc import Collection, Mapping

_SHORTEST_QUALITY = 0.001


def choose(
    asked: str | None,
    *,
    country: str,
    by_country: Mapping[str, str],
    default: str,
    offered: Collection[str],
) -> str:
    """The tag of an offered language. `asked`: a BCP 47 tag or an Accept-Language value.

    >>> choose("fr-CA, en;q=0.5", country="US", by_country={}, default="en", offered=["en", "fr"])
    'fr'
    """
    for wanted in (asked, by_country.get(country)):
        found = wanted and lookup(wanted, offered)
        if found:
            return found
    return default


def lookup(ranges: str, offered: Collection[str]) -> str | None:
    """The offered tag that the first matching range selects. Each range is cut from its end until a
    tag matches. None: no range matches.

    >>> lookup("zh-TW", ["zh-Hans", "zh-Hant"]), lookup("es-MX", ["es"]), lookup("tlh", ["en"])
    ('zh-Hant', 'es', None)
    >>> lookup("zh-HK", ["zh-Hant", "zh-HK"]), lookup("nn-NO", ["nb", "nn"])
    ('zh-HK', 'nn')
    """
    by_lower = {tag.lower(): tag for tag in offered}
    for wanted in _in_order(ranges):
        tag = _MACROLANGUAGE.sub("", wanted, count=1)
        while tag:
            named = tag if tag in by_lower else _ALIASES.get(tag, tag)
            if named in by_lower:
                return by_lower[named]
            tag = _shortened(tag)
    return None


def _shortened(tag: str) -> str:
    """Removes the last subtag, and a single-letter subtag that would then be last."""
    rest = tag.rpartition("-")[0]
    return rest[:-2] if len(rest) > 1 and rest[-2] == "-" else rest


def _in_order(ranges: str) -> list[str]:
    """Ranges by their weight, the heaviest first; `*` and weight 0 ask for nothing."""
    preferences: list[tuple[float, str]] = []
    for part in ranges.split(","):
        tag, _, weight = part.partition(";")
        quality = re.search(r"q=([01](?:\.\d{0,3})?)", weight, re.IGNORECASE)
        share = float(quality[1]) if quality else 1.0
        if tag.strip() != "*" and share >= _SHORTEST_QUALITY:
            preferences.append((share, tag.strip().lower()))
    return [tag for _, tag in sorted(preferences, key=lambda pair: -pair[0])]


# Tags that people ask for whose language has two scripts or another name (CLDR, likely subtags and
# aliases), without the prefix of a macrolanguage: zh-cmn-TW is cmn-TW.
_ALIASES = {
    "zh": "zh-hans",
    "zh-cn": "zh-hans",
    "zh-sg": "zh-hans",
    "zh-tw": "zh-hant",
    "zh-hk": "zh-hant",
    "zh-mo": "zh-hant",
    "zh-chs": "zh-hans",
    "zh-cht": "zh-hant",
    "cmn": "zh-hans",
    "cmn-hans": "zh-hans",
    "cmn-hant": "zh-hant",
    "cmn-tw": "zh-hant",
    "cmn-hk": "zh-hant",
    "cmn-mo": "zh-hant",
    "yue": "zh-hant",
    "yue-hans": "zh-hans",
    "yue-cn": "zh-hans",
    "no": "nb",
    "nn": "nb",
    "iw": "he",
    "in": "id",
    "tl": "fil",
    "mo": "ro",
}
_MACROLANGUAGE = re.compile("zh-(?=cmn|yue)")
