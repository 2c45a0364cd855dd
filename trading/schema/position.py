"""A position: what a trader holds in one symbol, from its entry to its close."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from traders.schema.messages import _, pgettext
from trading.schema.common import (
    AgainstControl,
    Exchange,
    ExitPlan,
    Extra,
    Origin,
    PositionEvent,
    Realized,
    Side,
    Versions,
)
from trading.schema.leaf import Amount, Identifier, LeafKind, MomentMs, Part, Text, leaf


class PositionStatus(StrEnum):
    OPEN = "open"
    CLOSED = "closed"


class Entry(Part):
    price: Amount = leaf(label=_("Entry price"), kind=LeafKind.PRICE, unit="USD", gt=0)
    quantity: Amount = leaf(
        label=_("Quantity"), kind=LeafKind.QUANTITY, help=_("Always positive; the side says which way."), gt=0
    )
    time_ms: MomentMs = leaf(label=_("Opened"), kind=LeafKind.MOMENT_MS)
    leverage: Amount | None = leaf(None, label=_("Leverage"), kind=LeafKind.NUMBER, unit="x", gt=0, le=1000)
    commission: Amount | None = leaf(None, label=_("Commission of the entry"), kind=LeafKind.MONEY, unit="USD")


class Orders(Part):
    entry_oid: Identifier | None = leaf(None, label=_("Entry order"), kind=LeafKind.IDENTIFIER)
    tp_oid: Identifier | None = leaf(None, label=_("Take-profit order"), kind=LeafKind.IDENTIFIER)
    sl_oid: Identifier | None = leaf(None, label=_("Stop-loss order"), kind=LeafKind.IDENTIFIER)


class PositionRisk(Part):
    confidence: Amount | None = leaf(None, label=_("Confidence"), kind=LeafKind.NUMBER, unit="0-100", ge=0, le=100)
    risk_usd: Amount | None = leaf(None, label=_("At risk"), kind=LeafKind.MONEY, unit="USD", ge=0)


class Close(Part):
    price: Amount = leaf(
        label=_("Exit price"),
        kind=LeafKind.PRICE,
        unit="USD",
        help=_("0 where the symbol was settled at nothing."),
        ge=0,
    )
    time_ms: MomentMs = leaf(label=pgettext("a moment", "Closed"), kind=LeafKind.MOMENT_MS)
    quantity: Amount = leaf(label=_("Quantity closed"), kind=LeafKind.QUANTITY, gt=0)
    pnl: Amount | None = leaf(None, label=_("Net P&L"), kind=LeafKind.MONEY, unit="USD")


class Reported(Part):
    """What the exchange or the source last said of it. Nothing is computed from this: prices move."""

    current_price: Amount | None = leaf(None, label=_("Reported price"), kind=LeafKind.PRICE, unit="USD", ge=0)
    unrealized_pnl: Amount | None = leaf(None, label=_("Reported unrealized P&L"), kind=LeafKind.MONEY, unit="USD")
    closed_pnl: Amount | None = leaf(None, label=_("Reported closed P&L"), kind=LeafKind.MONEY, unit="USD")
    margin: Amount | None = leaf(None, label=_("Reported margin"), kind=LeafKind.MONEY, unit="USD", ge=0)
    liquidation_price: Amount | None = leaf(None, label=_("Liquidation price"), kind=LeafKind.PRICE, unit="USD", ge=0)
    commission: Amount | None = leaf(None, label=_("Reported commission"), kind=LeafKind.MONEY, unit="USD")
    slippage: Amount | None = leaf(None, label=_("Reported slippage"), kind=LeafKind.MONEY, unit="USD")
    at_ms: MomentMs | None = leaf(None, label=_("Reported at"), kind=LeafKind.MOMENT_MS)


class PositionDetail(Part):
    """`entry` holds what remains of an open position and its average price, of a closed one all that was ever entered;
    its `time_ms` is that of the first entry. `events` tell the way."""

    entry: Entry
    exchange: Exchange = Exchange()
    orders: Orders | None = None
    exit_plan: ExitPlan | None = None
    risk: PositionRisk | None = None
    close: Close | None = None
    versions: Versions | None = None
    reported: Reported | None = None
    events: tuple[PositionEvent, ...] = ()
    realized: Realized | None = None
    origin: Origin | None = None
    against_control: AgainstControl | None = None
    extra: Extra | None = leaf(None, label=_("Unknown fields"), kind=LeafKind.TEXT)
    corrects: Text | None = leaf(
        None, label=_("Corrects"), kind=LeafKind.IDENTIFIER, help=_("The wrong row; this row counts instead.")
    )

    def stored(self) -> dict[str, Any]:
        found = super().stored()
        if not self.events:
            del found["events"]
        return found


@dataclass(frozen=True)
class PositionRecord:
    """A row of `positions`."""

    id: str
    trader_id: str
    symbol: str
    side: Side
    status: PositionStatus
    detail: PositionDetail
    # When another database wrote it; None: at its entry.
    created_at: datetime | None = field(default=None, compare=False)

    @property
    def is_open(self) -> bool:
        return self.status is PositionStatus.OPEN
