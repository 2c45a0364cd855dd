"""The changes and controls after a cursor: for engines that cannot LISTEN."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from traders.schema.controls.rows import Control
from traders.schema.cursor import Cursor
from traders.schema.settings.stored import StoredConfig
from traders.versions import services as configs
from traders.versions.announcements import queries as announcements
from traders.versions.announcements.queries import PlacedChange
from traders.versions.rules.errors import AheadOfHistory


@dataclass(frozen=True, slots=True)
class ChangesSince:
    """`placed` are versions and controls in the order of their commits, each with its place. `cursor` is for the next
    call. `is_all`: there are no further ones."""

    placed: list[PlacedChange]
    cursor: Cursor
    is_all: bool

    @property
    def items(self) -> list[StoredConfig | Control]:
        return [change.item for change in self.placed]

    @property
    def versions(self) -> list[StoredConfig]:
        return [item for item in self.items if isinstance(item, StoredConfig)]


def now() -> Cursor:
    """The cursor after all stored changes."""
    return Cursor(announcements.newest_position())


def since(place: Cursor, *, config_ids: Collection[str] | None = None, limit: int) -> ChangesSince:
    """At most `limit` versions and controls after `place`, oldest first. Raises UnknownConfig, and AheadOfHistory for a
    cursor of another history."""
    newest = announcements.newest_position()
    _require_given(place, newest)
    if config_ids is not None:
        configs.active(config_ids)
    return _after(place, until=newest, ids=config_ids, limit=limit)


def since_known(place: Cursor, *, until: Cursor, config_ids: Collection[str] | None, limit: int) -> ChangesSince:
    """As `since`, up to the cursor `until`, for configurations that are known to exist."""
    _require_given(place, until.position)
    return _after(place, until=until.position, ids=config_ids, limit=limit)


def _require_given(place: Cursor, newest: int) -> None:
    if place.position > newest or not announcements.was_given(place.position):
        raise AheadOfHistory(str(place), newest)


def _after(place: Cursor, *, until: int, ids: Collection[str] | None, limit: int) -> ChangesSince:
    placed, last = announcements.after(place, until=until, ids=ids, limit=limit)
    return ChangesSince(placed, last or max(place, Cursor(until)), is_all=last is None)
