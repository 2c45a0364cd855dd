"""Short answers of the server itself: JSON under /api/, else one line of text."""

from __future__ import annotations

import json

from nof0site.serving.body_limits import BodyRefused
from trading.export.public_api.problems import PREFIX, problem

Headers = list[tuple[str, str]]


def refusal(refused: BodyRefused, path: str) -> tuple[str, Headers, bytes]:
    """(status line, headers, content). The connection is closed: the rest of the body is never read."""
    if path.startswith(PREFIX):
        kind, content = "application/json", json.dumps(problem(refused.status, refused.says)).encode()
    else:
        kind, content = "text/plain; charset=utf-8", f"{refused.status.phrase}. {refused.says}\n".encode()
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(content))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Connection", "close"),
    ]
    if refused.retry_seconds is not None:
        headers.append(("Retry-After", str(refused.retry_seconds)))
    return f"{refused.status.value} {refused.status.phrase}", headers, content
