"""From an ASGI request to WSGI's environment.

WSGI writes `X-Forwarded-For` and `X_Forwarded_For` under the same key. A client that sends the second one beside the
proxy's first could replace it. So the rule is applied here, where the names are still known as they were sent.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import IO, Any
from urllib.parse import unquote_to_bytes

# The names that CGI does not prefix.
WITHOUT_PREFIX = ("CONTENT_TYPE", "CONTENT_LENGTH")
# The proxy nearest to the site writes the last line, and a client's own line may stand before it.
LAST_LINE_ONLY = ("X_FORWARDED_PROTO",)


def is_passed_on(name: str) -> bool:
    """Whether a header reaches the application: its name has no underscore. nginx and runserver drop the same ones."""
    return "_" not in name


def wsgi_headers(lines: Iterable[tuple[str, str]]) -> dict[str, str]:
    """{key of WSGI's environment: value} of (name, value) in the order they came; names in any case.

    Lines of the same name are joined by commas (cookies by semicolons), as RFC 9110 defines it, so that no proxy's
    entry of X-Forwarded-For is lost.
    """
    entries: dict[str, str] = {}
    for name, value in lines:
        if not is_passed_on(name):
            continue
        key = name.upper().replace("-", "_")
        separator = "; " if key == "COOKIE" else ", "
        if key not in WITHOUT_PREFIX:
            is_replaced = key in LAST_LINE_ONLY
            key = f"HTTP_{key}"
        else:
            is_replaced = False
        entries[key] = value if is_replaced or key not in entries else f"{entries[key]}{separator}{value}"
    return entries


def environ_of(scope: Mapping[str, Any]) -> dict[str, Any]:
    """Without a body: `with_body` adds it. Texts are bytes read as latin-1, as WSGI wants them."""
    host, port = scope.get("server") or ("", "")
    client = scope.get("client") or ("", "")
    lines = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
    return {
        **wsgi_headers(lines),
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": path_of(scope),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.version": (1, 0),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.input_terminated": True,
    }


def path_of(scope: Mapping[str, Any]) -> str:
    # The scope's own path is decoded as UTF-8, and bytes that are none are lost in it.
    return unquote_to_bytes(scope["raw_path"]).decode("latin-1")


def with_body(environ: dict[str, Any], body: IO[bytes], length: int) -> dict[str, Any]:
    """As if the client had sent the body in one piece, also where it came in chunks."""
    whole = environ | {"wsgi.input": body, "CONTENT_LENGTH": str(length)}
    whole.pop("HTTP_TRANSFER_ENCODING", None)
    whole.pop("HTTP_EXPECT", None)
    return whole
