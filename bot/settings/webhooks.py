"""Addresses that receive outcome events, and the secrets that sign the events."""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator

from bot.domain.urls import host_of, in_one_spelling, is_address
from bot.outbound.addresses import ForbiddenAddress, is_loopback_host, require_allowed
from bot.settings.public_address import is_host
from bot.settings.secret import require_itself, weakness
from bot.settings.types import Group, Unusable, Values, rule, secret_setting, setting

MOST_URLS = 5
LONGEST_URL = 500  # characters
SECRET_BYTES = range(24, 65)  # Standard Webhooks 1.0, section on symmetric signatures
MOST_SECRETS = 2  # the new one and, while it is rotated, the old one
_PREFIX = "whsec_"
# No name ends so: it is an address in a spelling such as 0x7f000001 or 127.1.
_NUMBER = re.compile(r"(.*\.)?([0-9]+|0x[0-9a-f]*)")


def _urls(urls: tuple[str, ...]) -> tuple[str, ...]:
    if len(urls) > MOST_URLS:
        raise Unusable(f"it holds more than {MOST_URLS} addresses")
    for url in urls:
        _require_url(url)
    found = tuple(map(in_one_spelling, urls))
    if len(set(found)) != len(found):
        raise Unusable("it has an address more than once")
    return found


def _require_url(url: str) -> None:
    is_printable = url.isascii() and url.isprintable()
    if len(url) > LONGEST_URL or not is_printable or " " in url or "\\" in url:
        raise Unusable(
            f"each address is at most {LONGEST_URL} ASCII characters without blanks and"
            " backslashes; percent-encode others"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Unusable("one of its values is not an address") from None
    if parts.username is not None or parts.password is not None:
        raise Unusable("an address may hold no user or password: events are signed instead")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback_host(host)):
        raise Unusable("an address must begin with https:// (http:// on loopback only)")
    if not host or parts.fragment:
        raise Unusable("an address needs a host and may hold no fragment")
    if re.search(r"[;|]\s*https?://", url):
        raise Unusable("an address holds another one: commas stand between them")
    host = host_of(parts)
    is_odd = _NUMBER.fullmatch(host) and not is_address(host)
    if port == 0 or is_odd or not is_host(host):
        raise Unusable("an address has a port or a host name that cannot be one")


def _key(secret: str) -> bytes:
    """The bytes of a secret; none if it is not the base64 that every library reads. Some refuse a
    missing =, others one too many."""
    written = secret.removeprefix(_PREFIX)
    try:
        key = base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return key if base64.b64encode(key).decode() == written else b""


def _secrets(secrets: tuple[str, ...]) -> tuple[str, ...]:
    if len(secrets) > MOST_SECRETS or len(set(secrets)) != len(secrets):
        raise Unusable("it is one secret, or the new and the old one with a comma between")
    for secret in secrets:
        require_itself(secret)
        if reason := weakness(secret, is_token=False):
            raise Unusable(reason)
        key = _key(secret)
        if not secret.startswith(_PREFIX) or len(key) not in SECRET_BYTES:
            raise Unusable(
                f"a secret is {_PREFIX} and the base64 of {SECRET_BYTES[0]} to {SECRET_BYTES[-1]}"
                " random bytes, in the alphabet with + and / (not - and _), with its = at the end"
            )
        if len(set(key)) < len(key) // 3:
            raise Unusable("it is too regular to be random: draw another")
    return secrets


class WebhookSettings(Group):
    webhook_urls: Annotated[Values, AfterValidator(_urls)] = setting(
        f"up to {MOST_URLS} https addresses with commas between", default=(), repr=False
    )
    webhook_secret: Annotated[Values, AfterValidator(_secrets)] = secret_setting(
        f"{_PREFIX} and the base64 of 24 to 64 random bytes; while it is rotated, new and old with"
        " a comma between",
        default=(),
    )
    webhook_include_number: Literal["yes", "no"] = setting("yes or no", default="no")
    webhook_allow_private: Literal["yes", "no"] = setting("yes or no", default="no")


@rule("webhook_urls", "webhook_secret")
def _signed(settings: WebhookSettings) -> Iterator[str]:
    if settings.webhook_urls and not settings.webhook_secret:
        yield (
            "WEBHOOK_SECRET is not set, but WEBHOOK_URLS is: receivers could not verify that events"
            f" are ours. It should be {_PREFIX} and the base64 of 24 to 64 random bytes."
        )


@rule("webhook_urls", "webhook_allow_private")
def _allowed(settings: WebhookSettings) -> Iterator[str]:
    """Checks addresses that are written as numbers; names are resolved and checked at each call."""
    for url in settings.webhook_urls:
        host = host_of(urlsplit(url))
        try:
            require_allowed(
                host,
                allows_private=settings.webhook_allow_private == "yes",
                allows_loopback=is_loopback_host(host),
            )
        except ForbiddenAddress as error:
            yield f"WEBHOOK_URLS: {error}."
        except ValueError:
            continue  # a name


RULES = (_signed, _allowed)
