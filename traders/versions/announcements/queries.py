"""Reads the versions and controls after a cursor."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Max

from traders.controls import queries as controls
from traders.database import sql
from traders.models import ConfigWrite
from traders.schema.controls.rows import Control
from traders.schema.cursor import CONTROLS, Cursor
from traders.schema.settings.stored import StoredConfig
from traders.versions import queries as configs

CHANNEL = "trader_config_changed"
CONTROL_CHANNEL = "trader_control_changed"
# Cursors are ordered by bytes, as the column is.
_AFTER = f"""
SELECT w.position, n.config_id, n.version
  FROM config_writes w JOIN config_write_versions n ON n.write_id = w.id
 WHERE w.position BETWEEN %(position)s AND %(until)s
   AND (w.position, n.config_id, n.version) > (%(position)s, %(config_id)s, %(version)s)
   AND (%(ids)s::text[] IS NULL OR n.config_id = ANY (%(ids)s))
UNION ALL
SELECT w.position, '{CONTROLS}' COLLATE "C", c.id
  FROM config_writes w JOIN trader_controls c ON c.write_id = w.id
 WHERE w.position BETWEEN %(position)s AND %(until)s
   AND (w.position, '{CONTROLS}' COLLATE "C", c.id) > (%(position)s, %(config_id)s, %(version)s)
   AND (%(ids)s::text[] IS NULL OR c.trader_id IS NULL OR c.trader_id = ANY (%(ids)s))
 ORDER BY 1, 2, 3 LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class PlacedChange:
    place: Cursor
    item: StoredConfig | Control


def newest_position() -> int:
    """The newest position; 0 if nothing was stored. Positions are committed in order, so all up to it can be read."""
    return int(ConfigWrite.objects.aggregate(newest=Max("position", default=0))["newest"])


def was_given(position: int) -> bool:
    """Cursors hold positions of commits, and 0 is the beginning. After a backup was restored others are left out."""
    return position == 0 or ConfigWrite.objects.filter(position=position).exists()


def after(
    place: Cursor, *, until: int, ids: Collection[str] | None, limit: int
) -> tuple[list[PlacedChange], Cursor | None]:
    """(versions and controls after `place` up to the position `until`, the place of the last one if there may be more),
    in the order of cursors. Of these configurations, or of all; controls of the fleet concern each."""
    parameters: dict[str, int | str | list[str] | None] = {
        "position": place.position,
        "config_id": place.config_id,
        "version": place.version,
        "until": until,
        "ids": None if ids is None else list(ids),
        "limit": limit,
    }
    places = sql.rows_as(Cursor, _AFTER, parameters)
    asked = controls.numbered(at.version for at in places if at.config_id == CONTROLS)
    stored = configs.numbered((at.config_id, at.version) for at in places if at.config_id != CONTROLS)
    found: dict[tuple[str, int], StoredConfig | Control] = {
        **stored,
        **{(CONTROLS, control_id): control for control_id, control in asked.items()},
    }
    # A program that empties tables without triggers leaves places of deleted versions.
    changes = [PlacedChange(at, found[key]) for at in places if (key := (at.config_id, at.version)) in found]
    return changes, places[-1] if len(places) == limit else None
