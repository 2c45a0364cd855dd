"""Assets: both layouts keep them in the same hash, in two forms."""

from __future__ import annotations

import msgspec

from trading.live.keys import MARKET_ASSET, Key
from trading.live.redis import codec
from trading.schema.live_store.values import US_PER_MS, MarketAsset


def asset(raw: bytes, key: Key) -> MarketAsset | None:
    """As the old engine writes it: its `updated_at` says when it was true. A null is the same as a name that is left
    out. None for other bytes and keys."""
    if key is not MARKET_ASSET:
        return None
    try:
        fields = {name: value for name, value in msgspec.json.decode(raw).items() if value is not None}
        return msgspec.convert({"as_of": fields["updated_at"] * US_PER_MS, **fields}, MarketAsset)
    except (*codec.NO_VALUE, AttributeError, KeyError, TypeError):
        return None
