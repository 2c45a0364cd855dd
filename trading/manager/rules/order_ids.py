"""Client order ids: the same order of the same cycle has the same id, whoever sends it and however often."""

from __future__ import annotations

import hashlib

from traders.schema import jsonio

ID_BYTES = 16


def client_order_id(trader_id: str, cycle_number: int, symbol: str, action: str) -> str:
    """32 hex digits: a 128-bit hash of the tuple, which is stored beside the order. `action` names the order within its
    cycle and symbol, such as `open_long`, `stop` or `close_long`."""
    named = jsonio.dumps([trader_id, cycle_number, symbol, action])
    return hashlib.blake2b(named.encode(), digest_size=ID_BYTES).hexdigest()
