"""PostgreSQL's plain `numeric`: every digit that goes in comes out. DecimalField would round to given digits."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

_MOST_DIGITS = 10_000


class NumericField(models.Field[Any, Any]):
    """Decimal in Python, of any precision."""

    description = "exact number"

    def db_type(self, connection: Any) -> str:
        return "numeric"

    def to_python(self, value: Any) -> Decimal | None:
        """Raises ValidationError for what is no number, and for one that PostgreSQL's numeric does not hold."""
        if value is None or isinstance(value, Decimal):
            return value
        try:
            found = Decimal(str(value))
        except InvalidOperation:
            raise ValidationError("no number") from None
        if found.is_snan() or (found.is_finite() and abs(found.adjusted()) > _MOST_DIGITS):
            raise ValidationError("no number")
        return found

    def get_prep_value(self, value: Any) -> Decimal | None:
        return self.to_python(super().get_prep_value(value))
