"""Prices, from a feed that does not speak Redis."""

from __future__ import annotations

import time
from typing import Annotated, Any

from ninja import Router
from ninja.errors import HttpError
from pydantic import AfterValidator, Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, Invalid
from traders.api.wire import Answer, Body
from traders.schema.symbols import SYMBOL_PATTERN, SYMBOL_RULE
from traders.schema.tokens import Scope
from trading.live import services as live
from trading.schema.leaf import Amount, MomentMs
from trading.schema.live_store.values import US_PER_MS, Price

NANOSECONDS_PER_US = 1000

router = Router(tags=["Market: write-state"], auth=TokenWith(Scope.WRITE_STATE, is_shared=True))


def _name(text: str) -> str:
    if not SYMBOL_PATTERN.fullmatch(text.rpartition(":")[2]):
        raise ValueError(f"must be a symbol, {SYMBOL_RULE}, or provider:symbol")
    return text


class Quote(Body):
    price: Annotated[Amount, Field(gt=0)]
    as_of_ms: MomentMs | None = Field(None, description="When it was the price; now, where it is left out.")


class Quotes(Body):
    """By `{symbol}` or `{provider}:{symbol}`."""

    prices: dict[Annotated[str, Field(max_length=100), AfterValidator(_name)], Quote]


class Written(Answer):
    written: int


ANSWERS: dict[int, Any] = {200: Written, 422: Invalid, **REFUSALS}


@router.put("/prices", response=ANSWERS, summary="The last prices")
def quoted(request: EngineRequest, body: Quotes) -> Written:
    """Goes into the live store, and from there into `crypto-prices` and the marks of positions. 503: Redis is away.

    Prices are those of all traders: a token that is limited to some may not write them.
    """
    now = time.time_ns() // NANOSECONDS_PER_US
    prices = {
        name: Price(as_of=now if quote.as_of_ms is None else quote.as_of_ms * US_PER_MS, price=quote.price)
        for name, quote in body.prices.items()
    }
    if not live.quoted(prices):
        raise HttpError(503, "Redis cannot be reached; nothing was written.")
    return Written(written=len(prices))
