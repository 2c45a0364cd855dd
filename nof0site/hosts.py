"""Which host names mean this machine alone."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence

from django.core.exceptions import ImproperlyConfigured

ANY = "*"


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


def refuse_unsafe(hosts: Sequence[str], *, debug: bool, allow_any: bool, allow_debug: bool) -> None:
    """Raise ImproperlyConfigured for host names that are invalid or open the site too far."""
    for host in hosts:
        if host == ANY and not allow_any:
            raise ImproperlyConfigured(
                "ALLOWED_HOSTS=* answers to any host name, so other sites can be made to look like this one. Name the "
                "hosts, .example.com for a domain with its subdomains, or set ALLOW_ANY_HOST=1."
            )
        if host != ANY and not _is_name(host):
            raise ImproperlyConfigured(
                f"ALLOWED_HOSTS: {host!r} is not a host name. Write control.example.com, without scheme and port, or "
                ".example.com for a domain with its subdomains."
            )
    if debug and not allow_debug and not only_loopback(hosts):
        raise ImproperlyConfigured(
            "DEBUG=1 shows settings and code to every visitor, and ALLOWED_HOSTS admits other machines. Unset DEBUG, "
            "or set ALLOW_PUBLIC_DEBUG=1."
        )


def _is_name(host: str) -> bool:
    if host.startswith("["):
        return host.endswith("]")
    return not any(character in host for character in "*/:@? ")
