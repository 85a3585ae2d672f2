"""Where webhooks may go: the guard against requests into the service's own network (SSRF)."""

from __future__ import annotations

import ipaddress
import socket

Address = tuple[socket.AddressFamily, str]
"""Address family and IP address."""


class ForbiddenAddress(OSError):  # noqa: N818 - says what the address is
    """A host name leads into a private network, where webhooks may not go."""


def resolve(host: str, port: int, *, allow_private: bool) -> list[Address]:
    """Addresses of a host, of which every one may be connected to.

    The caller connects to these and not to the name, which may lead elsewhere a moment later.
    Raises :class:`ForbiddenAddress`, or ``OSError`` for an unknown name.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    addresses: list[Address] = [(family, str(where[0])) for family, _, _, _, where in found]
    if not allow_private:
        for _, address in addresses:
            if not is_public(address):
                raise ForbiddenAddress("the address is not public")
    return addresses


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet, also behind IPv6 wrappings of IPv4."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    inner = _inner(parsed) if isinstance(parsed, ipaddress.IPv6Address) else None
    if inner is not None:
        return is_public(str(inner))
    return parsed.is_global and not (parsed.is_multicast or parsed.is_reserved)


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address in _NAT64:
        return ipaddress.IPv4Address(address.packed[-4:])
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
