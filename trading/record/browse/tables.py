"""The three tables of the record as they are browsed: their order and their filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Q
from django.db.models.expressions import RawSQL

from trading.fields import NumericField
from trading.models import DecisionJournal, Position, Trade
from trading.record.browse.queries import RecordTable
from trading.record.stored.safe_sql import number

Conditions = Mapping[str, Callable[[Any], Q] | Mapping[str, Q]]


def _version(column: str) -> Callable[[int], Q]:
    """A version number of 0 stands for the time before the first version, which is stored as NULL."""
    return lambda version: Q(**{column: version}) if version else Q(**{f"{column}__isnull": True})


def _shared(at: str, version: str) -> Conditions:
    return {
        "id": lambda row_id: Q(pk=row_id),
        "trader": lambda trader_id: Q(trader=trader_id),
        "version": _version(version),
        "since": lambda moment: Q(**{f"{at}__gte": moment}),
        "until": lambda moment: Q(**{f"{at}__lt": moment}),
    }


def _gain_or_loss(column: str) -> Mapping[str, Q]:
    return {"gain": Q(**{f"{column}__gt": 0}), "loss": Q(**{f"{column}__lt": 0})}


_HELD: Conditions = {"symbol": lambda symbol: Q(symbol=symbol), "side": lambda side: Q(side=side)}
# Not a generated column, because few pages need it. A value that is no number is NULL instead of an error.
_CLOSED_PNL = RawSQL(number('"positions"."detail"', "close.pnl"), [], output_field=NumericField())

TRADES = RecordTable(
    Trade.objects.all(),
    ("-close_ts_ms", "id"),
    {**_shared("close_ts_ms", "entry_version"), **_HELD, "outcome": _gain_or_loss("net_pnl")},
)
POSITIONS = RecordTable(
    Position.objects.alias(closed_pnl=_CLOSED_PNL),
    ("-opened_ms", "id"),
    {
        **_shared("opened_ms", "entry_version"),
        **_HELD,
        "status": lambda status: Q(status=status),
        "outcome": _gain_or_loss("closed_pnl"),
    },
)
DECISIONS = RecordTable(
    DecisionJournal.objects.all(),
    ("-decided_at", "-id"),
    {**_shared("decided_at", "config_version"), "outcome": {"done": Q(success=True), "failed": Q(success=False)}},
    in_ms=False,
)
