"""Old snapshots read with today's schema: each step lifts a `detail` by one schema version.

Version 0 has no `schema_version`: the plan's own shape, without guards, journal, digests of prompts and
extension keys. Version 1 has no limits of losses, errors, symbols and budget. Version 2 of a trader has no terms of
the paper exchange, version 3 does not say whether entries may increase a position. History is never rewritten; the
lifting happens whenever a stored `detail` is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from traders.schema.messages import _

Detail = dict[str, Any]


def _name_the_version(detail: Detail) -> Detail:
    return {**detail, "schema_version": 1}


def _with_guards(detail: Detail) -> Detail:
    """New settings read as their defaults, which switch each guard off."""
    return {**detail, "schema_version": 2}


def _with_paper_terms(detail: Detail) -> Detail:
    """New settings read as their defaults."""
    return {**detail, "schema_version": 3}


def _with_increases(detail: Detail) -> Detail:
    """A new setting reads as its default."""
    return {**detail, "schema_version": 4}


TRADER_STEPS: tuple[Callable[[Detail], Detail], ...] = (
    _name_the_version,
    _with_guards,
    _with_paper_terms,
    _with_increases,
)
FLEET_STEPS: tuple[Callable[[Detail], Detail], ...] = (_name_the_version, _with_guards)


def lift_trader_detail(detail: Mapping[str, Any]) -> Detail:
    """A stored `detail` of any known schema version -> one of today's. Raises ValueError for a newer one."""
    return _lift(detail, TRADER_STEPS)


def lift_fleet_detail(detail: Mapping[str, Any]) -> Detail:
    """As `lift_trader_detail`, for `manager_config.detail`."""
    return _lift(detail, FLEET_STEPS)


def _lift(detail: Mapping[str, Any], steps: tuple[Callable[[Detail], Detail], ...]) -> Detail:
    version = detail.get("schema_version", 0)
    if version > len(steps):
        raise ValueError(
            _(
                "schema version %(version)s is newer than this program's %(count)s; upgrade the program",
                version=version,
                count=len(steps),
            )
        )
    lifted = dict(detail)
    for step in steps[version:]:
        lifted = step(lifted)
    return lifted
