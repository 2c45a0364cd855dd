"""Finds traders with equal values at some places of their configurations, without reading the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from psycopg.sql import SQL, Composable, Identifier, Literal

from traders.database import sql
from traders.database.among import array_of

_COLUMNS = {"": "id", **{name: name for name in ("exchange_provider", "market_provider", "allocation_pct", "detail")}}
_GENERATED = {"detail.retired": "retired"}


def alike(ids: Collection[str], places: Collection[str]) -> list[dict[str, int]]:
    """These traders as {id: version}, those with the same values at all places together, in order of id.

    A place is a path, a section such as `detail.exec_guards`, or "" for everything. Ids that do not exist are left out.
    """
    # Grouped here: to group, the server sorts the values of all traders, which takes it longer than to send them.
    # Equal texts are equal values; 1 and 1.0 are judged twice.
    array, parameter = array_of(ids)
    found = sql.rows(
        SQL("SELECT id, version, {} AS at FROM trader_config {} WHERE id = ANY ({})").format(
            _values(places), _sections(places), SQL(array)
        ),
        [parameter],
    )
    groups: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for row in sorted(found):
        groups[row.at][row.id] = row.version
    return list(groups.values())


def _values(places: Iterable[str]) -> Composable:
    values: list[Composable] = []
    for place in places:
        if column := _column(place):
            values.append(Identifier(column))
        else:
            _detail, section, *steps = place.split(".")
            values.append(SQL("{} #> {}::text[]").format(Identifier("of_detail", section), Literal(steps)))
    return SQL("ROW({})::text").format(SQL(", ").join(values))


def _sections(places: Iterable[str]) -> Composable:
    """The sections of `detail` that have these places. PostgreSQL decompresses the whole of `detail` for each `#>` on
    it, and for all its sections together once."""
    sections = dict.fromkeys(place.split(".")[1] for place in places if not _column(place))
    if not sections:
        return SQL("")
    declared = SQL(", ").join(SQL("{} jsonb").format(Identifier(section)) for section in sections)
    return SQL("CROSS JOIN jsonb_to_record(detail) AS of_detail({})").format(declared)


def _column(place: str) -> str | None:
    return _COLUMNS.get(place) or _GENERATED.get(place)
