"""What engines record, followed by the live store."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from traders.runtime.redaction import without_secrets
from traders.schema.messages import _
from trading.analytics import queries as facts
from trading.live import services as live
from trading.record.followers import RecordedFact, RecordedKind, followed
from trading.record.rules.errors import AlreadyOpen, NoDecision, RecordConflict, UnknownTrader
from trading.record.stored import symbols, versions
from trading.record.stored.copying import bulk_load
from trading.record.stored.outcome import WriteOutcome
from trading.record.writing import decisions, equity, parts, positions, trades
from trading.record.writing.against import marked_many
from trading.record.writing.clean import clean, clean_messages
from trading.schema.common import PositionEvent, Side, Versions
from trading.schema.decision import JournalEntry, RecordedDecision
from trading.schema.facts import EquityPoint
from trading.schema.ids import trade_id
from trading.schema.message import DecisionMessage
from trading.schema.position import PositionDetail, PositionRecord
from trading.schema.trade import Fill, Pnl, TradeDetail, TradeRecord


def decision(entry: JournalEntry, messages: Sequence[DecisionMessage] = ()) -> RecordedDecision:
    """Records a decision as `decisions.record_decision`, and raises the same. Secrets are taken out of the texts."""
    _require_trader(entry.trader_id)
    whole, _ = clean(entry)
    with followed() as tell:
        recorded = decisions.record_decision(whole, clean_messages(messages, entry.trader_id))
        tell(RecordedFact(RecordedKind.DECISION, entry.trader_id, int(entry.decided_at.timestamp() * 1000)))
    live.changed(entry.trader_id)
    return recorded


def held(trader_id: str) -> list[PositionRecord]:
    """The trader's open positions, by symbol. Raises UnknownTrader."""
    _require_trader(trader_id)
    return positions.open_whole(trader_id)


def position(
    *, trader_id: str, symbol: str, side: Side, detail: PositionDetail, decision_id: int | None = None
) -> PositionRecord:
    """Opens the position, or gives the open position the parts of `detail` that are not None.

    The open position is recognised by its side and the time of its entry; with the same entry order the time may be a
    second off. Raises AlreadyOpen when another position is open, RecordConflict when this position was closed already,
    RecordError for a decision of another trader, UnknownTrader, ConcurrentRecord.
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
    """Closes as `positions.close_position`, and raises the same."""
    _require_trader(trader_id)
    _require_own(decision_id, trader_id)
    with followed() as tell:
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
        tell(_closed(made))
    live.changed(trader_id)
    return made


def event(*, trader_id: str, symbol: str, event: PositionEvent, orders: dict[str, Any] | None = None) -> PositionRecord:
    """A part of an open position: reduced, increased, or its plan moved. Records it as `parts.record_event`, and raises
    the same."""
    _require_trader(trader_id)
    _require_own(event.decision_id, trader_id)
    told, _ = without_secrets(event, f"an event of {trader_id} in {symbol}")
    with followed() as tell:
        made = parts.record_event(trader_id, symbol, told, orders)
        tell(RecordedFact(RecordedKind.EVENT, trader_id, told.at_ms, made.symbol))
    live.changed(trader_id)
    return made


def trade(*, trader_id: str, symbol: str, side: Side, closed_at_ns: int, detail: TradeDetail) -> TradeRecord:
    """Records a trade whose position was not recorded here; the versions are those valid at its entry and exit.

    The same trade again changes nothing, whichever way it came first; the first row is returned. Raises RecordConflict
    and UnknownTrader.
    """
    _require_trader(trader_id)
    times = detail.time
    valid = Versions(
        entry=versions.version_at(trader_id, times.open_ts_ms), exit=versions.version_at(trader_id, times.close_ts_ms)
    )
    whole = detail.model_copy(update={"versions": valid})
    made, _ = clean(TradeRecord(trade_id(trader_id, symbol, closed_at_ns), trader_id, symbol, side, whole))
    (made,) = marked_many([made])
    symbols.add([symbol])
    with followed() as tell:
        stored, is_new = trades.recorded(made)
        if is_new:
            tell(_closed(stored))
    live.changed(trader_id)
    return stored


def equity_points(trader_id: str, points: Sequence[EquityPoint]) -> WriteOutcome:
    """Records all points or none; a point that is recorded already changes nothing. Raises RecordConflict for a moment
    with other equity, and UnknownTrader."""
    _require_trader(trader_id)
    with followed() as tell, bulk_load(name="equity"):
        outcome = equity.copy_equity(equity.with_parts(points))
        if outcome.conflicts:
            raise RecordConflict(_("equity point"), outcome.conflicts[0])
        # The oldest of them: what came late must be seen as late.
        for ts_ms in sorted({min(point.ts_ms for point in points), max(point.ts_ms for point in points)}):
            tell(RecordedFact(RecordedKind.EQUITY, trader_id, ts_ms))
    live.equity_changed(trader_id)
    return outcome


def _closed(made: TradeRecord) -> RecordedFact:
    return RecordedFact(RecordedKind.TRADE, made.trader_id, made.close_ts_ms, made.symbol)


def _opened_or_changed(
    trader_id: str, symbol: str, side: Side, detail: PositionDetail, decision_id: int | None
) -> PositionRecord:
    """Looks the position up again when another request opened it in between."""
    known = positions.open_known(trader_id, symbol)
    if known is None:
        symbols.add([symbol])
        try:
            return positions.open_position(
                trader_id=trader_id, symbol=symbol, side=side, detail=detail, decision_id=decision_id
            )
        except AlreadyOpen:
            known = positions.open_known(trader_id, symbol)
    if known is None or not positions.is_told_of(known, side, detail):
        raise AlreadyOpen(trader_id, symbol, known.side if known else "", side)
    return positions.update_position(trader_id=trader_id, symbol=symbol, **_given(detail))


# What the record itself says of a position.
OWN_PARTS = frozenset({"close", "versions", "origin", "events", "realized", "corrects", "against_control"})


def _given(detail: PositionDetail) -> dict[str, Any]:
    """The given parts of the detail, without those that the record itself keeps."""
    named = detail.model_fields_set - OWN_PARTS
    return {name: getattr(detail, name) for name in named if getattr(detail, name) is not None}


def _require_trader(trader_id: str) -> None:
    if not facts.existing([trader_id]):
        raise UnknownTrader(trader_id)


def _require_own(decision_id: int | None, trader_id: str) -> None:
    if decision_id is not None and not decisions.has(trader_id, decision_id):
        raise NoDecision(trader_id, decision_id)
