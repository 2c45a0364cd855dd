"""Which host names mean this machine alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host: `localhost`, `*.localhost`, 127.0.0.0/8, ::1."""
    name = host.strip("[]").lower().lstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def only_loopback(hosts: Iterable[str]) -> bool:
    return all(is_loopback(host) for host in hosts)
