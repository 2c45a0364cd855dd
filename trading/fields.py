"""PostgreSQL's plain `numeric`: every digit that goes in comes out. DecimalField would round to given digits."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.db import models


class NumericField(models.Field[Any, Any]):
    """Decimal in Python, of any precision."""

    description = "exact number"

    def db_type(self, connection: Any) -> str:
        return "numeric"

    def to_python(self, value: Any) -> Decimal | None:
        return value if value is None or isinstance(value, Decimal) else Decimal(str(value))

    def get_prep_value(self, value: Any) -> Decimal | None:
        return self.to_python(super().get_prep_value(value))
