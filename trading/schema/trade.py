"""A trade: a position that was closed, with the fills that opened and closed it. Never changed afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Self

from pydantic import model_validator

from traders.schema.messages import _, pgettext
from trading.schema.common import AgainstControl, Exchange, ExitPlan, Extra, Origin, Side, Versions
from trading.schema.leaf import Amount, Boolean, Identifier, LeafKind, MomentMs, Part, Text, leaf

MS_PER_SECOND = 1000


class Time(Part):
    open_ts_ms: MomentMs = leaf(label=_("Opened"), kind=LeafKind.MOMENT_MS)
    close_ts_ms: MomentMs = leaf(label=pgettext("a moment", "Closed"), kind=LeafKind.MOMENT_MS)
    duration_seconds: Amount = leaf(
        label=_("Held"), kind=LeafKind.SECONDS, unit="s", help=_("From open to close; derived where it is left out.")
    )

    @model_validator(mode="before")
    @classmethod
    def _derived(cls, given: Any) -> Any:
        """The duration of what was given without one, and one that differs by less than a millisecond: engines
        compute it in binary fractions."""
        if not isinstance(given, Mapping):
            return given
        opened, closed, held = (given.get(name) for name in ("open_ts_ms", "close_ts_ms", "duration_seconds"))
        if type(opened) is not int or type(closed) is not int:
            return given
        exact = Decimal(closed - opened) / MS_PER_SECOND
        is_near = type(held) is Decimal and held.is_finite() and abs(held - exact) * MS_PER_SECOND < 1
        return {**given, "duration_seconds": exact} if held is None or (is_near and held != exact) else given

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.close_ts_ms < self.open_ts_ms:
            raise ValueError(_("the exit is before the entry"))
        if self.duration_seconds * MS_PER_SECOND != self.close_ts_ms - self.open_ts_ms:
            raise ValueError(_("duration_seconds is not the time from open to close"))
        return self


class Prices(Part):
    avg_entry: Amount = leaf(label=_("Entry price"), kind=LeafKind.PRICE, unit="USD", gt=0)
    avg_exit: Amount = leaf(
        label=_("Exit price"),
        kind=LeafKind.PRICE,
        unit="USD",
        help=_("0 where the symbol was settled at nothing."),
        ge=0,
    )


class Quantity(Part):
    total: Amount = leaf(
        label=_("Quantity"), kind=LeafKind.QUANTITY, help=_("Always positive; the side says which way."), gt=0
    )


class Pnl(Part):
    """As reported, each for itself: net is gross less commission plus funding, which is positive when it was received,
    but in real records not always."""

    gross: Amount = leaf(label=_("Gross P&L"), kind=LeafKind.MONEY, unit="USD")
    commission: Amount = leaf(Decimal(0), label=_("Commission"), kind=LeafKind.MONEY, unit="USD")
    funding: Amount | None = leaf(
        None, label=_("Funding"), kind=LeafKind.MONEY, unit="USD", help=_("Positive when it was received.")
    )
    is_funding_unknown: Boolean | None = leaf(
        None,
        label=_("Funding not known"),
        kind=LeafKind.FLAG,
        help=_("Funding was due and its amount is not known: the P&L is without it."),
    )
    net: Amount = leaf(label=_("Net P&L"), kind=LeafKind.MONEY, unit="USD")


class TradeRisk(Part):
    leverage: Amount | None = leaf(None, label=_("Leverage"), kind=LeafKind.NUMBER, unit="x", gt=0, le=1000)
    confidence: Amount | None = leaf(None, label=_("Confidence"), kind=LeafKind.NUMBER, unit="0-100", ge=0, le=100)


class FillType(StrEnum):
    ENTRY = "entry"
    EXIT = "exit"


class Fill(Part):
    type: FillType = leaf(label=_("Fill"), kind=LeafKind.TEXT)
    order_id: Identifier | None = leaf(None, label=_("Order"), kind=LeafKind.IDENTIFIER)
    fill_id: Identifier | None = leaf(None, label=_("Fill id"), kind=LeafKind.IDENTIFIER)
    price: Amount = leaf(label=_("Price"), kind=LeafKind.PRICE, unit="USD", ge=0)
    quantity: Amount = leaf(label=_("Quantity"), kind=LeafKind.QUANTITY, gt=0)
    commission: Amount | None = leaf(None, label=_("Commission"), kind=LeafKind.MONEY, unit="USD")
    is_crossed: Boolean | None = leaf(
        None, label=_("Crossed the book"), kind=LeafKind.FLAG, help=_("Took liquidity instead of making it.")
    )
    closed_pnl: Amount | None = leaf(None, label=_("Closed P&L"), kind=LeafKind.MONEY, unit="USD")
    liquidation: Text | None = leaf(None, label=_("Liquidation"), kind=LeafKind.TEXT)
    ts_ms: MomentMs = leaf(label=_("Time"), kind=LeafKind.MOMENT_MS)

    @model_validator(mode="after")
    def _entered_at_a_price(self) -> Self:
        if self.type is FillType.ENTRY and self.price == 0:
            raise ValueError(_("the price of an entry must be above 0"))
        return self


class TradeDetail(Part):
    time: Time
    prices: Prices
    quantity: Quantity
    pnl: Pnl
    risk: TradeRisk | None = None
    exchange: Exchange = Exchange()
    fills: tuple[Fill, ...] = ()
    exit_plan: ExitPlan | None = None
    versions: Versions | None = None
    origin: Origin | None = None
    against_control: AgainstControl | None = None
    extra: Extra | None = leaf(None, label=_("Unknown fields"), kind=LeafKind.TEXT)
    corrects: Text | None = leaf(
        None, label=_("Corrects"), kind=LeafKind.IDENTIFIER, help=_("The wrong row; this row counts instead.")
    )


@dataclass(frozen=True)
class TradeRecord:
    """A row of `trades`."""

    id: str
    trader_id: str
    symbol: str
    side: Side
    detail: TradeDetail
    # When another database wrote it; None: at its close.
    created_at: datetime | None = field(default=None, compare=False)

    @property
    def close_ts_ms(self) -> int:
        return self.detail.time.close_ts_ms

    @property
    def net_pnl(self) -> Decimal:
        return Decimal(self.detail.pnl.net)

    def stored(self) -> dict[str, Any]:
        return self.detail.stored()
