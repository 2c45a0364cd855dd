"""What is wanted of traders now, from their controls, configurations and records."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from traders.controls import facts, queries, rules
from traders.controls.rules import TraderFacts, WantedState
from traders.database.among import among
from traders.models import TraderConfig
from traders.schema.settings.stored import Spec, StoredConfig
from traders.schema.settings.trader import TraderSpec
from traders.versions import services as configs
from traders.versions.rules.errors import UnknownConfig


def wanted_of(trader_ids: Collection[str], now: datetime | None = None) -> dict[str, WantedState]:
    """{trader_id: what is wanted of it}; of those that exist. Six statements, however many traders."""
    # Without the whole configurations: a list asks for many, and another program may have stored anything in them.
    found = TraderConfig.objects.filter(among("pk", trader_ids)).annotate(starts=queries.STARTS)
    traders = {
        row.pk: row for row in found.values_list("pk", "retired", "decision_interval_seconds", "starts", named=True)
    }
    holding = facts.holding(list(traders)) if facts.is_installed() else None
    return wanted_of_rows(traders, holding, now or timezone.now())


def wanted_of_rows(
    traders: Mapping[str, Any], holding: Collection[str] | None, now: datetime
) -> dict[str, WantedState]:
    """As `wanted_of`, of rows with `starts` (`queries.STARTS`). `holding`: those with an open position, None where no
    record is installed. Four statements."""
    rows = queries.that_count(list(traders), now)
    pins = {trader_id: pin for trader_id in traders if (pin := rules.pin_in_force(rows[trader_id], now)) is not None}
    in_force = configs.versions({trader_id: pin.version for trader_id, pin in pins.items() if pin.version is not None})
    equities = facts.equity_moments(traders)
    unsettled = facts.unsettled_differences(traders)
    found = {}
    for trader_id, trader in traders.items():
        flat = in_force[trader_id].flat if trader_id in in_force else None
        # None of a configuration that another program stored: then only the shortest time counts.
        interval = flat["detail.llm.decision_interval_seconds"] if flat else trader.decision_interval_seconds or 0
        known = TraderFacts(
            auto_start=bool(flat["detail.auto_start"]) if flat else trader.starts,
            retired=trader.retired,
            is_flat=None if holding is None else trader_id not in holding,
            equity_is_stale=rules.equity_is_stale(equities.get(trader_id), decision_interval_seconds=interval, now=now),
            differences=unsettled.get(trader_id, 0),
            trader_id=trader_id,
            decision_interval_seconds=interval,
        )
        found[trader_id] = rules.wanted(rows[trader_id], known, now)
    return found


def wanted_of_one(trader_id: str, now: datetime | None = None) -> WantedState:
    """Raises UnknownConfig."""
    found = wanted_of([trader_id], now).get(trader_id)
    if found is None:
        raise UnknownConfig(trader_id)
    return found


def pinned_among(trader_ids: Collection[str]) -> dict[str, StoredConfig]:
    """{trader_id: its pinned version}, of those that are pinned."""
    pins = queries.pinned_versions(trader_ids)
    return configs.versions(pins) if pins else {}


def spec_to_run(pinned: StoredConfig, newest: StoredConfig) -> Spec:
    """A pinned version runs whole, but a retirement holds whatever is pinned."""
    spec = pinned.spec
    if isinstance(spec, TraderSpec) and isinstance(newest.spec, TraderSpec):
        detail = spec.detail.model_copy(update={"retired": newest.spec.detail.retired})
        return spec.model_copy(update={"detail": detail})
    return spec
