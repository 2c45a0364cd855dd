"""Checks that the address can be bound before anything is started."""

from __future__ import annotations

import errno
import socket

from django.core.management.base import CommandError


def require_free(host: str, port: int) -> None:
    """Raise CommandError, with what to do, if the address is taken, not allowed, or not on this machine."""
    address = f"{host}:{port}"
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
            # A server that shares its port binds beside another one, but no socket listens beside a listener.
            probe.listen()
    except socket.gaierror as error:
        raise CommandError(f"HOST={host} is not an address ({error.strerror}). Use 127.0.0.1 or 0.0.0.0.") from error
    except OSError as error:
        raise CommandError(_explanation(error, address, port)) from error


def _explanation(error: OSError, address: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is in use: another program listens at {address}. Choose another port with "
            f"`make run PORT={port + 1}`, or stop a server of this checkout with `make stop`."
        )
    if error.errno == errno.EACCES:
        return f"Port {port} needs rights that this user lacks. Choose one above 1023 with `make run PORT=8000`."
    return f"Cannot listen at {address}: {error.strerror}. Use HOST=127.0.0.1, or an address of this machine."
