"""The errors of a request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class ControlError(Exception):
    """The server refused the request, and would refuse it again. `status` is 0 where no answer came."""

    def __init__(self, status: int, detail: str, body: Mapping[str, Any] | None = None) -> None:
        self.status, self.detail, self.body = status, detail, dict(body or {})
        super().__init__(f"{status}: {detail}" if status else detail)


class BadRequest(ControlError):
    """400, 413, 422: `problems` names each field with what would be right."""

    @property
    def problems(self) -> list[dict[str, str]]:
        return list(self.body.get("problems", []))


class NotAllowed(ControlError):
    """401, 403: the token is unknown, or lacks the scope."""


class NotFound(ControlError):
    """404: no such trader, version or text, or none for this token."""


class Conflict(ControlError):
    """409: other content is recorded under this name, or the cursor belongs to another history."""


class Unavailable(ControlError):
    """The server gave no answer within the time allowed, however often it was asked."""
