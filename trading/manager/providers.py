"""Market providers and deciders by their names: each type is one module, found by the name of the type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType

from traders.schema.messages import MessageError, TranslatableText, _
from trading.manager.protocols import Decider, MarketSource
from trading.manager.rules.paper import FUNDING_INTERVAL

MARKETS = "trading.manager.markets"
DECIDERS = "trading.manager.deciders"
RULES = "rules"
"""The decider that asks no model."""
FUNDING_KEY = "funding_interval_hours"
_MOST_FUNDING_HOURS = 24


class InvalidProvider(MessageError):
    """A provider that cannot be made: its type is not known, or one of its keys is wrong."""


@dataclass(frozen=True, slots=True)
class ProviderOptions:
    """The keys of a provider in its file, as they are written there. `directory` is that of the file."""

    name: str
    values: Mapping[str, str]
    directory: Path

    def text(self, key: str, default: str) -> str:
        return self.values.get(key, "").strip() or default

    def integer(self, key: str, default: int) -> int:
        try:
            return int(self.text(key, str(default)))
        except ValueError:
            raise self.wrong(key, _("a whole number")) from None

    def number(self, key: str, default: Decimal, *, least: Decimal, most: Decimal) -> Decimal:
        try:
            found = Decimal(self.text(key, str(default)))
        except InvalidOperation:
            found = Decimal("NaN")
        if found.is_finite() and least <= found <= most:
            return found
        raise self.wrong(key, _("a number from %(least)s to %(most)s", least=f"{least:f}", most=f"{most:f}"))

    def wrong(self, key: str, right: TranslatableText) -> InvalidProvider:
        """The error for a key: what it must be, and what it is."""
        return InvalidProvider(
            _(
                "%(key)s of the provider %(name)s must be %(right)s, was %(value)s",
                key=key,
                name=self.name,
                right=right,
                value=repr(self.values.get(key, "")),
            )
        )


def make_market(options: ProviderOptions) -> MarketSource:
    """The market whose `type` is a module of `trading.manager.markets`. Raises InvalidProvider."""
    found: MarketSource = _module(MARKETS, options.text("type", ""), options.name).market(options)
    return found


def funding_interval(options: ProviderOptions) -> timedelta:
    """How often a market's funding is due: the key `funding_interval_hours`, 1 where it is left out. Raises
    InvalidProvider."""
    hours = options.integer(FUNDING_KEY, FUNDING_INTERVAL // timedelta(hours=1))
    if not 1 <= hours <= _MOST_FUNDING_HOURS:
        raise options.wrong(FUNDING_KEY, _("a whole number from 1 to %(most)s", most=_MOST_FUNDING_HOURS))
    return timedelta(hours=hours)


def make_decider(options: ProviderOptions) -> Decider:
    """The decider of a model of llm.yaml: the module of `trading.manager.deciders` that its `provider` names, else the
    one that asks an endpoint. Raises InvalidProvider."""
    kind = options.text("provider", "")
    found: Decider = _module(DECIDERS, kind if kind in types_of(DECIDERS) else "llm", options.name).decider(options)
    return found


def types_of(package: str) -> list[str]:
    """The names of the package's modules, sorted."""
    return sorted(module.name for module in iter_modules(import_module(package).__path__))


def _module(package: str, kind: str, name: str) -> ModuleType:
    if kind not in types_of(package):
        raise InvalidProvider(
            _(
                "the type of the provider %(name)s must be one of %(types)s, was %(kind)s",
                name=name,
                types=", ".join(types_of(package)),
                kind=repr(kind),
            )
        )
    return import_module(f"{package}.{kind}")
