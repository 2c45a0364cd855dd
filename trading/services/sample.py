"""A sample fleet: made, and taken away again."""

from __future__ import annotations

from collections.abc import Callable

from trading.repositories import sample, sample_configs, sample_removal
from trading.sample.fleet import fleet_of
from trading.sample.plan import SamplePlan
from trading.services import live


def generate(plan: SamplePlan, done: Callable[[int], None] = lambda count: None) -> dict[str, int]:
    """{table: rows}, all of them or none. `done` hears after each trader how many there are.

    Raises SampleExists where there is one already, and ValueError when the trades do not fit into the days.
    """
    rows = sample.load(fleet_of(plan), done).rows
    live.fleet_changed()
    return rows


def exists() -> bool:
    return bool(sample_configs.ids())


def remove() -> dict[str, int]:
    """{table: rows removed}; empty where there is no sample."""
    rows = sample_removal.remove()
    if rows:
        live.fleet_changed()
    return rows
