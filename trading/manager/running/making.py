"""Puts together what a trader works with: its market, exchange and model, as the files beside manager.yaml say."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from django.conf import settings
from django.utils import timezone

from traders.manager_yaml import declared
from traders.manager_yaml.declared import CallLimits
from traders.manager_yaml.file import InvalidFile
from traders.manager_yaml.neighbours import MODELS, prompt_rules
from traders.schema.messages import MessageError, _
from traders.schema.settings.trader import TraderSpec
from trading.manager import providers, queries
from trading.manager.exchanges.paper import PaperExchange
from trading.manager.prompts import PromptStore
from trading.manager.protocols import Decider, MarketSource
from trading.manager.providers import RULES, InvalidProvider, ProviderOptions
from trading.manager.rules import paper
from trading.manager.running.feed import PriceFeed

Found = TypeVar("Found")
log = logging.getLogger(__name__)
PAPER_TYPES = frozenset({"sim"})


class NotRunHere(MessageError):
    """Why this manager does not run a trader."""


MakeMarket = Callable[[str], MarketSource]
MakeDecider = Callable[[TraderSpec], Decider]


@dataclass
class Workshop:
    """`make_market(provider)`, `make_decider(spec)` and `funding_interval(provider)` raise NotRunHere. Everything is
    made once and shared by threads."""

    make_market: MakeMarket
    make_decider: MakeDecider
    limits: CallLimits
    stop_file: Path
    prompts: PromptStore = field(default_factory=PromptStore)
    clock: Callable[[], datetime] = timezone.now
    exchange_types: Mapping[str, str] = field(default_factory=dict)
    funding_interval: Callable[[str], timedelta] = lambda provider: paper.FUNDING_INTERVAL

    def __post_init__(self) -> None:
        self._guard = threading.Lock()
        self._feeds: dict[str, PriceFeed] = {}
        self._lots: Mapping[str, Decimal] | None = None

    def market_of(self, spec: TraderSpec) -> PriceFeed:
        """Raises NotRunHere."""
        name = spec.market_provider
        with self._guard:
            if name not in self._feeds:
                self._feeds[name] = PriceFeed(name, self.make_market(name), self.funding_interval(name))
            return self._feeds[name]

    def exchange_of(self, spec: TraderSpec) -> PaperExchange:
        """Raises NotRunHere for an exchange that is not paper: real ones are traded by engines of their own."""
        kind = self.exchange_types.get(spec.exchange_provider, "")
        if kind not in PAPER_TYPES:
            raise NotRunHere(
                _(
                    "its exchange %(name)s is of type %(kind)s, and this manager trades on paper only (type sim)",
                    name=spec.exchange_provider,
                    kind=kind or "unknown",
                )
            )
        return self.on_paper(spec)

    def on_paper(self, spec: TraderSpec) -> PaperExchange:
        """The paper exchange by the trader's settings, whatever exchange.yaml says of its provider."""
        return PaperExchange.of(spec.detail.order, self.lot_of)

    def lot_of(self, symbol: str) -> Decimal:
        with self._guard:
            if self._lots is None:
                self._lots = queries.lots()
            return self._lots.get(symbol, paper.SMALLEST_LOT)


def configured() -> Workshop:
    """As the files beside MANAGER_YAML say. Raises InvalidFile."""
    beside = settings.MANAGER_YAML.parent
    exchanges = declared.exchanges(beside)
    return Workshop(
        make_market=make_market,
        make_decider=DeciderMaker(),
        funding_interval=funding_interval,
        limits=declared.call_limits(beside),
        stop_file=settings.DATA_DIR / "STOP",
        prompts=PromptStore(prompt_rules(beside)),
        exchange_types={name: options.get("type", "") for name, options in exchanges.items()},
    )


def make_market(provider: str) -> MarketSource:
    """Raises NotRunHere for a provider of another type, and for one with a wrong key."""
    return _of_market(provider, providers.make_market)


def funding_interval(provider: str) -> timedelta:
    """Raises NotRunHere for one that is no number of hours."""
    return _of_market(provider, providers.funding_interval)


def _of_market(provider: str, read: Callable[[ProviderOptions], Found]) -> Found:
    beside = settings.MANAGER_YAML.parent
    try:
        return read(ProviderOptions(provider, declared.markets(beside).get(provider, {}), beside))
    except (InvalidFile, InvalidProvider) as error:
        raise NotRunHere(_("its market cannot be used: %(error)s", error=error)) from error


class DeciderMaker:
    """Makes a decider once for each model, as llm.yaml says of it. Thread-safe."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._made: dict[str, tuple[Mapping[str, str], Decider]] = {}
        self._last: dict[str, Decider] = {}
        self._told = ""

    def __call__(self, spec: TraderSpec) -> Decider:
        """A model that was asked before is asked on while llm.yaml cannot be read. Raises NotRunHere for a model whose
        endpoint is not known."""
        named = spec.detail.llm.model
        with self._guard:
            try:
                self._last[named] = found = self._read(named, settings.MANAGER_YAML.parent)
            except InvalidFile as error:
                if named not in self._last:
                    raise _cannot_be_asked(error) from error
                self._tell(error)
                return self._last[named]
            except InvalidProvider as error:
                raise _cannot_be_asked(error) from error
            return found

    def _read(self, named: str, beside: Path) -> Decider:
        model = named or declared.top_of(beside / MODELS).get("default_model", "") or RULES
        listed = declared.models(beside).get(model)
        options = listed if listed is not None else {"provider": RULES} if model == RULES else {}
        known = self._made.get(model)
        if known is None or known[0] != options:
            try:
                made = providers.make_decider(ProviderOptions(model, options, beside))
            except InvalidProvider as error:
                if listed is None:
                    raise NotRunHere(
                        _("its model %(model)s is not in llm.yaml, and %(error)s", model=model, error=error)
                    ) from error
                raise
            self._made[model] = known = options, made
        return known[1]

    def _tell(self, error: InvalidFile) -> None:
        """Once, however often it is asked."""
        if self._told != str(error):
            self._told = str(error)
            log.error("%s cannot be read, and models are asked as before: %s", error.path, error)


def _cannot_be_asked(error: InvalidFile | InvalidProvider) -> NotRunHere:
    return NotRunHere(_("its model cannot be asked: %(error)s", error=error))
