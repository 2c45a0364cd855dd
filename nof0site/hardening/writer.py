"""Runs the statements that give and take privileges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import transaction

from traders.database import sql


@contextmanager
def together() -> Iterator[None]:
    """All of it or nothing."""
    with transaction.atomic():
        yield


def run(statements: Sequence[str]) -> None:
    for statement in statements:
        sql.execute(statement)
