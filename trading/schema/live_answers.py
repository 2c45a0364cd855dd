"""What a reader of the live store gets: never a number whose age it does not know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

V = TypeVar("V", covariant=True)


@dataclass(frozen=True, slots=True)
class Fresh(Generic[V]):
    value: V
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Stale(Generic[V]):
    """Older than its key allows: to be shown with its age, or not at all."""

    value: V
    age_seconds: float


@dataclass(frozen=True, slots=True)
class Missing:
    """Nothing is stored, or with `unavailable` Redis does not answer."""

    unavailable: bool = False


@dataclass(frozen=True, slots=True)
class Corrupt:
    """Something is stored that is no value of this key. It was counted and logged."""

    reason: str


Answer = Fresh[V] | Stale[V] | Missing | Corrupt
