"""Where a trade contradicts itself. It is taken as it came, and marked: real records of exchanges do."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from traders.schema.messages import TranslatableText, _
from trading.schema.common import Side
from trading.schema.trade import FillType, TradeDetail

CENT, MILLIONTH = Decimal("0.01"), Decimal("0.000001")


def contradictions(side: Side, detail: TradeDetail) -> Iterator[TranslatableText]:
    """In sentences without a full stop. Money may differ by a cent, or by a millionth of the size of the entry."""
    total, prices, pnl = detail.quantity.total, detail.prices, detail.pnl
    for kind, words in ((FillType.ENTRY, _("entry")), (FillType.EXIT, _("exit"))):
        filled = [fill.quantity for fill in detail.fills if fill.type is kind]
        if filled and abs(sum(filled) - total) > total * MILLIONTH:
            yield _(
                "the %(kind)s fills add up to %(sum)s, and the quantity is %(total)s",
                kind=words,
                sum=f"{sum(filled):f}",
                total=f"{total:f}",
            )
    allowed = max(CENT, MILLIONTH * prices.avg_entry * total)
    by_prices = side.sign * (prices.avg_exit - prices.avg_entry) * total
    if abs(by_prices - pnl.gross) > allowed:
        given, told = _money(by_prices), _money(pnl.gross)
        yield _("the prices give a gross P&L of %(given)s, and %(told)s was reported", given=given, told=told)
    by_parts = pnl.gross - pnl.commission + (getattr(pnl, "funding", None) or Decimal(0))
    if abs(by_parts - pnl.net) > allowed:
        given, told = _money(by_parts), _money(pnl.net)
        yield _(
            "gross P&L less commission, with funding, is %(given)s, and a net P&L of %(told)s was reported",
            given=given,
            told=told,
        )


def _money(value: Decimal) -> str:
    return f"{value:,.8f}".rstrip("0").rstrip(".")
