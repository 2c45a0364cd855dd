"""Assets: both layouts keep them in the same hash, in two forms."""

from __future__ import annotations

import msgspec

from trading.live.keys import MARKET_ASSET, Key
from trading.schema.live_store.values import US_PER_MS, MarketAsset


def asset(raw: bytes, key: Key) -> MarketAsset | None:
    """As the old engine writes it: its `updated_at` says when it was true. None for other bytes and keys."""
    if key is not MARKET_ASSET:
        return None
    try:
        fields = msgspec.json.decode(raw)
        return msgspec.convert({"as_of": fields["updated_at"] * US_PER_MS, **fields}, MarketAsset)
    except (msgspec.MsgspecError, KeyError, TypeError, ValueError):
        return None
