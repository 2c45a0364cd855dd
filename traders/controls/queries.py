"""Reads of controls and of their acknowledgements."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from django.db.models import BooleanField, Count, Exists, ExpressionWrapper, OuterRef, Q, QuerySet, Subquery

from traders.database.among import among
from traders.models import TraderConfig, TraderControl, TraderControlAck
from traders.schema.actors import RESTORE
from traders.schema.controls.rows import PIN_KINDS, RUN_KINDS, Control, ControlKind

STARTS = ExpressionWrapper(Q(detail__contains={"auto_start": True}), BooleanField())
"""Of a trader: whether its configuration lets it start by itself."""


def watched(trader_ids: Collection[str]) -> QuerySet[TraderConfig]:
    """With what engines reported, without the configurations. `starts` is STARTS; `hears`: its engine has acknowledged
    a control once, so it hears of controls while it runs."""
    heard = TraderControlAck.objects.filter(trader=OuterRef("pk"))
    found = TraderConfig.objects.select_related("runtime_state").filter(pk__in=list(trader_ids)).defer("detail")
    return found.annotate(starts=STARTS, hears=Exists(heard))


def that_count(trader_ids: Collection[str], moment: datetime) -> dict[str, list[Control]]:
    """{trader_id: the rows that decide what is wanted of it at `moment`, the fleet's with them}, in their order. One
    statement; its cost rises with the pauses of a trader, not with all its rows."""
    until = TraderControl.objects.filter(at__lte=moment)
    fleet = until.filter(trader=None).order_by("-id").values("id")[:1]
    pause, resume = Q(kind=ControlKind.PAUSE), until.filter(kind=ControlKind.RESUME, cause=OuterRef("cause"))
    holds = Q(until=None) | Q(until__gt=moment)
    found = until.filter(
        Q(pk__in=Subquery(fleet))
        | Q(among("trader", trader_ids))
        & (
            Q(kind__in=RUN_KINDS) & ~Exists(_later(until.filter(kind__in=RUN_KINDS)))
            | Q(kind__in=PIN_KINDS) & ~Exists(_later(until.filter(kind__in=PIN_KINDS)))
            | pause & holds & ~Exists(_later(resume))
            | Q(kind=ControlKind.CLOSE, until__gt=moment)
            | ~Exists(_later(until))
        )
    )
    rows = [as_control(row) for row in found.order_by("id")]
    of_fleet = [row for row in rows if row.trader_id is None]
    by_trader = {trader_id: list(of_fleet) for trader_id in trader_ids}
    for row in rows:
        if row.trader_id is not None:
            by_trader[row.trader_id].append(row)
    return {trader_id: sorted(of_one, key=lambda row: row.id) for trader_id, of_one in by_trader.items()}


def last_of_fleet() -> Control | None:
    row = TraderControl.objects.filter(trader=None).order_by("-id").first()
    return as_control(row) if row else None


def fleet_stop() -> Control | None:
    """The stop of the fleet that holds now."""
    row = last_of_fleet()
    return row if row is not None and row.kind is ControlKind.STOP else None


def is_stopped_since_a_restore() -> bool:
    """Whether the stop after a restored backup is not released yet. A later stop of the fleet changes nothing."""
    fleet = TraderControl.objects.filter(trader=None)
    released = fleet.filter(kind=ControlKind.RELEASE, id__gt=OuterRef("id"))
    return fleet.filter(kind=ControlKind.STOP, actor=RESTORE).exclude(Exists(released)).exists()


def pinned_versions(trader_ids: Collection[str] | None = None) -> dict[str, int]:
    """{trader_id: its pinned version}, of the traders that are pinned now."""
    last = _pins_in_force()
    if trader_ids is not None:
        last = last.filter(among("trader", trader_ids))
    return {str(row.trader_id): int(row.version or 0) for row in last.only("trader_id", "version")}


def pins_before(moment: datetime) -> list[Control]:
    """The pins in force that were asked for before `moment`, oldest first."""
    return [as_control(row) for row in _pins_in_force().filter(at__lt=moment).order_by("id")]


def closes_of(trader_ids: Collection[str]) -> list[Control]:
    """All closes of these traders, oldest first, those that expired with them."""
    rows = TraderControl.objects.filter(trader__in=list(trader_ids), kind=ControlKind.CLOSE)
    return [as_control(row) for row in rows.order_by("id")]


def all_of(trader_ids: Collection[str]) -> dict[str, list[Control]]:
    """{trader_id: all rows about it and about the fleet, in their order}. One statement."""
    found: dict[str, list[Control]] = {trader_id: [] for trader_id in trader_ids}
    for row in TraderControl.objects.filter(Q(trader=None) | Q(trader__in=list(trader_ids))).order_by("id"):
        for of_one in found.values() if row.trader_id is None else [found[row.trader_id]]:
            of_one.append(as_control(row))
    return found


def first_moments(trader_ids: Collection[str]) -> dict[str, datetime]:
    """{trader_id: when something was first asked of it, or of the fleet}; of those of which something was."""
    rows = TraderControl.objects.order_by("trader_id", "id").distinct("trader_id")
    found = {row.trader_id: row.at for row in rows.filter(Q(trader=None) | Q(trader__in=list(trader_ids)))}
    both = {trader_id: [found[key] for key in (trader_id, None) if key in found] for trader_id in trader_ids}
    return {trader_id: min(moments) for trader_id, moments in both.items() if moments}


def pins_of(trader_ids: Collection[str]) -> list[Control]:
    """All pins and unpins of these traders, oldest first."""
    rows = TraderControl.objects.filter(trader__in=list(trader_ids), kind__in=PIN_KINDS)
    return [as_control(row) for row in rows.order_by("id")]


def pinned_at(trader_id: str, moment: datetime) -> int | None:
    """The version that the trader was held at."""
    pins = TraderControl.objects.filter(trader=trader_id, kind__in=PIN_KINDS, at__lte=moment).order_by("-id")
    return pins.values_list("version", flat=True).first()


def pinned_then(trader_ids: Collection[str], moment: datetime) -> dict[str, int]:
    """{trader_id: the version it was held at}, of those that were pinned at the moment. One statement."""
    pins = TraderControl.objects.filter(trader__in=list(trader_ids), kind__in=PIN_KINDS, at__lte=moment)
    last = pins.order_by("trader_id", "-id").distinct("trader_id")
    return {str(row.trader_id): row.version for row in last if row.version is not None}


def between(trader_id: str, *, since: datetime, until: datetime) -> list[Control]:
    """What decides of the trader at `since`, and every row about it or the fleet up to `until`, in their order."""
    later = TraderControl.objects.filter(Q(trader=trader_id) | Q(trader=None), at__gt=since, at__lte=until)
    return [*that_count([trader_id], since)[trader_id], *map(as_control, later.order_by("id"))]


def about(trader_id: str, *, before: int | None = None, limit: int) -> list[Control]:
    """The trader's rows and the fleet's, newest first."""
    rows = TraderControl.objects.filter(Q(trader=trader_id) | Q(trader=None)).order_by("-id")
    return [as_control(row) for row in (rows if before is None else rows.filter(id__lt=before))[:limit]]


def numbered(ids: Iterable[int]) -> dict[int, Control]:
    return {row.pk: as_control(row) for row in TraderControl.objects.filter(pk__in=list(ids))}


def by_once(trader_id: str | None, once: str) -> Control | None:
    row = TraderControl.objects.filter(trader=trader_id, once=once).first()
    return as_control(row) if row else None


def log() -> QuerySet[TraderControl]:
    """All rows, newest first, for pages."""
    return TraderControl.objects.order_by("-id")


def newest_acks(control_ids: Collection[int]) -> dict[tuple[int, str], TraderControlAck]:
    """{(control, trader): what the engine said last}."""
    rows = TraderControlAck.objects.filter(control__in=control_ids).order_by("control_id", "trader_id", "-id")
    return {(row.control_id, row.trader_id): row for row in rows.distinct("control_id", "trader_id")}


def acknowledged_counts(control_id: int, *, holding: Collection[str]) -> tuple[int, int]:
    """(how many of the running traders' engines have acknowledged it, how many run). A retired trader counts while it
    is among `holding`: nobody reports on one that is flat."""
    running = TraderConfig.objects.filter(runtime_state__is_running=True)
    running = running.filter(Q(retired=False) | Q(pk__in=list(holding)))
    heard = TraderControlAck.objects.filter(control=control_id, trader=OuterRef("pk"))
    found = running.aggregate(heard=Count("pk", filter=Exists(heard)), running=Count("pk"))
    return found["heard"], found["running"]


def as_control(row: TraderControl) -> Control:
    return Control(
        id=row.pk,
        kind=ControlKind(row.kind),
        trader_id=row.trader_id,
        reason=row.reason,
        actor=row.actor,
        at=row.at,
        until=row.until,
        version=row.version,
        symbol=row.symbol,
        cause=row.cause,
        detail=row.detail,
    )


def _pins_in_force() -> QuerySet[TraderControl]:
    pins = TraderControl.objects.filter(kind=ControlKind.PIN)
    return pins.exclude(Exists(_later(TraderControl.objects.filter(kind__in=PIN_KINDS))))


def _later(rows: QuerySet[TraderControl]) -> QuerySet[TraderControl]:
    return rows.filter(trader=OuterRef("trader"), id__gt=OuterRef("id"))
