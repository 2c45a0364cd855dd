"""Constraints that many tables share: moments within the years of `traders.schema.moments`, and bounded numbers.

PostgreSQL's own infinity and NaN lie outside both. `unless`: rows that the rule leaves alone, such as those that were
set aside.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db.models import CheckConstraint, Q

from traders.schema.moments import EARLIEST, EARLIEST_MS, LATEST, LATEST_MS

NO_ROW = Q()


def moment(table: str, column: str, *, unless: Q = NO_ROW) -> CheckConstraint:
    """A timestamp of a year from 2010 to 2099, or NULL."""
    return _between(table, column, EARLIEST, LATEST, "is_a_moment", unless)


def moment_ms(table: str, column: str, *, unless: Q = NO_ROW) -> CheckConstraint:
    """Milliseconds since 1970 of a year from 2010 to 2099, or NULL."""
    return _between(table, column, EARLIEST_MS, LATEST_MS, "in_milliseconds", unless)


def number(table: str, column: str, low: Decimal, high: Decimal, *, unless: Q = NO_ROW) -> CheckConstraint:
    """A numeric within these bounds, or NULL. NaN is above every bound."""
    return _between(table, column, low, high, "is_a_number", unless)


def _between(table: str, column: str, low: Any, high: Any, rule: str, unless: Q) -> CheckConstraint:
    holds = Q(**{f"{column}__gte": low, f"{column}__lte": high})
    return CheckConstraint(condition=unless | holds if unless else holds, name=f"{table}_{column}_{rule}")
