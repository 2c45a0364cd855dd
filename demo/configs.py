"""The configurations of the sample fleet with an invented history, and invented reports of engines.

Their versions lie in the past, so `traders.versions.dated` writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.contrib.auth import get_user_model

from demo.sample.fleet import SampleTrader
from demo.sample.ledger import STARTING_EQUITY
from demo.sample.plan import RESERVE_PCT
from demo.sample.prompts import all_prompts
from demo.sample.runtime import SampleCooldown, SampleReport
from demo.sample.versions import FIRST, SampleVersion
from traders.schema.settings.fleet import FleetDetail, ManagerSection, MonitoringSection
from traders.versions import writer
from traders.versions.dated import writer as dated
from traders.versions.dated.writer import DatedCooldown, DatedReport, DatedVersion
from traders.versions.lock import locked_fleet


@dataclass(frozen=True)
class Head:
    """The data of a trader that is kept until the configurations are written."""

    trader_id: str
    versions: Sequence[SampleVersion]
    report: SampleReport | None
    cooldowns: Sequence[SampleCooldown]

    @classmethod
    def of(cls, trader: SampleTrader) -> Head:
        return cls(trader.id, trader.versions, trader.report(), trader.cooldowns())


def write(heads: Sequence[Head]) -> dict[str, int]:
    """{table: rows written}, in the caller's transaction. What was changed together is one change set."""
    versions = [(head.versions[0], version) for head in heads for version in head.versions]
    accounts = _accounts({version.actor for _, version in versions})
    with locked_fleet() as fleet:
        sets = _change_sets([version for _, version in versions])
        if fleet.settings is None:
            _write_fleet(heads[0].versions[0], sets[FIRST])
        _write_prompts([version for _, version in versions])
        dated.write_histories([_history(head.versions, sets, accounts) for head in heads])
        _write_runtime(heads)
    return {"trader_config": len(heads), "trader_config_versions": len(versions)}


def fleet_detail(allocation_pct: Decimal) -> FleetDetail:
    """The fleet's settings, with an equity of which each trader's share is its initial equity."""
    return FleetDetail(
        manager=ManagerSection(
            total_equity_usd=round(STARTING_EQUITY * 100 / allocation_pct, 2),
            reserve_equity_pct=RESERVE_PCT,
            allocation_strategy="equal_shares",
            rebalance_interval_seconds=7200,
            state_storage_backend="file",
            state_storage_path="../data/manager_state.json",
        ),
        monitoring=MonitoringSection(update_interval_seconds=30, metrics_exporter="prometheus"),
    )


def _write_fleet(first: SampleVersion, change_set: int) -> None:
    """On the traders' first day, so that the fleet can be looked at, exported and restored as of any day since."""
    dated.write_first_settings(
        fleet_detail(first.spec.allocation_pct),
        at=first.at,
        actor=first.actor,
        source=first.source,
        reason=first.reason,
        change_set=change_set,
    )


def _write_prompts(versions: Sequence[SampleVersion]) -> None:
    since: dict[str, datetime] = {}
    for version in versions:
        prompts = version.spec.detail.prompts
        for digest in filter(None, (prompts.system_sha256, prompts.executor_sha256)):
            since[digest] = min(since.get(digest, version.at), version.at)
    texts = all_prompts()
    dated.write_prompts((texts[digest], at) for digest, at in sorted(since.items()))


def _accounts(names: set[str]) -> dict[str, int]:
    """{name: id} of the actors that have an account."""
    return dict(get_user_model().objects.filter(username__in=names).values_list("username", "pk"))


def _change_sets(versions: Sequence[SampleVersion]) -> dict[str, int]:
    """{name: number}, in order of time, as the change log expects."""
    in_time = sorted(versions, key=lambda version: (version.at, version.change_set))
    return {name: writer.next_change_set() for name in dict.fromkeys(version.change_set for version in in_time)}


def _history(
    versions: Sequence[SampleVersion], sets: Mapping[str, int], accounts: Mapping[str, int]
) -> list[DatedVersion]:
    first = versions[0]
    return [
        DatedVersion(
            spec=version.spec,
            number=version.number,
            changed_fields=version.changed_fields,
            reason=version.reason,
            actor=version.actor,
            account_id=accounts.get(version.actor),
            source=version.source,
            change_set=sets[version.change_set],
            at=version.at,
            first_at=first.at,
            created_by=first.actor,
        )
        for version in versions
    ]


def _write_runtime(heads: Sequence[Head]) -> None:
    """Updates the rows that the database made for each trader with their reports."""
    dated.write_reports(
        DatedReport(head.trader_id, report.active_version, report.is_running, report.detail, report.at)
        for head in heads
        if (report := head.report)
    )
    dated.write_cooldowns(
        DatedCooldown(head.trader_id, cooldown.symbol, cooldown.until, cooldown.detail, cooldown.since)
        for head in heads
        for cooldown in head.cooldowns
    )
