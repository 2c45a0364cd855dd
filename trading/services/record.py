"""What engines record, followed by the live store."""

from __future__ import annotations

from trading.repositories import decisions, facts
from trading.rules.errors import UnknownTrader
from trading.schema.decision import JournalEntry, RecordedDecision
from trading.services import live


def decision(entry: JournalEntry) -> RecordedDecision:
    """As `repositories.decisions.record_decision`, and raises what it raises."""
    if not facts.existing([entry.trader_id]):
        raise UnknownTrader(entry.trader_id)
    recorded = decisions.record_decision(entry)
    live.changed(entry.trader_id)
    return recorded
