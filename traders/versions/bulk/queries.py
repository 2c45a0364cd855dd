"""Traders that stand alike at some places of their configurations, found without reading the rest."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from traders.database import sql

_COLUMNS = {"": "id", **{name: name for name in ("exchange_provider", "market_provider", "allocation_pct")}}


def alike(ids: Collection[str], places: Collection[str]) -> list[dict[str, int]]:
    """These traders as {id: version}, those with the same values at all places together, in order of id.

    A place is a path, a section such as `detail.exec_guards`, or "" for everything. Ids that do not exist are left out.
    """
    values = [_value(place) for place in places]
    parameters: list[Any] = [steps for _text, steps in values if steps is not None]
    found = sql.rows(
        f"""
        SELECT array_agg(id ORDER BY id) AS ids, array_agg(version ORDER BY id) AS versions FROM trader_config
         WHERE id = ANY (%s) GROUP BY {", ".join(text for text, _steps in values)} ORDER BY min(id)
        """,
        [list(ids), *parameters],
    )
    return [dict(zip(row.ids, row.versions, strict=True)) for row in found]


def _value(place: str) -> tuple[str, list[str] | None]:
    """Its expression, and the steps that lead there inside of `detail`."""
    if place in _COLUMNS:
        return _COLUMNS[place], None
    return "detail #> %s::text[]", place.split(".")[1:]
