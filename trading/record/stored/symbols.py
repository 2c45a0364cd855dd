"""The symbols that records may name, and how each provider spells its own."""

from __future__ import annotations

from collections.abc import Collection

from traders.database.sql import execute, values
from traders.schema.symbols import base_asset, folded
from trading.models import Symbol
from trading.schema.common import UNKNOWN_PROVIDER
from trading.schema.spelling import Spellings

# Markets that models name in small letters before any record does.
MAJORS = ("BTC", "ETH", "SOL", "BNB", "DOGE", "XRP")
_ADD = """
INSERT INTO symbols (symbol, base_asset) SELECT * FROM unnest(%s::text[], %s::text[]) ON CONFLICT DO NOTHING
"""
_LEARN = """
INSERT INTO provider_symbols (provider, symbol) SELECT %s, unnest(%s::text[]) ON CONFLICT DO NOTHING
"""
# Names that no provider has for its own come from before this table, or from a source that names none.
_OWN = """
SELECT symbol FROM provider_symbols WHERE provider = %(provider)s::text AND {wanted}
UNION
SELECT symbol FROM symbols s
 WHERE {wanted} AND NOT EXISTS (SELECT FROM provider_symbols p WHERE lower(p.symbol) = lower(s.symbol))
"""
_OTHERS = "SELECT symbol FROM symbols WHERE {wanted}"
_EXCHANGE = "SELECT exchange_provider FROM trader_config WHERE id = %s"


def known() -> frozenset[str]:
    return frozenset(Symbol.objects.values_list("symbol", flat=True))


def underlyings_of(names: Collection[str]) -> dict[str, str]:
    """{symbol: its underlying}, of each name."""
    stored = dict(Symbol.objects.filter(pk__in=names).values_list("pk", "base_asset"))
    return {name: stored.get(name) or base_asset(name) for name in names}


def add(symbols: Collection[str]) -> int:
    """How many were new. Takes part in the caller's transaction."""
    names = sorted(symbols)
    # bulk_create with ignore_conflicts does not tell how many rows are new.
    return execute(_ADD, [names, [base_asset(name) for name in names]])


def learn(provider: str, symbols: Collection[str]) -> None:
    """These are the provider's own names; a spelling that is known stays. Takes part in the caller's transaction."""
    execute(_LEARN, [provider, sorted(symbols)])


def spellings(provider: str | None, symbols: Collection[str] | None = None) -> Spellings:
    """Of the provider; None: of no particular one. `symbols`: only what these may mean. Two statements."""
    wanted = "TRUE" if symbols is None else "lower(symbol) = ANY (%(names)s)"
    asked = {"provider": provider, "names": [folded(name) for name in symbols or ()]}
    own, others = values(_OWN.format(wanted=wanted), asked), values(_OTHERS.format(wanted=wanted), asked)
    return Spellings(own if provider is not None else others, {*others, *MAJORS})


def exchange_of(trader_id: str) -> str | None:
    """The exchange provider of the trader's configuration now. None: there is no such trader."""
    return next(iter(values(_EXCHANGE, [trader_id])), None)


def spelled(trader_id: str, symbol: str) -> str:
    """As the trader's exchange writes it."""
    return spellings(exchange_of(trader_id), [symbol])(symbol)


def settled(trader_id: str, symbol: str, provider: str = UNKNOWN_PROVIDER) -> str:
    """As the provider writes it, by default the trader's exchange. A name that it has not used before becomes its own
    spelling."""
    whose = exchange_of(trader_id) if provider == UNKNOWN_PROVIDER else provider
    known = spellings(whose, [symbol])
    name = known(symbol)
    if whose is not None and not known.knows(name):
        learn(whose, [name])
    return name
