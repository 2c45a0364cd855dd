"""What the record says of open positions and equity, for the limits; and the limits that stand."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Any

from traders.database.among import among
from traders.models import TraderConfig
from trading.limits.rules import PATHS, LimitedPosition
from trading.models import OPEN_AND_COUNTED, Position
from trading.record.stored import held
from trading.schema.leaf import LARGEST


def open_positions(trader_ids: Collection[str]) -> dict[str, list[LimitedPosition]]:
    """Of those of these traders that hold something, by symbol; read from an index alone."""
    rows = (
        Position.objects.filter(OPEN_AND_COUNTED, among("trader", trader_ids))
        .order_by("trader_id", "symbol")
        .values_list("trader_id", "symbol", "side", "quantity", "entry_price", "leverage", named=True)
    )
    found: dict[str, list[LimitedPosition]] = {}
    for row in rows:
        quantity, price = _usable(row.quantity), _usable(row.entry_price)
        notional = quantity * price if quantity is not None and price is not None else None
        one = LimitedPosition(row.symbol, row.side, notional, _usable(row.leverage))
        found.setdefault(row.trader_id, []).append(one)
    return found


def equities(trader_ids: Collection[str]) -> dict[str, Decimal]:
    """The newest equity that counts, in USD, of those that have one."""
    newest = held.last_points(trader_ids)
    return {row.trader_id: usd for row in newest if (usd := _usable(row.equity_usd)) is not None}


def limits_now(trader_ids: Collection[str]) -> dict[str, dict[str, Any]]:
    """{trader_id: {path: value}} of the stored limits; what another program stored in a foreign shape is left out."""
    rows = TraderConfig.objects.filter(among("pk", trader_ids)).order_by()
    found = {}
    for trader_id, *sections in rows.values_list("pk", "detail__risk", "detail__exec_guards"):
        known = zip(("detail.risk", "detail.exec_guards"), sections, strict=True)
        flat = {f"{name}.{key}": value for name, part in known if isinstance(part, dict) for key, value in part.items()}
        found[trader_id] = {path: value for path, value in flat.items() if path in PATHS}
    return found


def _usable(value: Decimal | None) -> Decimal | None:
    """None for what is no number that can be worked with: NaN, Infinity, beyond measure."""
    return value if value is not None and value.is_finite() and abs(value) <= LARGEST else None
