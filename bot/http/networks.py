"""The network of a client's address, by which bounds per client count."""

from ipaddress import ip_address, ip_network


def network(address: str) -> str:
    """The network of an address: a host with one IPv6 address has 2**64 of them. An IPv4 address
    stays, also where IPv6 carries it. A text that is no address comes back unchanged.

    >>> network("2001:db8::7%eth0"), network("::ffff:192.0.2.7"), network("")
    ('2001:db8::/64', '192.0.2.7', '')
    """
    bare = address.partition("%")[0]  # the rest names one of our own interfaces
    try:
        found = ip_address(bare)
    except ValueError:
        return address
    if found.version == 4:
        return bare
    carried = found.ipv4_mapped
    return str(carried) if carried else str(ip_network((bare, 64), strict=False))
