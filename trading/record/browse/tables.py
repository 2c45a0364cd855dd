"""The three tables of the record as they are browsed: their order and their filters."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q
from django.db.models.expressions import RawSQL

from traders.models import TraderConfig
from trading.fields import NumericField
from trading.models import DID_SOMETHING, FUNDING_UNKNOWN, DecisionJournal, Position, Trade
from trading.record.browse.queries import NO_FUNDING, RecordTable
from trading.record.stored.safe_sql import number
from trading.record.stored.spread.form import was_spread

Conditions = Mapping[str, Callable[[Any], Q] | Mapping[str, Q]]


def _version(column: str) -> Callable[[int], Q]:
    """A version number of 0 stands for the time before the first version, which is stored as NULL."""
    return lambda version: Q(**{column: version}) if version else Q(**{f"{column}__isnull": True})


def _shared(model: Any, at: str, version: str) -> Conditions:
    return {
        "id": lambda row_id: model.objects.naming([row_id]),
        "trader": lambda ids: Q(trader=ids[0]) if len(ids) == 1 else Q(trader__in=ids),
        "version": _version(version),
        "is_current": lambda _asked: Q(**{version: F("trader__version")}),
        "person": lambda actor: _of_person(actor, version),
        "since": lambda moment: Q(**{f"{at}__gte": moment}),
        "until": lambda moment: Q(**{f"{at}__lt": moment}),
    }


def _of_person(actor: str, version: str) -> Any:
    """Rows of versions that the person wrote."""
    written = TraderConfig.history.filter(history_user_id=actor)
    if not was_spread():
        return Exists(written.filter(id=OuterRef("trader_id"), version=OuterRef(version)))
    # Versions are on another server than the rows: they are named.
    of_trader = defaultdict[str, list[int]](list)
    for trader_id, number_ in written.values_list("id", "version"):
        of_trader[trader_id].append(number_)
    found = Q(pk__in=[])
    for trader_id, numbers in of_trader.items():
        found |= Q(**{"trader": trader_id, f"{version}__in": numbers})
    return found


def _gain_or_loss(column: str) -> Mapping[str, Q]:
    return {"gain": Q(**{f"{column}__gt": 0}), "loss": Q(**{f"{column}__lt": 0})}


def _leaf(table: str, path: str) -> RawSQL:
    """A number of `detail` to sort by."""
    return RawSQL(number(f'"{table}"."detail"', path), [], output_field=NumericField())


def _asked(pairs: tuple[tuple[str, str], ...]) -> Q:
    """Decisions that ask for this symbol, for this action, or for the action in the symbol. A column of texts answers
    for each; that both are of one order, `detail` alone can say, and only for the few rows that hold both."""
    found = Q()
    for name, text in pairs:
        found &= Q(**{f"asked_{name}s__contains": json.dumps(text, ensure_ascii=False)})
    return found & Q(detail__contains={"decisions": [dict(pairs)]}) if len(pairs) > 1 else found


_HELD: Conditions = {"symbol": lambda symbol: Q(symbol=symbol), "side": lambda side: Q(side=side)}

TRADES = RecordTable(
    Trade.objects.all(),
    ("-close_ts_ms", "id"),
    {
        **_shared(Trade, "close_ts_ms", "entry_version"),
        **_HELD,
        "outcome": {**_gain_or_loss("net_pnl"), NO_FUNDING: FUNDING_UNKNOWN},
    },
    in_order=frozenset({"close_ts_ms", "net_pnl"}),
    leaves={
        "entry_price": _leaf("trades", "prices.avg_entry"),
        "exit_price": _leaf("trades", "prices.avg_exit"),
        "held_ms": ExpressionWrapper(F("close_ts_ms") - _leaf("trades", "time.open_ts_ms"), NumericField()),
    },
)
POSITIONS = RecordTable(
    Position.objects.all(),
    ("-opened_ms", "id"),
    {
        **_shared(Position, "opened_ms", "entry_version"),
        **_HELD,
        "status": lambda status: Q(status=status),
        "outcome": _gain_or_loss("closed_pnl"),
    },
    in_order=frozenset({"opened_ms", "closed_pnl"}),
    leaves={
        "stop_loss": _leaf("positions", "exit_plan.sl_price"),
        "take_profit": _leaf("positions", "exit_plan.tp_price"),
    },
)
DECISIONS = RecordTable(
    DecisionJournal.objects.all(),
    ("-decided_at", "-id"),
    {
        **_shared(DecisionJournal, "decided_at", "config_version"),
        "asked": _asked,
        "outcome": {
            "did": DID_SOMETHING,
            "order": Q(has_order=True),
            "refused": Q(has_refusal=True),
            "failed": Q(success=False, has_refusal=False),
            "held": ~DID_SOMETHING,
        },
    },
    in_ms=False,
    in_order=frozenset({"decided_at"}),
)
