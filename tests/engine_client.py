"""An engine as it meets the site: JSON out, JSON in, digit for digit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.test import Client

from traders.schema import jsonio

PREFIX = "/api/v1"


@dataclass(frozen=True)
class Reply:
    """`body` is without `server_time_ms`, which no two answers share."""

    status: int
    body: Any
    headers: Any
    server_time_ms: int | None = None


@dataclass(frozen=True)
class Engine:
    """`token` empty: none is sent."""

    token: str

    def get(self, path: str, **headers: str) -> Reply:
        return self.send("GET", path, **headers)

    def put(self, path: str, body: Any) -> Reply:
        return self.send("PUT", path, body)

    def patch(self, path: str, body: Any) -> Reply:
        return self.send("PATCH", path, body)

    def post(self, path: str, body: Any) -> Reply:
        return self.send("POST", path, body)

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Reply:
        """A body that is a text is sent as it is."""
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        answer: Any = Client(raise_request_exception=False).generic(
            method,
            PREFIX + path,
            data=body if isinstance(body, str) else "" if body is None else jsonio.dumps(body),
            content_type="application/json",
            headers=headers,
        )
        is_json = answer.content and answer.headers.get("Content-Type", "").startswith("application/json")
        found = jsonio.loads(answer.content) if is_json else answer.content
        at = found.pop("server_time_ms", None) if isinstance(found, dict) else None
        return Reply(answer.status_code, found, answer.headers, at)
