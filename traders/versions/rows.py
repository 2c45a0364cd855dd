"""Rows of the config and version tables -> StoredConfig."""

from __future__ import annotations

from typing import Any

from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.stored import Spec, StoredConfig
from traders.schema.settings.trader import TraderSpec
from traders.schema.settings.upgrade import lift_fleet_detail, lift_trader_detail

TRADER_COLUMNS = ("id", "exchange_provider", "market_provider", "allocation_pct", "detail")


def trader_spec(row: Any) -> TraderSpec:
    """`row` is a TraderConfig or one of its versions. Raises pydantic.ValidationError for a foreign shape."""
    return TraderSpec.model_validate(
        {name: getattr(row, name) for name in TRADER_COLUMNS} | {"detail": lift_trader_detail(row.detail)}
    )


def fleet_spec(row: Any) -> FleetSpec:
    return FleetSpec.model_validate({"detail": lift_fleet_detail(row.detail)})


def stored(version_row: Any) -> StoredConfig:
    """A row of trader_config_versions or manager_config_versions."""
    spec: Spec = trader_spec(version_row) if hasattr(version_row, "exchange_provider") else fleet_spec(version_row)
    return StoredConfig(
        version=version_row.version,
        spec=spec,
        changed_at=version_row.history_date,
        changed_by=version_row.history_user_id,
        reason=version_row.history_change_reason,
        source=version_row.source,
        change_set=version_row.change_set,
        changed_fields=tuple(version_row.changed_fields),
        account_id=version_row.account_id,
    )
