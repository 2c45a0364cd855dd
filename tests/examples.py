"""How many examples a property test tries, where the profile's number is too many."""

from __future__ import annotations

from hypothesis import settings


def few_examples() -> settings:
    """A third of the profile's: for tests that ask many pages with each example."""
    return settings(settings(), max_examples=settings().max_examples // 3)
