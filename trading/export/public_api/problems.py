"""The form of every answer under /api/ that is none."""

from __future__ import annotations

from http import HTTPStatus

PREFIX = "/api/"


def problem(status: HTTPStatus, says: str) -> dict[str, str]:
    return {"error": status.phrase, "detail": says}
