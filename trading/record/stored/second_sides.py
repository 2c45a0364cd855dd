"""Second sides of hedges: at the exchange, and in no position, because the record holds one side of a symbol."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal

from traders.database.among import among
from trading.differences.models import STANDING_SECOND_SIDE
from trading.models import ExchangeDifference
from trading.schema.common import Side


@dataclass(frozen=True, slots=True)
class SecondSide:
    """`price` is what the exchange said last: its mark price, else its entry price."""

    trader_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal | None


def second_sides(trader_ids: Collection[str]) -> list[SecondSide]:
    """Those that the last report held, also where a person has dismissed the difference."""
    rows = ExchangeDifference.objects.filter(among("trader", trader_ids), STANDING_SECOND_SIDE).order_by("pk")
    found = []
    for row in rows:
        known = row.detail["known"]
        price = known.get("mark_price") or known.get("entry_price")
        quantity = Decimal(row.detail["theirs"]["quantity"])
        found.append(SecondSide(row.trader_id, str(row.symbol), Side(row.side or ""), quantity, price))
    return found
