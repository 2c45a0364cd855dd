"""What is correctable of each kind of row, declared once, and how right values become a whole row again."""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, ValidationError

from traders.schema.messages import _
from traders.schema.moments import moments_ahead
from traders.schema.problems import message_in
from traders.schema.runtime import StoredMoment
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import Side, fraction_of, is_fraction
from trading.schema.decision import DecisionDetail
from trading.schema.exclusion import RecordKind
from trading.schema.leaf import Amount, Boolean, Integer, Leaf, LeafKind, Part, leaf, leaves_of
from trading.schema.position import PositionDetail
from trading.schema.trade import MS_PER_SECOND, TradeDetail

FUNDING, FUNDING_UNKNOWN = "pnl.funding", "pnl.is_funding_unknown"
_STEP = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)((?:\[[0-9]{1,4}\])*)")


class SideCore(Part):
    side: Side = leaf(label=_("Side"), kind=LeafKind.TEXT)


class DecisionCore(Part):
    config_version: Annotated[Integer, Field(ge=1)] | None = leaf(None, label=_("Version"), kind=LeafKind.VERSION)
    decided_at: StoredMoment = leaf(label=_("Decided"), kind=LeafKind.TEXT)
    success: Boolean = leaf(label=_("Success"), kind=LeafKind.FLAG)


class EquityFigures(Part):
    equity_usd: Amount = leaf(label=_("Equity"), kind=LeafKind.MONEY, unit="USD")
    realized_pnl_usd: Amount | None = leaf(None, label=_("Realized P&L"), kind=LeafKind.MONEY, unit="USD")
    unrealized_pnl_usd: Amount | None = leaf(None, label=_("Unrealized P&L"), kind=LeafKind.MONEY, unit="USD")


class NoCore(Part):
    """Its leaves are all there is."""


@dataclass(frozen=True, slots=True)
class Correctable:
    """`core` are the leaves beside `detail`, `kept` those parts of it that the record itself writes. `offered` are the
    paths for which the page has a field; the others are given as `path = value`."""

    core: type[Part]
    detail: type[Part]
    offered: tuple[str, ...]
    kept: frozenset[str] = frozenset({"versions", "origin", "corrects"})
    leaves: Mapping[str, Leaf] = field(init=False)

    def __post_init__(self) -> None:
        found = [*leaves_of(self.core, ""), *leaves_of(self.detail, "")]
        object.__setattr__(self, "leaves", {one.path.removeprefix("."): one for one in found})


CORRECTABLE = {
    RecordKind.TRADE: Correctable(
        SideCore,
        TradeDetail,
        (
            *("side", "quantity.total", "prices.avg_entry", "prices.avg_exit"),
            *("pnl.gross", "pnl.commission", "pnl.funding", "pnl.net"),
        ),
    ),
    RecordKind.POSITION: Correctable(
        SideCore,
        PositionDetail,
        (
            *("side", "entry.price", "entry.quantity", "entry.leverage", "entry.commission"),
            *("exit_plan.tp_price", "exit_plan.sl_price", "close.price", "close.quantity", "close.pnl"),
        ),
    ),
    RecordKind.DECISION: Correctable(
        DecisionCore,
        DecisionDetail,
        (
            *("config_version", "success", "error", "account.equity_usd", "account.available_usd"),
            *("account.used_margin_usd", "account.positions", "usage.cost_usd"),
        ),
    ),
    RecordKind.EQUITY: Correctable(
        NoCore, EquityFigures, ("equity_usd", "realized_pnl_usd", "unrealized_pnl_usd"), frozenset()
    ),
}


@dataclass(frozen=True, slots=True)
class RowFigures:
    """A row as its declaration knows it: `core` beside `detail`."""

    core: Any
    detail: Any

    def value_at(self, path: str) -> Any:
        """None for what is not there."""
        found: Any = self.core if path in type(self.core).model_fields else self.detail
        for name in path.split("."):
            found = getattr(found, name, None)
        return found


def corrected(kind: RecordKind, old: RowFigures, changes: Mapping[str, Any]) -> RowFigures:
    """With right values by path: of the core by name, else below `detail` (`pnl.net`, `fills[0].price`); None takes a
    leaf away. Raises InvalidRecord."""
    declared = CORRECTABLE[kind]
    core, detail = dict(old.core), old.detail.stored()
    for path, value in changes.items():
        _require_no_fraction(path, value)
        if path in declared.core.model_fields:
            core[path] = value
        elif path.partition(".")[0].partition("[")[0] in declared.kept:
            raise InvalidRecord(path, _("is written by the record itself; leave it out"))
        else:
            _put(detail, path, deepcopy(value))
    if declared.detail is TradeDetail and "time.duration_seconds" not in changes:
        _set_duration(detail)
    if changes.get(FUNDING) is not None and FUNDING_UNKNOWN not in changes:
        # Who corrects the funding knows it.
        detail["pnl"].pop(FUNDING_UNKNOWN.partition(".")[2], None)
    kept = {name: getattr(old.detail, name) for name in declared.kept - {"corrects"} if hasattr(old.detail, name)}
    detail = {name: value for name, value in detail.items() if name not in declared.kept}
    found = RowFigures(_valid(declared.core, core), _valid(declared.detail, detail).model_copy(update=kept))
    for part in (found.core, found.detail):
        if (late := next(moments_ahead(part), None)) is not None:
            raise InvalidRecord(late.path, late.message)
    return found


def _require_no_fraction(path: str, value: Any) -> None:
    """Of a confidence, alone or within what is given. Raises InvalidRecord."""
    if isinstance(value, Decimal) and path.endswith("confidence") and is_fraction(value):
        raise InvalidRecord(path, fraction_of(value))
    if isinstance(value, Mapping):
        for name, inner in value.items():
            _require_no_fraction(f"{path}.{name}", inner)
    elif isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            _require_no_fraction(f"{path}[{place}]", inner)


def _valid(kind: type[Part], values: Any) -> Any:
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise InvalidRecord(".".join(map(str, first["loc"])), message_in(first)) from error


def _set_duration(detail: dict[str, Any]) -> None:
    """Follows the two moments."""
    time = detail.get("time")
    opened, closed = (time.get(name) if isinstance(time, dict) else None for name in ("open_ts_ms", "close_ts_ms"))
    if isinstance(time, dict) and isinstance(opened, int) and isinstance(closed, int):
        time["duration_seconds"] = Decimal(closed - opened) / MS_PER_SECOND


def _put(stored: dict[str, Any], path: str, value: Any) -> None:
    *way, last = _steps(path)
    place: Any = stored
    for step in way:
        place = _below(place, step)
    if isinstance(place, dict) and isinstance(last, str):
        if value is None:
            place.pop(last, None)
        else:
            place[last] = value
    elif isinstance(place, list) and isinstance(last, int) and last < len(place):
        place[last] = value
    else:
        raise InvalidRecord(path, _("is no leaf of this row"))


def _below(place: Any, step: str | int) -> Any:
    if isinstance(place, dict) and isinstance(step, str):
        found = place.setdefault(step, {})
        # Parts of a record are stored as tuples while they are in memory.
        if isinstance(found, tuple):
            found = place[step] = list(found)
        return found
    return place[step] if isinstance(place, list) and isinstance(step, int) and step < len(place) else None


def _steps(path: str) -> list[str | int]:
    """`fills[0].price` -> fills, 0, price. Raises InvalidRecord."""
    steps: list[str | int] = []
    for part in path.split("."):
        found = _STEP.fullmatch(part)
        if found is None:
            raise InvalidRecord(path, _("is no leaf of this row"))
        steps += [found[1], *(int(number) for number in re.findall(r"[0-9]+", found[2]))]
    return steps
