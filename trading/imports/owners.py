"""Whose the imported records are: the traders that exist, those that are made for them, and their versions."""

from __future__ import annotations

from collections.abc import Collection

from traders.schema.messages import TranslatableText, _
from traders.versions import queries as configs
from traders.versions.lifecycle.imported import add_imported
from trading.record.rules.attribution import Attribution
from trading.record.stored import versions

# More than any fleet has. Beyond it, a file's ids are not ids of traders.
MOST_NEW = 1000


class Owners:
    """Grows with the fleet, never with the file."""

    def __init__(self, *, file: str, actor: str) -> None:
        self.created: list[str] = []
        self._file, self._actor = file, actor
        self._by_lower = {name.lower(): name for name in configs.shares()}
        self._attribution = Attribution({}, {})

    def refusals(self, trader_ids: Collection[str]) -> dict[str, TranslatableText]:
        """{trader: why its records are refused}. Missing traders are made; all the others can be asked about."""
        refused: dict[str, TranslatableText] = {}
        new: list[str] = []
        for name in sorted(set(trader_ids)):
            existing = self._by_lower.get(name.lower())
            if existing is None and len(self.created) + len(new) < MOST_NEW:
                new.append(name)
                self._by_lower[name.lower()] = name
            elif existing is None:
                refused[name] = _("would be one more than %(most)s new traders in one import", most=f"{MOST_NEW:,}")
            elif existing != name:
                refused[name] = _(
                    "is %(name)s, but the trader is %(existing)s; ids are unique ignoring case",
                    name=repr(name),
                    existing=repr(existing),
                )
        self._create(new)
        self._learn({name for name in trader_ids if name not in refused})
        return refused

    def was_retired(self, trader_id: str, ts_ms: int) -> bool:
        return self._attribution.timelines[trader_id].is_retired_at(ts_ms)

    def version(self, trader_id: str, ts_ms: int, *order_ids: int | str | None) -> int | None:
        return self._attribution.version(trader_id, ts_ms, order_ids)

    def _create(self, trader_ids: list[str]) -> None:
        add_imported(
            trader_ids=trader_ids,
            description=f"Made by an import of {self._file}, so that the records in it have an owner. Its"
            " configuration was never known: these settings are placeholders. Not to be started.",
            reason=f"records of it in {self._file}",
            actor=self._actor,
        )
        self.created += trader_ids

    def _learn(self, trader_ids: Collection[str]) -> None:
        unknown = [name for name in trader_ids if name not in self._attribution.timelines]
        if unknown:
            more = versions.attribution(unknown)
            self._attribution = Attribution(
                {**self._attribution.timelines, **more.timelines}, {**self._attribution.orders, **more.orders}
            )
