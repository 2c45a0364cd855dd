"""Stored and new versions of configurations as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from traders.schema.paths import Change, Flat, flatten
from traders.schema.settings.fleet import FLEET_ID, FleetSpec
from traders.schema.settings.trader import TraderSpec
from traders.schema.settings.upgrade import lift_fleet_detail, lift_trader_detail

TRADER_COLUMNS = ("id", "exchange_provider", "market_provider", "allocation_pct", "detail")

Spec = TraderSpec | FleetSpec


def flat_of(spec: Spec) -> Flat:
    """Every path of a validated configuration."""
    return flatten(spec.model_dump())


def trader_spec(row: Any) -> TraderSpec:
    """`row` is a TraderConfig or one of its versions. Raises pydantic.ValidationError for a foreign shape."""
    return TraderSpec.model_validate(
        {name: getattr(row, name) for name in TRADER_COLUMNS} | {"detail": lift_trader_detail(row.detail)}
    )


def fleet_spec(row: Any) -> FleetSpec:
    """`row` is a ManagerConfig or one of its versions. Raises as `trader_spec`."""
    return FleetSpec.model_validate({"detail": lift_fleet_detail(row.detail)})


def spec_of_row(row: Any) -> Spec:
    """The configuration that a row of either table or of its versions holds. Raises as `trader_spec`."""
    return trader_spec(row) if hasattr(row, "exchange_provider") else fleet_spec(row)


def id_of(spec: Spec) -> str:
    """A trader's id, or "@manager" for the fleet's settings."""
    return spec.id if isinstance(spec, TraderSpec) else FLEET_ID


@dataclass(frozen=True)
class StoredConfig:
    """One version of one configuration. `changed_at`, `changed_by` and `account_id` are of this version: the name at
    the time, and the account that had it (None for a command, a token, or where it is not known)."""

    version: int
    spec: Spec
    changed_at: datetime
    changed_by: str
    reason: str
    source: str
    change_set: int
    changed_fields: tuple[str, ...]
    account_id: int | None = None

    @property
    def config_id(self) -> str:
        return id_of(self.spec)

    @cached_property
    def flat(self) -> Flat:
        return flat_of(self.spec)


@dataclass(frozen=True)
class NewVersion:
    """A version to be written: the whole configuration, what it follows (0 = nothing) and what changed."""

    spec: Spec
    follows: int
    changes: tuple[Change, ...]
    reason: str

    @property
    def config_id(self) -> str:
        return id_of(self.spec)

    @cached_property
    def snapshot(self) -> dict[str, Any]:
        """The whole configuration, nested, as it is stored."""
        return self.spec.model_dump()

    @property
    def changed_fields(self) -> list[str]:
        return [change.path for change in self.changes] if self.follows else []


@dataclass(frozen=True)
class SavedVersion:
    config_id: str
    version: int
    changed_at: datetime
    change_set: int
