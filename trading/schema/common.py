"""Parts that positions, trades and decisions share."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from traders.schema.messages import TranslatableText, _
from traders.schema.settings.declare import Integer
from trading.schema.leaf import Amount, Boolean, Identifier, LeafKind, Line, MomentMs, Part, Text, leaf

NANOSECONDS_PER_MS = 1_000_000
# Of an exchange, where the source named none.
UNKNOWN_PROVIDER = "unknown"
# The system of an origin: the row was moved in from the database of an earlier program.
EARLIER_DATABASE = "earlier database"


class Side(StrEnum):
    LONG = "long"
    SHORT = "short"

    @property
    def sign(self) -> int:
        """+1 or -1: what a quantity carries on the wire and a price move is multiplied with."""
        return 1 if self is Side.LONG else -1

    @property
    def words(self) -> TranslatableText:
        """As messages say it, which pages translate; the value is what programs and files write."""
        return _("long") if self is Side.LONG else _("short")


Extra = dict[Text, Any]
"""What a program reported beyond the declared fields: {path at the source: JSON value}."""


HIGHEST_CONFIDENCE = 100


def is_fraction(confidence: Decimal) -> bool:
    """Between 0 and 1, or 1.0: no model is sure by less than one per cent. A fraction of 1 is another unit, and would
    be taken for no confidence at all."""
    exponent = confidence.as_tuple().exponent
    return 0 < confidence < 1 or (confidence == 1 and isinstance(exponent, int) and exponent < 0)


def fraction_of(confidence: Decimal) -> TranslatableText:
    """Completes '<field> ...'."""
    return _("must be from 0 to 100, was %(value)s, which is a fraction of 1", value=confidence)


class Exchange(Part):
    provider: Line = leaf(UNKNOWN_PROVIDER, label=_("Exchange"), kind=LeafKind.TEXT, min_length=1, max_length=200)
    position_id: Identifier | None = leaf(None, label=_("Exchange's position id"), kind=LeafKind.IDENTIFIER)
    margin_mode: Line | None = leaf(
        None, label=_("Margin"), kind=LeafKind.TEXT, help=_("isolated or cross."), max_length=20
    )


class ExitPlan(Part):
    tp_price: Amount | None = leaf(None, label=_("Take-profit"), kind=LeafKind.PRICE, unit="USD", gt=0)
    sl_price: Amount | None = leaf(None, label=_("Stop-loss"), kind=LeafKind.PRICE, unit="USD", gt=0)
    trailing_stop_pct: Amount | None = leaf(
        None, label=_("Trailing stop"), kind=LeafKind.PERCENT, unit="%", gt=0, le=100
    )
    invalidation_condition: Text | None = leaf(
        None, label=_("Invalidation"), kind=LeafKind.LONG_TEXT, help=_("What would prove the idea wrong, in words.")
    )


class Versions(Part):
    """Which configurations opened and closed it. None: before the trader's first version, or not closed."""

    entry: int | None = leaf(None, label=_("Opened by version"), kind=LeafKind.VERSION, ge=1)
    exit: int | None = leaf(None, label=_("Closed by version"), kind=LeafKind.VERSION, ge=1)


class Origin(Part):
    """Where an imported record comes from, and the texts of the source that its numbers do not give back."""

    system: Line = leaf(label=_("Imported from"), kind=LeafKind.TEXT, max_length=100)
    id: Text | None = leaf(None, label=_("Id at the source"), kind=LeafKind.IDENTIFIER)
    key: Text | None = leaf(
        None, label=_("Key"), kind=LeafKind.IDENTIFIER, help=_("By it the same record is known when it comes again.")
    )
    file: Text | None = leaf(None, label=_("File"), kind=LeafKind.TEXT)
    fields: dict[Text, Text] | None = leaf(None, label=_("Further fields"), kind=LeafKind.TEXT)


class AgainstControl(Part):
    """Entries had been banned for more than a minute when it was opened, or added to."""

    control_id: Identifier | None = leaf(None, label=_("Control"), kind=LeafKind.IDENTIFIER)
    reason: Text = leaf(label=_("Recorded against"), kind=LeafKind.TEXT, help=_("Why entries were banned."))
    at_ms: MomentMs = leaf(label=_("Entry against it"), kind=LeafKind.MOMENT_MS)


class EventKind(StrEnum):
    """OPEN is the entry as it was, written in front of the first other event."""

    OPEN = "open"
    INCREASE = "increase"
    REDUCE = "reduce"
    PLAN = "plan"
    CLOSE = "close"


class PositionEvent(Part):
    """`quantity`, `price` and ids are of the fill; `remaining` and `avg_entry` are the position's after it. A change of
    plan holds the whole plan that is valid from then on."""

    kind: EventKind = leaf(label=_("Event"), kind=LeafKind.TEXT)
    at_ms: MomentMs = leaf(label=_("Time"), kind=LeafKind.MOMENT_MS)
    quantity: Amount | None = leaf(None, label=_("Quantity"), kind=LeafKind.QUANTITY, gt=0)
    price: Amount | None = leaf(None, label=_("Price"), kind=LeafKind.PRICE, unit="USD", ge=0)
    order_id: Identifier | None = leaf(None, label=_("Order"), kind=LeafKind.IDENTIFIER)
    fill_id: Identifier | None = leaf(None, label=_("Fill id"), kind=LeafKind.IDENTIFIER)
    gross: Amount | None = leaf(None, label=_("Gross P&L"), kind=LeafKind.MONEY, unit="USD")
    commission: Amount | None = leaf(None, label=_("Commission"), kind=LeafKind.MONEY, unit="USD")
    funding: Amount | None = leaf(None, label=_("Funding"), kind=LeafKind.MONEY, unit="USD")
    is_funding_unknown: Boolean | None = leaf(
        None,
        label=_("Funding not known"),
        kind=LeafKind.FLAG,
        help=_("It was due and the market named no rate, so 0 was booked."),
    )
    remaining: Amount | None = leaf(None, label=_("Remaining"), kind=LeafKind.QUANTITY, ge=0)
    avg_entry: Amount | None = leaf(None, label=_("Average entry"), kind=LeafKind.PRICE, unit="USD", gt=0)
    tp_price: Amount | None = leaf(None, label=_("Take-profit"), kind=LeafKind.PRICE, unit="USD", gt=0)
    sl_price: Amount | None = leaf(None, label=_("Stop-loss"), kind=LeafKind.PRICE, unit="USD", gt=0)
    trailing_stop_pct: Amount | None = leaf(
        None, label=_("Trailing stop"), kind=LeafKind.PERCENT, unit="%", gt=0, le=100
    )
    invalidation_condition: Text | None = leaf(None, label=_("Invalidation"), kind=LeafKind.LONG_TEXT)
    tp_oid: Identifier | None = leaf(None, label=_("Take-profit order"), kind=LeafKind.IDENTIFIER)
    sl_oid: Identifier | None = leaf(None, label=_("Stop-loss order"), kind=LeafKind.IDENTIFIER)
    decision_id: Integer | None = leaf(None, label=_("Decision"), kind=LeafKind.IDENTIFIER, ge=1)
    version: int | None = leaf(None, label=_("Version"), kind=LeafKind.VERSION, ge=1)


class Realized(Part):
    """What the parts of a position that are closed have earned so far: gross less all commissions paid, those of its
    entries included, plus funding."""

    gross: Amount = leaf(label=_("Gross P&L of parts"), kind=LeafKind.MONEY, unit="USD")
    commission: Amount = leaf(label=_("Commission so far"), kind=LeafKind.MONEY, unit="USD")
    funding: Amount = leaf(label=_("Funding so far"), kind=LeafKind.MONEY, unit="USD")
    net: Amount = leaf(label=_("Realized P&L so far"), kind=LeafKind.MONEY, unit="USD")
