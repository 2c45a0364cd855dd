"""Whose the imported records are: the traders that exist, those that are made for them, and their versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property

from traders.schema.messages import TranslatableText, _
from traders.versions import queries as configs
from traders.versions.lifecycle.imported import add_imported
from traders.versions.rules.in_force import NamedVersion
from trading.record.rules.attribution import Attribution
from trading.record.rules.errors import InvalidRecord
from trading.record.stored import versions
from trading.schema.contract import TRADER

# More than any fleet has. Beyond it, a file's ids are not ids of traders.
MOST_NEW = 1000


def require_spelling(name: str, existing: str | None, field: str = TRADER) -> None:
    """Raises InvalidRecord for an id that a trader has in other letters."""
    if existing not in (None, name):
        raise InvalidRecord(field, _spelled_otherwise(name, str(existing)))


def _spelled_otherwise(name: str, existing: str) -> TranslatableText:
    return _(
        "is %(name)s, but the trader is %(existing)s; ids are unique ignoring case",
        name=repr(name),
        existing=repr(existing),
    )


class Owners:
    """Grows with the fleet, never with the file."""

    def __init__(self, *, file: str, actor: str, known_as: Mapping[str, str] | None = None) -> None:
        """`known_as` is {trader: what its source says of it, as a sentence}."""
        self.created: list[str] = []
        self._known_as = known_as or {}
        self._file, self._actor = file, actor
        self._attribution = Attribution({}, {})

    @cached_property
    def _by_lower(self) -> dict[str, str]:
        """Read when the first record comes: traders may be made before."""
        return {name.lower(): name for name in configs.shares()}

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
                refused[name] = _spelled_otherwise(name, existing)
        self._create(new)
        self._learn({name for name in trader_ids if name not in refused})
        return refused

    def require_own(self, trader_id: str) -> None:
        """Raises InvalidRecord for an id that a trader here has in other letters. Makes none."""
        require_spelling(trader_id, self._by_lower.get(trader_id.lower()))

    def version(self, trader_id: str, ts_ms: int, *order_ids: int | str | None) -> int | None:
        return self._attribution.version(trader_id, ts_ms, order_ids)

    def named_version(self, trader_id: str, ts_ms: int, version: int | None) -> int | None:
        """The one that is named, where it stood by then; else that of the moment."""
        timeline = self._attribution.timelines[trader_id]
        is_named = version is not None and timeline.had_version(version, ts_ms)
        return timeline.version_at(ts_ms, NamedVersion(version) if is_named else None)

    def _create(self, trader_ids: list[str]) -> None:
        add_imported(
            descriptions={name: self._description(name) for name in trader_ids},
            reason=f"records of it in {self._file}",
            actor=self._actor,
        )
        self.created += trader_ids

    def _description(self, trader_id: str) -> str:
        made = (
            f"Made by an import of {self._file}, so that the records in it have an owner. Its configuration was never"
            " known: these settings are placeholders. Not to be started."
        )
        return f"{made} {self._known_as.get(trader_id, '')}".strip()

    def _learn(self, trader_ids: Collection[str]) -> None:
        unknown = [name for name in trader_ids if name not in self._attribution.timelines]
        if unknown:
            more = versions.attribution(unknown)
            self._attribution = Attribution(
                {**self._attribution.timelines, **more.timelines}, {**self._attribution.orders, **more.orders}
            )
