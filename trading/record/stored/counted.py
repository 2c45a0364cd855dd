"""How a statement leaves out what was set aside. Rows of the record say it themselves: `exclusion_id IS NULL`."""

from __future__ import annotations

COUNTS, ASIDE = "exclusion_id IS NULL", "exclusion_id IS NOT NULL"
# Of `conversation_messages m`: the messages of a decision go with it. The index of decisions set aside is tiny.
MESSAGE_COUNTS = """NOT EXISTS (
           SELECT 1 FROM decision_journal d
            WHERE d.id = m.decision_id AND d.trader_id = m.trader_id AND d.exclusion_id IS NOT NULL)"""
