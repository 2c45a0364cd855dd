"""One spelling a symbol: engines and models that change the case of a name mean the exchange's own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any, TypeVar

from pydantic import BaseModel

from traders.schema.symbols import folded
from trading.schema.decision import DecisionDetail

Spell = Callable[[str], str]
M = TypeVar("M", bound=BaseModel)


def as_it_came(symbol: str) -> str:
    return symbol


class Spellings:
    """The spellings that a provider's symbols are known by.

    `own` are the provider's names; `others` those of all providers, by which a name in small letters alone is known:
    no exchange writes BTC so, and models do.
    """

    def __init__(self, own: Iterable[str], others: Iterable[str] = ()) -> None:
        self._exact = set(own)
        self._own = _unique(self._exact)
        self._others = _unique(others)

    def __call__(self, symbol: str) -> str:
        """The known spelling, else the name as it came."""
        if symbol in self._exact:
            return symbol
        low = folded(symbol)
        if (own := self._own.get(low)) is not None:
            return own
        return self._others.get(low, symbol) if symbol == low else symbol

    def knows(self, symbol: str) -> bool:
        return symbol in self._exact


def _unique(names: Iterable[str]) -> dict[str, str]:
    """{folded: name}, without names that differ in case alone."""
    found: dict[str, str] = {}
    twice = set()
    for name in names:
        low = folded(name)
        if found.setdefault(low, name) != name:
            twice.add(low)
    return {low: name for low, name in found.items() if low not in twice}


def spelled_detail(detail: DecisionDetail, spell: Spell) -> DecisionDetail:
    """With every symbol in it as `spell` writes it; the same object where nothing changes."""
    candidates = None if detail.candidates is None else tuple(map(spell, detail.candidates))
    parts = {
        name: tuple(_spelled(item, spell) for item in items)
        for name in ("decisions", "positions", "market", "cooldowns", "actions")
        if (items := getattr(detail, name))
    }
    changed = {
        name: value for name, value in ({"candidates": candidates} | parts).items() if value != getattr(detail, name)
    }
    return detail.model_copy(update=changed) if changed else detail


def _spelled(item: M, spell: Spell) -> M:
    symbol: Any = getattr(item, "symbol")  # noqa: B009 - each of these parts declares it
    name = spell(symbol)
    return item if name == symbol else item.model_copy(update={"symbol": name})


def names_in(detail: DecisionDetail) -> Collection[str]:
    """The symbols that a decision's record names, what the market listed and what was held first."""
    lists = (detail.market, detail.positions, detail.cooldowns, detail.decisions, detail.actions)
    named = [item.symbol for items in lists for item in items or ()]
    return [*named, *(detail.candidates or ())]
