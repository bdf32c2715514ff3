"""Addresses that exist on one machine only: there a cloud hands out the credentials of whoever asks."""

import ipaddress
import socket

_AWS = ipaddress.ip_address("fd00:ec2::254")


def is_link_local(host: str) -> bool:
    """Whether a host's name or number leads to such an address; not where it leads nowhere."""
    try:
        found = {str(answer[4][0]).partition("%")[0] for answer in socket.getaddrinfo(host, None)}
    except (OSError, UnicodeError):
        return False
    addresses = [ipaddress.ip_address(address) for address in found]
    addresses += [address.ipv4_mapped for address in addresses if address.version == 6 and address.ipv4_mapped]
    return any(address.is_link_local or address == _AWS for address in addresses)
