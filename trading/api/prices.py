"""Prices, from a feed that does not speak Redis."""

from __future__ import annotations

import time
from typing import Annotated, Any

from ninja import Router
from ninja.errors import HttpError
from pydantic import Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS, Invalid
from traders.api.wire import Answer, Body
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.declare import Line
from traders.schema.symbols import SYMBOL_RULE, is_symbol
from traders.schema.tokens import Scope
from trading.live import queries as projection
from trading.live import services as live
from trading.record.stored import symbols
from trading.schema.leaf import Amount, MomentMs
from trading.schema.live_store.quotes import PriceName, read_field
from trading.schema.live_store.values import US_PER_MS, Price

NANOSECONDS_PER_US = 1000
OLDER = "older than the price that stands there"

router = Router(tags=["Market: write-state"], auth=TokenWith(Scope.WRITE_STATE, is_shared=True))


class LastPrice(Body):
    price: Annotated[Amount, Field(gt=0)]
    as_of_ms: MomentMs | None = Field(None, description="When it was the price; now, where it is left out.")


class LastPrices(Body):
    """By `{symbol}` or `{provider}:{symbol}`; with `provider`, every name is a symbol of that provider."""

    provider: Annotated[Line, Field(min_length=1, max_length=100)] | None = Field(
        None, description="Whose prices these are. Without it a name is read by the providers of the fleet's traders."
    )
    prices: dict[Annotated[str, Field(max_length=200)], LastPrice]


class PriceWritten(Answer):
    """`provider` null: of no particular one. `dropped` says why the price was not written."""

    provider: str | None
    symbol: str
    is_written: bool
    dropped: str | None = None


class PricesWritten(Answer):
    """`prices` by the names that were sent."""

    written: int
    prices: dict[str, PriceWritten]


ANSWERS: dict[int, Any] = {200: PricesWritten, 422: Invalid, **REFUSALS}


@router.put("/prices", response=ANSWERS, summary="The last prices")
def quoted(request: EngineRequest, body: LastPrices) -> PricesWritten:
    """Goes into the live store, and from there into `crypto-prices` and the marks of positions. A symbol in another
    case is that of the exchange. 503: Redis is away.

    Prices are those of all traders: a token that is limited to some may not write them.
    """
    now = time.time_ns() // NANOSECONDS_PER_US
    names = _names(body)
    prices = {
        names[sent].field: Price(
            as_of=now if quote.as_of_ms is None else quote.as_of_ms * US_PER_MS,
            price=quote.price,
            provider=names[sent].provider,
        )
        for sent, quote in body.prices.items()
    }
    older = live.quoted(prices)
    if older is None:
        raise HttpError(503, "Redis cannot be reached; nothing was written.")
    said = {sent: _written(name, is_older=name.field in older) for sent, name in names.items()}
    return PricesWritten(written=sum(one.is_written for one in said.values()), prices=said)


def _names(body: LastPrices) -> dict[str, PriceName]:
    """By the names that were sent. Raises InvalidConfig."""
    providers = projection.provider_names() if body.provider is None else ()
    names = {
        sent: PriceName(body.provider, sent) if body.provider is not None else read_field(sent, providers)
        for sent in body.prices
    }
    wrong = [sent for sent, name in names.items() if not is_symbol(name.symbol)]
    if wrong:
        right = _("must be a symbol, %(right)s, or provider:symbol", right=SYMBOL_RULE)
        raise InvalidConfig(Problem(f"prices.{sent}", right) for sent in wrong)
    return _spelled(names)


def _spelled(names: dict[str, PriceName]) -> dict[str, PriceName]:
    spell = {
        provider: symbols.spellings(provider, [name.symbol for name in names.values() if name.provider == provider])
        for provider in {name.provider for name in names.values()}
    }
    found = {sent: PriceName(name.provider, spell[name.provider](name.symbol)) for sent, name in names.items()}
    for provider, known in spell.items():
        new = {name.symbol for name in found.values() if name.provider == provider and not known.knows(name.symbol)}
        if provider is not None and new:
            symbols.learn(provider, new)
    return found


def _written(name: PriceName, *, is_older: bool) -> PriceWritten:
    dropped = OLDER if is_older else None
    return PriceWritten(provider=name.provider, symbol=name.symbol, is_written=not is_older, dropped=dropped)
