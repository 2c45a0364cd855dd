"""The fleet's own settings: the `manager:` and `monitoring:` sections of manager.yaml, in `manager_config.detail`."""

from __future__ import annotations

from typing import ClassVar, Literal

from traders.schema.messages import _
from traders.schema.settings.declare import (
    Integer,
    Line,
    Number,
    Riskier,
    SettingGroup,
    SettingKind,
    SettingsSection,
    setting,
)
from traders.schema.settings.extra import Extra

FLEET_SCHEMA_VERSION: Literal[1] = 1

FLEET_ID = "@manager"
"""Stands beside the ids of traders wherever configurations are told apart; no trader can have it."""


class ManagerSection(SettingsSection):
    group: ClassVar = SettingGroup.FLEET
    yaml_prefix: ClassVar = "manager"

    total_equity_usd: Number = setting(
        0,
        label=_("Total equity"),
        help=_("The fleet's capital, of which each trader has its allocation."),
        unit="USD",
        riskier=Riskier.HIGHER,
        ge=0,
        le=1_000_000_000_000,
        decimal_places=8,
        validate_default=True,
    )
    reserve_equity_pct: Number = setting(
        0,
        label=_("Reserve"),
        help=_("Share of the equity that no trader may be given."),
        unit="%",
        riskier=Riskier.LOWER,
        ge=0,
        le=100,
        decimal_places=2,
        validate_default=True,
    )
    allocation_strategy: Line = setting(
        "", label=_("Allocation strategy"), help=_("A name the engine knows; free text here."), max_length=100
    )
    rebalance_interval_seconds: Integer = setting(
        3600,
        label=_("Rebalance interval"),
        help=_("Time between two rebalancings of the fleet."),
        unit="s",
        kind=SettingKind.DURATION,
        yaml="rebalance_interval",
        ge=1,
        le=30 * 86400,
    )
    state_storage_backend: Line = setting(
        label=_("State storage"),
        help=_("Where an engine keeps its own state, such as file."),
        min_length=1,
        max_length=100,
    )
    state_storage_path: Line = setting(
        label=_("State storage path"),
        help=_("Relative to the directory of manager.yaml."),
        min_length=1,
        max_length=500,
    )


class MonitoringSection(SettingsSection):
    group: ClassVar = SettingGroup.MONITORING
    yaml_prefix: ClassVar = "monitoring"

    update_interval_seconds: Integer = setting(
        30,
        label=_("Update interval"),
        help=_("Time between two updates of the metrics."),
        unit="s",
        kind=SettingKind.DURATION,
        yaml="update_interval",
        ge=1,
        le=86400,
    )
    alert_webhook: Line = setting(
        "",
        label=_("Alert webhook"),
        help=_("Where alerts go; write ${VARIABLE} for an address that holds a token."),
        max_length=1000,
    )
    metrics_exporter: Line = setting(
        label=_("Metrics exporter"), help=_("Such as prometheus."), min_length=1, max_length=100
    )


class FleetDetail(SettingsSection):
    """The JSONB `detail` of `manager_config`."""

    group: ClassVar = SettingGroup.FLEET

    schema_version: Literal[1] = FLEET_SCHEMA_VERSION
    manager: ManagerSection
    monitoring: MonitoringSection
    extra: Extra = setting(
        default={},
        label=_("Extra"),
        help=_("Extension keys as JSON; nothing here is interpreted."),
        kind=SettingKind.EXTRA,
        group=SettingGroup.EXTRA,
    )


class FleetSpec(SettingsSection):
    """The fleet's whole configuration, without its version."""

    group: ClassVar = SettingGroup.FLEET

    detail: FleetDetail
