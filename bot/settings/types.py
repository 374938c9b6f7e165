"""What the values of settings may look like: each type reads one form and refuses all others, with
a few words that `settings.py` puts into a line. The words never repeat the value: some are secrets.
"""

import re
from ipaddress import ip_address
from typing import Annotated, Any
from urllib.parse import urlsplit

from limits import parse_many
from pydantic import AfterValidator, BeforeValidator

from bot import wording
from bot.domain import phone
from bot.domain.limits import Limit
from bot.domain.reply import QUOTE_LENGTH


def _base_url(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("it is no http or https address")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("it may hold no user, query or fragment")
    try:
        _ = parts.port
    except ValueError:
        raise ValueError("its port is no port") from None
    if "_" in parts.hostname:
        raise ValueError("Twilio refuses a host name with an underscore (its error 21609)")
    return url.rstrip("/")


def _api_base_url(url: str) -> str:
    base_url = _base_url(url)
    parts = urlsplit(base_url)
    if parts.scheme == "http" and not _is_loopback(parts.hostname or ""):
        raise ValueError("plain http is for this machine alone; use https")
    return base_url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def matching(pattern: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(pattern, value):
            raise ValueError("it has another form")
        return value

    return AfterValidator(check)


def _comma_list(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


SHORTEST_KEY = 16  # characters; a random one of these has 95 bits and more
FEWEST_LETTERS = 6  # different ones: what has fewer was typed, not drawn
_WELL_KNOWN = re.compile(
    r"(change.?me|secret|password|example|placeholder|your.?key|0123456789abcdef|1234567890)+[\W\d]*",
    re.IGNORECASE,
)


def _hard_to_guess(key: str) -> str:
    if len(key) < SHORTEST_KEY:
        raise ValueError(f"it is shorter than {SHORTEST_KEY} characters")
    if len(set(key)) < FEWEST_LETTERS or _WELL_KNOWN.fullmatch(key):
        raise ValueError("everybody would guess it")
    return key


def _all_hard_to_guess(values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_hard_to_guess(value) for value in values)


def _all_filled(values: tuple[str, ...]) -> tuple[str, ...]:
    if not all(values):
        raise ValueError("one of the values between its commas is empty")
    return values


def _named_keys(value: Any) -> Any:
    """`name:key,name:key` as pairs of name and key. Keys without names, one or several, are of one
    caller without a name; so are several of one name."""
    if not isinstance(value, str):
        return value
    pairs = [part.strip().partition(":") for part in value.split(",")]
    if not any(colon for _, colon, _ in pairs):
        return [("", key) for key, _, _ in pairs]
    return [(name.strip(), key.strip()) for name, _, key in pairs]


def _well_named(keys: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    names = {name for name, _ in keys}
    if names != {""} and not all(re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name) for name in names):
        raise ValueError(
            "either none of its keys has a name, or each has one of letters, digits, - and _"
        )
    for _, key in keys:
        _hard_to_guess(key)
    return keys


def _database_url(url: str) -> str:
    if url.startswith(("postgresql://", "postgres://")):
        return url
    if not url.startswith("sqlite:///") or len(url) == len("sqlite:///"):
        raise ValueError("it is of no database that Textback knows")
    return url


def _challenge_text(template: str) -> str:
    unknown = wording.fields(template) - wording.FIELDS
    if unknown:
        raise ValueError(f"it has no field {{{sorted(unknown)[0]}}}")
    if "code" not in wording.fields(template):
        raise ValueError("{code} is missing")
    if wording.fixed_length(template) < QUOTE_LENGTH:
        raise ValueError(
            f"it needs {QUOTE_LENGTH} fixed characters in a row, or a quote cannot be told from"
            " an answer"
        )
    return template


def _countries(codes: tuple[str, ...]) -> tuple[str, ...]:
    if codes == ("*",):
        return codes
    unknown = [code for code in codes if not phone.is_country(code)]
    if unknown:
        raise ValueError(f"{unknown[0]} is no country")
    return codes


def limits(name: str) -> BeforeValidator:
    """The notation of the `limits` library, `5/10 minutes; 10/day`; nothing: no limit."""

    def parse(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        parsed = parse_many(value) if value.strip() else []
        if any(item.amount < 1 for item in parsed):
            raise ValueError("a limit lets at least one through")
        if any(item.amount > 10**6 or item.get_expiry() > 366 * 24 * 3600 for item in parsed):
            raise ValueError("a limit lets at most a million through, and looks back a year")
        return tuple(Limit(name, item.amount, item.get_expiry()) for item in parsed)

    return BeforeValidator(parse)


Values = Annotated[tuple[str, ...], BeforeValidator(_comma_list), AfterValidator(_all_filled)]
BaseUrl = Annotated[str, AfterValidator(_base_url)]
ApiBaseUrl = Annotated[str, AfterValidator(_api_base_url)]
SecretKey = Annotated[str, AfterValidator(_hard_to_guess)]
SecretKeys = Annotated[Values, AfterValidator(_all_hard_to_guess)]
NamedKeys = Annotated[
    tuple[tuple[str, str], ...], BeforeValidator(_named_keys), AfterValidator(_well_named)
]
DatabaseUrl = Annotated[str, AfterValidator(_database_url)]
ChallengeText = Annotated[str, AfterValidator(_challenge_text)]
Countries = Annotated[Values, AfterValidator(_countries)]
