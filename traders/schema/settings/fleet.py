"""The fleet's own settings: the `manager:` and `monitoring:` sections of manager.yaml, in `manager_config.detail`."""

from __future__ import annotations

from typing import ClassVar, Literal

from traders.schema.messages import _
from traders.schema.settings.declare import (
    Applies,
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

FLEET_SCHEMA_VERSION: Literal[2] = 2

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
        "",
        label=_("Allocation strategy"),
        help=_("A name the engine knows; free text here. Not used by run_manager."),
        max_length=100,
        applies=Applies.RESTART,
    )
    rebalance_interval_seconds: Integer = setting(
        3600,
        label=_("Rebalance interval"),
        help=_("Time between two rebalancings of the fleet. Not used by run_manager."),
        unit="s",
        kind=SettingKind.DURATION,
        yaml="rebalance_interval",
        ge=1,
        le=30 * 86400,
        applies=Applies.RESTART,
    )
    state_storage_backend: Line = setting(
        label=_("State storage"),
        help=_("Where an engine keeps its own state, such as file. Not used by run_manager."),
        min_length=1,
        max_length=100,
        applies=Applies.RESTART,
    )
    state_storage_path: Line = setting(
        label=_("State storage path"),
        help=_("Relative to the directory of manager.yaml. Not used by run_manager."),
        min_length=1,
        max_length=500,
        applies=Applies.RESTART,
    )
    fleet_max_daily_loss_pct: Number = setting(
        0,
        label=_("Fleet's max daily loss"),
        help=_("At this loss of the whole fleet within the site's day the fleet is stopped; 0 sets no limit."),
        unit="%",
        riskier=Riskier.HIGHER,
        off_at_zero=True,
        ge=0,
        le=100,
        decimal_places=4,
        validate_default=True,
    )
    fleet_max_gross_exposure_x: Number = setting(
        0,
        label=_("Fleet's max gross exposure"),
        help=_(
            "No new entries while all positions together are worth so many times the fleet's equity, and none that "
            "would exceed it; 0 sets no limit."
        ),
        unit=_("x equity"),
        riskier=Riskier.HIGHER,
        off_at_zero=True,
        ge=0,
        le=1000,
        decimal_places=4,
        validate_default=True,
    )
    fleet_max_net_exposure_pct_per_underlying: Number = setting(
        0,
        label=_("Fleet's max net exposure per underlying"),
        help=_(
            "No new entries in an underlying while longs less shorts are worth so much of the fleet's equity, and "
            "none that would exceed it; 0 sets no limit."
        ),
        unit="%",
        riskier=Riskier.HIGHER,
        off_at_zero=True,
        ge=0,
        le=100_000,
        decimal_places=4,
        validate_default=True,
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
        applies=Applies.RESTART,
    )
    alert_webhook: Line = setting(
        "",
        label=_("Alert webhook"),
        help=_("Where alerts go; write ${VARIABLE} for an address that holds a token."),
        max_length=1000,
    )
    metrics_exporter: Line = setting(
        label=_("Metrics exporter"),
        help=_("Such as prometheus. Not used by run_manager."),
        min_length=1,
        max_length=100,
        applies=Applies.RESTART,
    )


class FleetDetail(SettingsSection):
    """The JSONB `detail` of `manager_config`."""

    group: ClassVar = SettingGroup.FLEET

    schema_version: Literal[2] = FLEET_SCHEMA_VERSION
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
