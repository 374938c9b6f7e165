"""Addresses of http and https in their one spelling."""

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


def in_one_spelling(url: str) -> str:
    """
    >>> in_one_spelling("HTTPS://App.example.:443?x=1")
    'https://app.example/?x=1'
    """
    parts = urlsplit(url)
    return parts._replace(netloc=authority(parts), path=parts.path or "/").geturl()


def host_of(parts: SplitResult) -> str:
    """In lower case, without the dot that may end it; an address in its shortest spelling."""
    host = (parts.hostname or "").removesuffix(".")
    return str(ip_address(host)) if is_address(host) else host


def authority(parts: SplitResult) -> str:
    """Host and port in their one spelling, without a port that is the scheme's own."""
    host = host_of(parts)
    shown = f"[{host}]" if ":" in host else host
    is_default = port_of(parts) == DEFAULT_PORTS[parts.scheme]
    return shown if is_default else f"{shown}:{parts.port}"


def port_of(parts: SplitResult) -> int:
    return parts.port or DEFAULT_PORTS[parts.scheme]


def is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
