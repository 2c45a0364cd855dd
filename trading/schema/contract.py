"""What the public contract, arenas and the old Redis layout call otherwise than we do."""

from __future__ import annotations

TRADER = "model_id"
"""The key of a trader's id. Everything else says `trader_id`."""
FUNDING_UNKNOWN = "funding_unknown"
"""On a trade whose P&L is without funding that was due; ours alone, and only where it is true."""
