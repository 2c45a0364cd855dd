"""The last verify, kept in the control hash."""

from __future__ import annotations

import msgspec

from traders.words.kept_messages import decoded, encoded
from trading.live.keys import CONTROL
from trading.live.redis.outage import Client
from trading.schema.live_store.verdicts import Verdict

FIELD = "verified"
MOST_KEPT = 50


def keep(client: Client, verdict: Verdict) -> None:
    first = msgspec.structs.replace(verdict, differences=verdict.differences[:MOST_KEPT])
    client.hset(CONTROL, FIELD, msgspec.json.encode(first, enc_hook=encoded))


def last(client: Client) -> Verdict | None:
    raw = client.hget(CONTROL, FIELD)
    try:
        return msgspec.json.decode(raw, type=Verdict, dec_hook=decoded) if raw else None
    except msgspec.DecodeError:
        return None
