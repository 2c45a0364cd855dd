"""From an ASGI request to WSGI's environment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from nof0site.serving.headers import wsgi_headers


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
