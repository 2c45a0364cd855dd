"""What engines record, followed by the live store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from traders.runtime.redaction import without_secrets
from traders.schema.messages import _
from trading.analytics import queries as facts
from trading.live import services as live
from trading.record.rules.errors import AlreadyOpen, RecordConflict, RecordError, UnknownTrader
from trading.record.stored import symbols, versions
from trading.record.stored.copying import bulk_load
from trading.record.stored.outcome import WriteOutcome
from trading.record.writing import decisions, equity, parts, positions, trades
from trading.record.writing.clean import clean, clean_messages
from trading.schema.common import PositionEvent, Side, Versions
from trading.schema.decision import JournalEntry, RecordedDecision
from trading.schema.facts import EquityPoint
from trading.schema.ids import trade_id
from trading.schema.message import Said
from trading.schema.position import PositionDetail, PositionRecord
from trading.schema.trade import Fill, Pnl, TradeDetail, TradeRecord


def decision(entry: JournalEntry, messages: Sequence[Said] = ()) -> RecordedDecision:
    """As `repositories.decisions.record_decision`, and raises what it raises. Secrets are taken out of the texts."""
    _require_trader(entry.trader_id)
    whole, _ = clean(entry)
    recorded = decisions.record_decision(whole, clean_messages(messages, entry.trader_id))
    live.changed(entry.trader_id)
    return recorded


def held(trader_id: str) -> list[PositionRecord]:
    """Its open positions, by symbol. Raises UnknownTrader."""
    _require_trader(trader_id)
    return positions.open_whole(trader_id)


def position(
    *, trader_id: str, symbol: str, side: Side, detail: PositionDetail, decision_id: int | None = None
) -> PositionRecord:
    """Opens the position, or gives the open one the parts of `detail` that are not None.

    The open one is known by its side and the time of its entry. Raises AlreadyOpen when it is another one,
    RecordConflict when this one was closed already, RecordError for a decision that is not the trader's, UnknownTrader,
    ConcurrentRecord.
    """
    _require_trader(trader_id)
    _require_own(decision_id, trader_id)
    detail, _ = without_secrets(detail, f"the position of {trader_id} in {symbol}")
    made = _opened_or_changed(trader_id, symbol, side, detail, decision_id)
    live.changed(trader_id)
    return made


def close(
    *,
    trader_id: str,
    symbol: str,
    price: Any,
    closed_at_ns: int,
    pnl: Pnl | None = None,
    fills: Sequence[Fill] = (),
    decision_id: int | None = None,
    extra: dict[str, Any] | None = None,
) -> TradeRecord:
    """As `repositories.positions.close_position`, and raises what it raises."""
    _require_trader(trader_id)
    _require_own(decision_id, trader_id)
    made = positions.close_position(
        trader_id=trader_id,
        symbol=symbol,
        price=price,
        closed_at_ns=closed_at_ns,
        pnl=pnl,
        fills=fills,
        decision_id=decision_id,
        extra=extra,
    )
    live.changed(trader_id)
    return made


def event(*, trader_id: str, symbol: str, event: PositionEvent, orders: dict[str, Any] | None = None) -> PositionRecord:
    """A part of an open position: reduced, increased, or its plan moved. As `parts.record_event`, and raises what it
    raises."""
    _require_trader(trader_id)
    _require_own(event.decision_id, trader_id)
    told, _ = without_secrets(event, f"an event of {trader_id} in {symbol}")
    made = parts.record_event(trader_id, symbol, told, orders)
    live.changed(trader_id)
    return made


def trade(*, trader_id: str, symbol: str, side: Side, closed_at_ns: int, detail: TradeDetail) -> TradeRecord:
    """Records a trade whose position was not recorded here; the versions are those valid at its entry and exit.

    The same trade again changes nothing, whichever way it came first; that row is answered. Raises RecordConflict and
    UnknownTrader.
    """
    _require_trader(trader_id)
    times = detail.time
    valid = Versions(
        entry=versions.version_at(trader_id, times.open_ts_ms), exit=versions.version_at(trader_id, times.close_ts_ms)
    )
    whole = detail.model_copy(update={"versions": valid})
    made, _ = clean(TradeRecord(trade_id(trader_id, symbol, closed_at_ns), trader_id, symbol, side, whole))
    symbols.add([symbol])
    stored, _is_new = trades.recorded(made)
    live.changed(trader_id)
    return stored


def equity_points(trader_id: str, points: Sequence[EquityPoint]) -> WriteOutcome:
    """All of them or none; what is recorded already changes nothing. Raises RecordConflict for a moment of which other
    equity is recorded, and UnknownTrader."""
    _require_trader(trader_id)
    with bulk_load(name="equity"):
        outcome = equity.copy_equity(points)
        if outcome.conflicts:
            raise RecordConflict("equity", outcome.conflicts[0])
    live.changed(trader_id)
    return outcome


def _opened_or_changed(
    trader_id: str, symbol: str, side: Side, detail: PositionDetail, decision_id: int | None
) -> PositionRecord:
    """Looked up again when another request opened it in between."""
    known = positions.open_known(trader_id, symbol)
    if known is None:
        symbols.add([symbol])
        try:
            return positions.open_position(
                trader_id=trader_id, symbol=symbol, side=side, detail=detail, decision_id=decision_id
            )
        except AlreadyOpen:
            known = positions.open_known(trader_id, symbol)
    if known != (side, detail.entry.time_ms):
        raise AlreadyOpen(trader_id, symbol, known[0] if known else "", side)
    return positions.update_position(trader_id=trader_id, symbol=symbol, **_given(detail))


def _given(detail: PositionDetail) -> dict[str, Any]:
    """Its parts, but for what the record itself keeps."""
    named = detail.model_fields_set - {"close", "versions", "origin", "events", "realized"}
    return {name: getattr(detail, name) for name in named if getattr(detail, name) is not None}


def _require_trader(trader_id: str) -> None:
    if not facts.existing([trader_id]):
        raise UnknownTrader(trader_id)


def _require_own(decision_id: int | None, trader_id: str) -> None:
    if decision_id is None:
        return
    if decisions.trader_of(decision_id) != trader_id:
        raise RecordError(
            _("%(trader_id)s has no decision %(decision_id)s", trader_id=trader_id, decision_id=decision_id)
        )
