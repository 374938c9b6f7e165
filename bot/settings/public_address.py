"""The address that Twilio and callers see, and whether Twilio's cloud can call it.

The local simulator can call any address on this machine, so the requirements of Twilio's cloud are
checked only if texts go through the cloud.
"""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from bot.domain.urls import DEFAULT_PORTS, authority, host_of, is_address, port_of
from bot.outbound.addresses import is_public
from bot.settings.types import Unusable

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# Names that no resolver of the internet knows (RFC 6761, RFC 6762, RFC 8375, ICANN's .internal),
# and others that networks use inside.
_INSIDE = re.compile(
    r".*\.(local|internal|localhost|localdomain|lan|home|home\.arpa|corp|intranet|private|test"
    r"|invalid|onion|svc|cluster)"
)
_EXAMPLE = re.compile(
    r"(.*\.)?example(\.com|\.net|\.org)?|(.*[.-])?(your|my)[.-]?(own[.-]?)?"
    r"(domain|host|hostname|server|site|website|company|name|app)([.-].*)?"
)


def base_url(url: str) -> str:
    """An address of http or https, without anything after its path."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Unusable("it is not an http or https address, or its port is not a port") from None
    if parts.scheme not in ("http", "https") or not host:
        raise Unusable("it is not an http or https address")
    if parts.username is not None or "?" in url or "#" in url:
        raise Unusable("it must not contain a user, a query or a fragment")
    if port == 0:
        raise Unusable("its port is not a port")
    if "_" in host:
        raise Unusable("Twilio refuses a host name with an underscore")
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise Unusable("it holds a blank, or a character that must be encoded")
    return url.rstrip("/")


def public_base_url(url: str) -> str:
    """Normalizes the spelling: signatures are computed over it and addresses compared with it."""
    parts = urlsplit(base_url(url))
    if parts.path:
        raise Unusable(
            "it has a path, and Textback serves its pages and routes at / alone: give it a host"
            " name of its own"
        )
    host = host_of(parts)
    if not is_host(host):
        raise Unusable("its host is not a host name")
    return f"{parts.scheme}://{authority(parts)}"


def is_host(host: str) -> bool:
    """Whether it is an address or can be a name."""
    if "%" in host:  # the zone of an address of this machine's own network
        return False
    return is_address(host) or re.fullmatch(rf"({_LABEL}\.)*{_LABEL}", host) is not None


def out_of_reach(url: str) -> Iterator[str]:
    """Why Twilio's cloud cannot call it, or may not."""
    parts = urlsplit(url)
    if parts.scheme == "http":
        yield (
            "it is plain http, so codes, keys and links could be read on the way: Twilio and"
            " callers need https"
        )
    if not _is_on_the_internet(parts.hostname or ""):
        yield (
            "its host is this machine or a name or address inside a network, which Twilio cannot"
            " call"
        )


def warnings(url: str) -> Iterator[str]:
    """Addresses that can be used, but to which replies rarely come."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if _EXAMPLE.fullmatch(host):
        yield "PUBLIC_BASE_URL looks like an example: replace it with your own address."
    elif is_address(host):
        yield (
            "PUBLIC_BASE_URL has an address in place of a host name: Twilio checks the certificate,"
            " and few are made for an address."
        )
    if port_of(parts) not in DEFAULT_PORTS.values():
        yield (
            f"PUBLIC_BASE_URL uses port {parts.port}. A firewall may let Twilio through on 443"
            " only; `flask check --twilio` cannot detect that."
        )


def _is_on_the_internet(host: str) -> bool:
    if is_address(host):
        return is_public(host)
    # A last label of digits is another spelling of an address: 127.1, 0x7f000001.
    last = host.rpartition(".")[2]
    is_odd = re.fullmatch(r"[0-9]+|0x[0-9a-f]*", last)
    return "." in host and not is_odd and not _INSIDE.fullmatch(host)
