"""Addresses that a call may go to (protection against server-side request forgery).

A URL in a setting can point into the host's own network: at the metadata service of a cloud, which
gives out credentials, or at a database that trusts its network. The resolved address is checked,
not the name. IPv6 has several ways to write an IPv4 address; all are unwrapped.
"""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

Address = IPv4Address | IPv6Address

# Metadata services that no range below covers, as their clouds document them: Microsoft's,
# Alibaba's, Oracle's older one; over IPv6 Amazon's (instances, containers, time, names), Google's,
# Oracle's, Linode's and Scaleway's.
_METADATA = tuple(
    map(
        ip_network,
        ("168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::/32", "fd20:ce::254")
        + ("fd00:c1::a9fe:a9fe", "fd00:a9fe:a9fe::1", "fd00:42::42"),
    )
)
_LOCAL_NAT64 = ip_network("64:ff9b:1::/48")  # RFC 8215: it holds an IPv4 address
_SHORTER_PREFIXES = (48, 56, 64)  # of translators in there, than 96; RFC 6052, section 2.2
_TRANSLATED = ip_network("::ffff:0:0:0/96")  # RFC 2765, deprecated: the same
# Not global, though some versions of Python say so: site-local addresses (RFC 3879), protocol
# assignments (RFC 6890), the relay of 6to4 (RFC 7526), documentation (RFC 9637), segment routing
# (RFC 9602).
_LOCAL = (
    _LOCAL_NAT64,
    _TRANSLATED,
    *map(ip_network, ("fec0::/10", "192.0.0.0/24", "192.88.99.0/24", "3fff::/20", "5f00::/16")),
)
_ISATAP = (0x00005EFE, 0x02005EFE)  # RFC 5214: bits 64 to 95, before an IPv4 address
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
_COMPATIBLE = ip_network("::/96")  # RFC 4291, deprecated: the same


class ForbiddenAddress(Exception):
    """A call may not go to this address."""


def is_loopback_host(host: str) -> bool:
    """Whether the host, as it is written, means this machine.

    >>> [is_loopback_host(host) for host in ("localhost", "127.0.0.1", "::1", "example.com")]
    [True, True, True, False]
    """
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_public(text: str) -> bool:
    """Whether an address is on the public internet.

    >>> [is_public(text) for text in ("1.1.1.1", "10.0.0.1", "169.254.169.254", "::ffff:10.0.0.1")]
    [True, False, False, False]
    """
    try:
        require_allowed(text, allows_private=False)
    except ForbiddenAddress:
        return False
    return True


def require_allowed(text: str, *, allows_private: bool, allows_loopback: bool = False) -> None:
    """Raises ForbiddenAddress. `text`: an address as the resolver gives it. Link-local addresses,
    metadata services and addresses of more than one host are never allowed."""
    for address in _meant(ip_address(text.partition("%")[0])):
        if _is_never_allowed(address):
            raise ForbiddenAddress(f"{address} is link-local, a metadata service or no host")
        if address.is_loopback and allows_loopback:
            continue
        if not _is_global(address) and not allows_private:
            raise ForbiddenAddress(
                f"{address} is private: WEBHOOK_ALLOW_PRIVATE=yes would allow it"
            )


def address_check(
    *, allows_private: bool, allows_loopback: bool, own_port: int
) -> Callable[[str, int], None]:
    """A check of a resolved address and port. Raises ForbiddenAddress."""

    def check(address: str, port: int) -> None:
        require_allowed(address, allows_private=allows_private, allows_loopback=allows_loopback)
        if port == own_port and _is_ours(address):
            raise ForbiddenAddress(f"port {port} of this host is Textback's own")

    return check


def _meant(address: Address) -> list[Address]:
    """The address, and every address of IPv4 that is wrapped in it."""
    if isinstance(address, IPv4Address):
        return [address]
    wrapped = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or (address in _COMPATIBLE and int(address) > 1):
        wrapped.append(IPv4Address(int(address) & 0xFFFFFFFF))
    inner: list[Address] = [found for found in wrapped if found is not None]
    # Judge these wrappers by the address in them alone: Python calls ::ffff:8.8.8.8 private.
    return inner or [address, *_embedded(address)]


def _embedded(address: IPv6Address) -> list[Address]:
    """The addresses of IPv4 that a local network may make of it."""
    is_isatap = int(address) >> 32 & 0xFFFFFFFF in _ISATAP
    found = []
    if is_isatap or address in _TRANSLATED or address in _LOCAL_NAT64:
        found.append(_behind(address, 96))
    if address in _LOCAL_NAT64:  # the prefix is probably longer, and these bits are no address
        others = (_behind(address, length) for length in _SHORTER_PREFIXES)
        found += (inner for inner in others if inner.is_link_local or _is_metadata(inner))
    return [inner for inner in found if not _is_of_this_network(inner)]


def _behind(address: IPv6Address, length: int) -> IPv4Address:
    """The 32 bits behind a prefix, leaving out bits 64 to 71 (RFC 6052, section 2.2)."""
    bits = int(address)
    if length < 96:
        bits = bits >> 64 << 56 | bits & (1 << 56) - 1
        length += 8  # of 128 bits, eight are gone
    return IPv4Address(bits >> (96 - length) & 0xFFFFFFFF)


def _is_global(address: Address) -> bool:
    return address.is_global and not any(address in network for network in _LOCAL)


def _is_never_allowed(address: Address) -> bool:
    return (
        _is_metadata(address)
        or address.is_link_local
        or address.is_multicast
        or address.is_unspecified
        or (isinstance(address, IPv4Address) and address.is_reserved)
        or (isinstance(address, IPv4Address) and _is_of_this_network(address))
    )


def _is_metadata(address: Address) -> bool:
    return any(address in network for network in _METADATA)


def _is_of_this_network(address: IPv4Address) -> bool:
    return int(address) >> 24 == 0


def _is_ours(text: str) -> bool:
    """Whether an interface of this host has the address: only those can be bound to."""
    address = ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    address = mapped or address
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
