"""What a reader of the live store gets: never a number whose age it does not know."""

from __future__ import annotations

from typing import Generic, TypeVar

import msgspec

V = TypeVar("V")


class FreshValue(msgspec.Struct, Generic[V], frozen=True):
    value: V
    age_seconds: float


class StaleValue(msgspec.Struct, Generic[V], frozen=True):
    """Older than its key allows: to be shown with its age, or not at all."""

    value: V
    age_seconds: float


class MissingValue(msgspec.Struct, frozen=True):
    """Nothing is stored, or with `unavailable` Redis does not answer."""

    unavailable: bool = False


class CorruptValue(msgspec.Struct, frozen=True):
    """Something is stored that is no value of this key. It was counted and logged."""

    reason: str


Answer = FreshValue[V] | StaleValue[V] | MissingValue | CorruptValue
