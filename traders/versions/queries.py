"""Reads of configurations: now, by version, at a moment. Reads only; nothing here locks."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, OuterRef, Q, Subquery, Sum, When
from django.db.models.functions import Greatest

from traders.controls import facts
from traders.database.among import among
from traders.models import ManagerConfigVersion, TraderConfig, TraderConfigVersion, TraderControl
from traders.schema.controls.rows import PIN_KINDS
from traders.schema.settings.fleet import FLEET_ID, FleetSpec
from traders.schema.settings.stored import StoredConfig
from traders.versions import rows
from traders.versions.rules.allocation import Share

_CURRENT = """
SELECT v.* FROM trader_config c JOIN trader_config_versions v ON v.id = c.id AND v.version = c.version
 WHERE %(ids)s::text[] IS NULL OR c.id = ANY (%(ids)s) ORDER BY c.id
"""
_NUMBERED = """
SELECT v.* FROM unnest(%s::text[], %s::int[]) AS n(id, version)
  JOIN trader_config_versions v ON v.id = n.id AND v.version = n.version
"""


def current_traders(ids: Collection[str] | None = None) -> dict[str, StoredConfig]:
    """{trader_id: its latest version}; None means all traders."""
    found = TraderConfigVersion.objects.raw(_CURRENT, {"ids": None if ids is None else list(ids)})
    return {version.id: rows.stored(version) for version in found}


def current_fleet() -> StoredConfig | None:
    version = ManagerConfigVersion.objects.order_by("-version").first()
    return rows.stored(version) if version else None


def current(config_id: str) -> StoredConfig | None:
    """The fleet's settings for "@manager", else the trader's configuration."""
    return current_fleet() if config_id == FLEET_ID else current_traders([config_id]).get(config_id)


def version(config_id: str, number: int) -> StoredConfig | None:
    if config_id == FLEET_ID:
        row = ManagerConfigVersion.objects.filter(version=number).first()
    else:
        row = _of_trader(config_id).filter(version=number).first()
    return rows.stored(row) if row else None


def history(config_id: str, *, before: int | None, limit: int) -> list[StoredConfig]:
    """Versions of one configuration, newest first, of those older than version `before`."""
    found = ManagerConfigVersion.objects.all() if config_id == FLEET_ID else _of_trader(config_id)
    if before is not None:
        found = found.filter(version__lt=before)
    return [rows.stored(row) for row in found.order_by("-version")[:limit]]


def versions(numbers: Mapping[str, int]) -> dict[str, StoredConfig]:
    """{config_id: its version of that number}; what was never there is left out."""
    return {config_id: found for (config_id, _number), found in numbered(numbers.items()).items()}


def numbered(keys: Iterable[tuple[str, int]]) -> dict[tuple[str, int], StoredConfig]:
    """{(config_id, number): that version}; what was never there is left out. At most two statements."""
    wanted = list(keys)
    traders = [key for key in wanted if key[0] != FLEET_ID]
    fleet = [number for config_id, number in wanted if config_id == FLEET_ID]
    found: list[Any] = []
    if traders:
        parameters = [[name for name, _number in traders], [number for _name, number in traders]]
        found += TraderConfigVersion.objects.raw(_NUMBERED, parameters)
    if fleet:
        found += ManagerConfigVersion.objects.filter(version__in=fleet)
    stored = [rows.stored(row) for row in found]
    return {(version.config_id, version.version): version for version in stored}


def traders_at(moment: datetime, ids: Collection[str] | None = None) -> dict[str, StoredConfig]:
    """Each trader's highest version at or before `moment`; traders made later are left out."""
    found = TraderConfigVersion.objects.filter(history_date__lte=moment)
    if ids is not None:
        found = found.filter(id__in=list(ids))
    return {version.id: rows.stored(version) for version in found.order_by("id", "-version").distinct("id")}


def fleet_at(moment: datetime) -> StoredConfig | None:
    row = ManagerConfigVersion.objects.filter(history_date__lte=moment).order_by("-version").first()
    return rows.stored(row) if row else None


def same_id_ignoring_case(trader_id: str) -> str | None:
    """The id as stored, if there is one."""
    return TraderConfig.objects.filter(pk__iexact=trader_id).values_list("pk", flat=True).first()


def all_ids() -> list[str]:
    """Of every trader, in order."""
    return list(TraderConfig.objects.order_by("pk").values_list("pk", flat=True))


def newest_numbers(ids: Collection[str] | None = None) -> dict[str, int]:
    """{trader_id: the number of its newest version}; None means all traders."""
    traders = TraderConfig.objects.order_by("pk")
    return dict((traders if ids is None else traders.filter(among("pk", ids))).values_list("pk", "version"))


def existing_ids(ids: Collection[str]) -> set[str]:
    """Those of these that are ids of traders."""
    return set(TraderConfig.objects.filter(pk__in=list(ids)).values_list("pk", flat=True))


def change_set(
    number: int, *, ids: Collection[str] | None = None, after: str = "", limit: int | None = None
) -> list[tuple[StoredConfig | None, StoredConfig]]:
    """(before, after) of each configuration that the change set changed, the fleet's settings first, then traders
    in order of id; before is None for a new one. Of these only (`ids`), and of those the `limit` past `after`."""
    pairs: list[tuple[StoredConfig | None, StoredConfig]] = []
    for model in (ManagerConfigVersion, TraderConfigVersion):
        changed = model.objects.filter(change_set=number).order_by("id")
        if model is TraderConfigVersion:
            changed = changed.filter(id__gt=after) if ids is None else changed.filter(id__gt=after, id__in=ids)
        elif after or (ids is not None and FLEET_ID not in ids):
            continue
        versions = [rows.stored(row) for row in changed[: None if limit is None else limit - len(pairs)]]
        previous = numbered((new.config_id, new.version - 1) for new in versions)
        pairs += [(previous.get((new.config_id, new.version - 1)), new) for new in versions]
    return pairs


def _of_trader(trader_id: str) -> Any:
    return TraderConfigVersion.objects.filter(id=trader_id)


def shares() -> dict[str, Share]:
    """{trader_id: Share} of all traders."""
    held, none = facts.holding(), Decimal(0)
    found = _with_pinned_pct().order_by().values_list("pk", "allocation_pct", "retired", "pinned_pct")
    return {
        trader_id: Share(allocation_pct, retired, pinned_pct or none, trader_id not in held)
        for trader_id, allocation_pct, retired, pinned_pct in found
    }


def _with_pinned_pct() -> Any:
    """Traders with the allocation of their pinned version, NULL where none is pinned."""
    pins = TraderControl.objects.filter(kind__in=PIN_KINDS)
    last = pins.filter(trader=OuterRef(OuterRef("pk"))).order_by("-id").values("version")[:1]
    pinned = TraderConfigVersion.objects.filter(id=OuterRef("pk"), version=Subquery(last)).order_by()
    # Few traders were ever pinned: they are found once, and only for them the versions are looked up.
    was_pinned = When(pk__in=pins.exclude(trader=None).values("trader"), then=Subquery(pinned.values("allocation_pct")))
    return TraderConfig.objects.annotate(pinned_pct=Case(was_pinned))


@dataclass(frozen=True, slots=True)
class FleetSums:
    """`traders` leaves out the retired, `allocated_pct` those of them that hold nothing any more."""

    traders: int
    retired: int
    allocated_pct: Decimal


def fleet_sums() -> FleetSums:
    """What `shares` add up to, without reading each."""
    counted = Q(retired=False) | Q(pk__in=list(facts.holding()))
    sums = _with_pinned_pct().aggregate(
        traders=Count("pk", filter=Q(retired=False)),
        allocated_pct=Sum(Greatest("allocation_pct", "pinned_pct"), filter=counted, default=Decimal(0)),
        retired=Count("pk", filter=Q(retired=True)),  # the last: the name hides the column from those after it
    )
    return FleetSums(**sums)


def reserve_pct(settings: StoredConfig | None) -> Decimal:
    """0 until the fleet has settings."""
    return (
        settings.spec.detail.manager.reserve_equity_pct
        if settings and isinstance(settings.spec, FleetSpec)
        else Decimal(0)
    )


@dataclass(frozen=True, slots=True)
class NamesInUse:
    exchange_providers: set[str]
    market_providers: set[str]
    models: set[str]


def names_in_use() -> NamesInUse:
    """Providers and models that some trader's current version names."""
    rows = list(TraderConfig.objects.order_by().values("exchange_provider", "market_provider", "model").distinct())
    return NamesInUse(
        exchange_providers={row["exchange_provider"] for row in rows},
        market_providers={row["market_provider"] for row in rows},
        models={row["model"] for row in rows},
    )
