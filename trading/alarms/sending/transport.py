"""POST and GET to an address that somebody wrote into a setting: without redirects, not into the own network, in time.

The name is resolved once, every address of it is checked, and the connection goes to the address that was checked: a
name that resolves otherwise a moment later cannot lead elsewhere.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

DEADLINE_SECONDS = 10.0
"""From the connection to the whole answer, however slowly it comes."""
MOST_ANSWER_BYTES = 4096
_PORTS = {"http": 80, "https": 443}
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Of NAT64 (RFC 6052), and the IPv4-compatible addresses of old.
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("::/96"))


class NotSent(Exception):
    """Says why, without the address, which may hold a secret."""


@dataclass(frozen=True, slots=True)
class ReceiverReply:
    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class PrivateAddresses:
    """The hosts and networks of `ALARM_PRIVATE_ADDRESSES`."""

    hosts: frozenset[str]
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]

    @classmethod
    def of(cls, entries: Sequence[str]) -> PrivateAddresses:
        hosts, networks = set(), []
        for entry in entries:
            try:
                networks.append(ipaddress.ip_network(entry, strict=False))
            except ValueError:
                hosts.add(entry.lower())
        return cls(frozenset(hosts), tuple(networks))

    def admit(self, host: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
        return host.lower() in self.hosts or any(
            address.version == network.version and address in network for network in self.networks
        )


def send(
    method: str, url: str, *, private: PrivateAddresses, body: bytes | None = None, headers: Mapping[str, str]
) -> ReceiverReply:
    """The answer, whatever its status. Raises NotSent."""
    parts = _checked(url)
    host = parts.hostname or ""
    address, is_private = _resolved(host, parts.port or _PORTS[parts.scheme], private)
    if parts.scheme == "http" and not is_private:
        raise NotSent("the address must begin with https")
    connection = _Connection(parts, address)
    watch = threading.Timer(DEADLINE_SECONDS, connection.abort)
    watch.start()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request(method, path, body=body, headers={"User-Agent": "nof0-control", **headers})
        answer = connection.getresponse()
        return ReceiverReply(answer.status, answer.read(MOST_ANSWER_BYTES))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NotSent(_why(error, is_late=connection.is_aborted)) from error
    finally:
        watch.cancel()
        connection.close()


class _Connection(http.client.HTTPConnection):
    """To an address that was checked; TLS proves that it is the host of the URL."""

    def __init__(self, parts: SplitResult, address: str) -> None:
        super().__init__(parts.hostname or "", parts.port or _PORTS[parts.scheme], timeout=DEADLINE_SECONDS)
        self._address, self._is_secure = address, parts.scheme == "https"
        self._open: socket.socket | None = None
        self.is_aborted = False
        # Keeps the port out of the Host header where it is the usual one.
        self.default_port = _PORTS[parts.scheme]

    def connect(self) -> None:
        self._open = self.sock = socket.create_connection((self._address, self.port), self.timeout)
        if self._is_secure:
            secured = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)
            self._open = self.sock = secured

    def abort(self) -> None:
        """From another thread: what waits for the socket fails."""
        self.is_aborted = True
        if self._open is not None:
            with suppress(OSError):
                self._open.shutdown(socket.SHUT_RDWR)


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise NotSent("the address is no URL") from None
    if parts.scheme not in _PORTS or not parts.hostname or port == 0:
        raise NotSent("the address must be a URL that begins with https://")
    if parts.username is not None or parts.password is not None:
        raise NotSent("the address must hold no login")
    if any(character <= " " or character == "\x7f" for character in url):
        raise NotSent("the address must hold no blanks")
    return parts


def _resolved(host: str, port: int, private: PrivateAddresses) -> tuple[str, bool]:
    """(the address to connect to, whether it is a private one that is allowed)."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotSent("the host's name cannot be resolved") from None
    allowed = False
    for *_rest, place in found:
        address = ipaddress.ip_address(str(place[0]).partition("%")[0])
        both = (address, _within(address))
        if all(one.is_global and not one.is_multicast for one in both):
            continue
        if not any(private.admit(host, one) for one in both):
            raise NotSent("the host has a private address, and ALARM_PRIVATE_ADDRESSES does not allow it")
        allowed = True
    return str(found[0][4][0]), allowed


def _within(address: _Address) -> _Address:
    """The IPv4 address that stands in an IPv6 one, to which a gateway would lead; else the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour or address
    is_translated = any(address in network for network in _TRANSLATED)
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if is_translated else address


def _why(error: Exception, *, is_late: bool) -> str:
    if is_late or isinstance(error, TimeoutError):
        return f"no answer within {DEADLINE_SECONDS:.0f} s"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection: {error.reason or type(error).__name__}"
    if isinstance(error, OSError) and error.strerror:
        return f"no connection: {error.strerror}"
    return f"no answer: {type(error).__name__}"
