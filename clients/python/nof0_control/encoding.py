"""Values as they go over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any


def decode(content: bytes) -> Any:
    return json.loads(content, parse_float=Decimal)


def encode(value: Any) -> str:
    """JSON in which a Decimal is a number with all its digits."""
    if isinstance(value, Decimal):
        if not value.is_finite():
            raise ValueError(f"{value} is no number in JSON")
        return str(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(str(key))}:{encode(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(encode, value)) + "]"
    return json.dumps(value, allow_nan=False)


def given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def moment(at: datetime) -> str:
    if at.tzinfo is None:
        raise ValueError(f"{at} needs a time zone")
    return at.isoformat()


def flag(is_set: bool) -> str:
    return "true" if is_set else "false"
