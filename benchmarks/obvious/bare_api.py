"""The least a WSGI application can do under the same server: prepared bytes, and 200 or 304."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

_TAG = '"bare"'
_FILE = Path(os.environ["EXPORT_DIR"]) / "current" / "trades.json.gz"
_CONTENT = (_FILE.read_bytes(),)
_KEPT = [("Cache-Control", "public, max-age=10"), ("Vary", "Accept-Encoding"), ("ETag", _TAG)]
_HEADERS = [
    *(("Content-Type", "application/json"), ("Content-Encoding", "gzip"), *_KEPT),
    ("Content-Length", str(len(_CONTENT[0]))),
]


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ.get("HTTP_IF_NONE_MATCH") == _TAG:
        start_response("304 Not Modified", list(_KEPT))
        return (b"",)
    start_response("200 OK", list(_HEADERS))
    return _CONTENT
