"""What a piece of work costs: seconds in all, seconds inside the database, statements, commits."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection


@dataclass
class Cost:
    """`database_seconds` are spent waiting for statements and commits; they are part of `seconds`."""

    seconds: float = 0.0
    database_seconds: float = 0.0
    statements: int = 0
    commits: int = 0


@contextmanager
def metered() -> Iterator[Cost]:
    cost = Cost()

    def timed_statement(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
        cost.statements += 1
        with _adding_to(cost):
            return execute(sql, params, many, context)

    def timed_commit() -> None:
        cost.commits += 1
        with _adding_to(cost):
            commit()

    connection.ensure_connection()
    commit = connection._commit  # type: ignore[attr-defined]
    gc.collect()
    started = time.perf_counter()
    connection._commit = timed_commit  # type: ignore[attr-defined]
    try:
        with connection.execute_wrapper(timed_statement):
            yield cost
    finally:
        del connection._commit  # type: ignore[attr-defined]
        cost.seconds = time.perf_counter() - started


@contextmanager
def _adding_to(cost: Cost) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        cost.database_seconds += time.perf_counter() - started


def median(costs: Iterable[Cost]) -> Cost:
    """The run in the middle, ordered by the time in the database."""
    ordered = sorted(costs, key=lambda cost: cost.database_seconds)
    return ordered[(len(ordered) - 1) // 2]


def percentile(seconds: list[float], share: float) -> float:
    return statistics.quantiles(seconds, n=100, method="inclusive")[round(share * 100) - 1]
