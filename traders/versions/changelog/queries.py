"""The change log of the fleet: change sets, newest first, by trader, person, path, source and period."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from traders.database import sql
from traders.schema.settings.fleet import FLEET_ID

_VERSIONS = f"""
SELECT change_set, id AS config_id, version, history_date AS changed_at, history_user_id AS changed_by,
       history_change_reason AS reason, source, account_id, changed_fields
  FROM trader_config_versions {{traders}}
UNION ALL
SELECT change_set, '{FLEET_ID}', version, history_date, history_user_id, history_change_reason, source,
       account_id, changed_fields
  FROM manager_config_versions {{fleet}}
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty means any. `paths`: a change of at least one of them; `period` is [since, until)."""

    config_id: str = ""
    actor: str = ""
    paths: frozenset[str] = frozenset()
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    change_set: int | None = None


@dataclass(frozen=True, slots=True)
class ChangeSetLine:
    """One line of the log. `config_ids` are those that match the filter, at most `SHOWN` of them."""

    change_set: int
    changed_at: datetime
    changed_by: str
    account_id: int | None
    reason: str
    source: str
    configs: int
    created: int
    config_ids: tuple[str, ...]
    changed_fields: tuple[str, ...]


SHOWN = 3

_FOUND = "found AS {how} (SELECT change_set FROM trader_config_versions {every})"
# Of settings: the sets that changed them, newest first, each held to the rest of the filter by one of its versions.
_FOUND_BY_PATH = """
found AS MATERIALIZED (
    SELECT change_set
      FROM (SELECT DISTINCT change_set FROM config_change_set_paths
             WHERE path = ANY (%(paths)s) {place} ORDER BY change_set DESC) of_paths
     CROSS JOIN LATERAL (
           SELECT history_user_id, source FROM trader_config_versions v
            WHERE v.change_set = of_paths.change_set {version} LIMIT 1) one
           {set}
     ORDER BY change_set DESC LIMIT %(limit)s
)
"""

# The newest sets by their numbers alone, then a few facts of each: a change set of ten thousand is counted in an
# index and two or three of its rows are read.
_SETS = f"""
WITH {{found}},
sets AS MATERIALIZED (
    SELECT DISTINCT change_set FROM (
        (SELECT DISTINCT change_set FROM found ORDER BY change_set DESC LIMIT %(limit)s)
        UNION ALL
        (SELECT DISTINCT change_set FROM manager_config_versions {{fleet}} ORDER BY change_set DESC LIMIT %(limit)s)
    ) newest ORDER BY change_set DESC LIMIT %(limit)s
)
SELECT s.change_set, greatest(t.at, f.at) AS changed_at, head.history_user_id AS changed_by, head.account_id,
       head.history_change_reason AS reason, head.source, t.configs + f.configs AS configs,
       t.created + f.created AS created, shown.ids AS config_ids, shown.fields AS changed
  FROM sets s
 CROSS JOIN LATERAL (
       SELECT count(*) AS configs, count(*) FILTER (WHERE version = 1) AS created, max(history_date) AS at
         FROM trader_config_versions WHERE change_set = s.change_set {{narrow_traders}}) t
 CROSS JOIN LATERAL (
       SELECT count(*) AS configs, count(*) FILTER (WHERE version = 1) AS created, max(history_date) AS at
         FROM manager_config_versions WHERE change_set = s.change_set {{narrow_fleet}}) f
 CROSS JOIN LATERAL (
       (SELECT history_user_id, account_id, history_change_reason, source FROM manager_config_versions
         WHERE change_set = s.change_set LIMIT 1)
       UNION ALL
       (SELECT history_user_id, account_id, history_change_reason, source FROM trader_config_versions
         WHERE change_set = s.change_set LIMIT 1) LIMIT 1) head
 CROSS JOIN LATERAL (
       SELECT array_agg(id ORDER BY place, id) AS ids,
              array_agg(array_to_string(changed_fields, ',') ORDER BY place, id) AS fields
         FROM (
              (SELECT 0 AS place, '{FLEET_ID}' AS id, changed_fields FROM manager_config_versions
                WHERE change_set = s.change_set {{narrow_fleet}} LIMIT 1)
              UNION ALL
              (SELECT 1, id, changed_fields FROM trader_config_versions
                WHERE change_set = s.change_set {{narrow_traders}} ORDER BY id LIMIT {SHOWN})
              ORDER BY 1, 2 LIMIT {SHOWN}) few) shown
 ORDER BY s.change_set DESC
"""


def change_sets(where: Filter, *, before: int | None = None, limit: int) -> list[ChangeSetLine]:
    """The newest change sets older than `before`. One statement; a page deeper costs the same.

    A set is found by any of its versions that matches; who, why and whence are the same for all of them.
    """
    every = _given(where)
    if before is not None:
        every[_BEFORE] = before
    narrow = {test: value for test, value in every.items() if test in _OF_ONE_VERSION}
    text = _SETS.format(
        found=_found(where, every),
        fleet=_where(every, f"'{FLEET_ID}'"),
        narrow_traders=_where(narrow, "id", "AND"),
        narrow_fleet=_where(narrow, f"'{FLEET_ID}'", "AND"),
    )
    return [_line(row) for row in sql.rows(text, {**_parameters(where), "before": before, "limit": limit})]


def _found(where: Filter, every: Mapping[str, Any]) -> str:
    """The traders' versions that match. Those of one trader or of a period are found by an index of their own."""
    if where.config_id or not where.paths:
        return _FOUND.format(how="NOT MATERIALIZED", every=_where(every, "id"))
    if where.since or where.until:
        # The planner alone would go through all versions from the newest, in the hope of a page of them soon.
        return _FOUND.format(how="MATERIALIZED", every=_where(every, "id"))
    of_set = [test for test in every if test in _OF_A_SET]
    place = [test for test in every if test in _OF_A_PLACE]
    version = [test for test in every if test not in _OF_A_SET | _OF_A_PLACE]
    return _FOUND_BY_PATH.format(
        place=_where(place, "", "AND"), version=_where(version, "", "AND"), set=_where(of_set, "")
    )


def rows(where: Filter, *, batch: int = 5000) -> Iterator[Any]:
    """Every matching version, newest first: rows of change_set, config_id, version, changed_at, changed_by, reason,
    source, account_id, changed_fields.

    A statement a batch, each from where the last one ended: no cursor stays open while a browser reads, and what
    is saved meanwhile is newer than the beginning.
    """
    given = _given(where)
    end: dict[str, Any] = {}
    parameters: dict[str, Any] = {**_parameters(where), "batch": batch}
    while True:
        tests = {**given, **end}
        text = _VERSIONS.format(traders=_where(tests, "id"), fleet=_where(tests, f"'{FLEET_ID}'"))
        found = sql.rows(
            f"SELECT * FROM ({text}) v ORDER BY change_set DESC, config_id DESC LIMIT %(batch)s", parameters
        )
        yield from found
        if len(found) < batch:
            return
        end = {"(change_set, {id}) < (%(end_set)s, %(end_id)s)": True}
        parameters |= {"end_set": found[-1].change_set, "end_id": found[-1].config_id}


def actors() -> list[str]:
    """Everybody who ever changed a configuration."""
    return _distinct("history_user_id")


def sources() -> list[str]:
    return _distinct("source")


def _distinct(column: str) -> list[str]:
    """A loose index scan: the distinct values of a column, each found by one step in its index."""
    text = f"""
        WITH RECURSIVE found AS (
            (SELECT {column} AS value FROM trader_config_versions ORDER BY {column} LIMIT 1)
            UNION ALL
            SELECT (SELECT {column} FROM trader_config_versions WHERE {column} > found.value
                     ORDER BY {column} LIMIT 1) FROM found WHERE found.value IS NOT NULL
        )
        SELECT value FROM found WHERE value IS NOT NULL
        UNION SELECT {column} FROM manager_config_versions ORDER BY 1
    """
    return sql.values(text)


_TESTS = {
    "config_id": "{id} = %(config_id)s",
    "actor": "history_user_id = %(actor)s",
    "paths": "changed_fields && %(paths)s::text[]",
    "source": "source = %(source)s",
    "since": "history_date >= %(since)s",
    "until": "history_date < %(until)s",
    "change_set": "change_set = %(change_set)s",
}
_BEFORE = "change_set < %(before)s"
# The same for all versions of a change set, but for their moments, which may be some microseconds apart.
_OF_A_SET = frozenset({_TESTS["actor"], _TESTS["source"]})
_OF_A_PLACE = frozenset({_TESTS["change_set"], _BEFORE})
# What versions of one change set differ in.
_OF_ONE_VERSION = frozenset({_TESTS["config_id"], _TESTS["paths"]})


def _parameters(where: Filter) -> dict[str, Any]:
    return {name: getattr(where, name) for name in _TESTS} | {"paths": sorted(where.paths)}


def _given(where: Filter) -> dict[str, Any]:
    """{condition: its value} of what is asked for."""
    given = {test: getattr(where, name) for name, test in _TESTS.items()}
    return {test: value for test, value in given.items() if value or value == 0}


def _where(tests: Collection[str], config_id: str, word: str = "WHERE") -> str:
    return f"{word} {' AND '.join(tests)}".format(id=config_id) if tests else ""


def _line(row: Any) -> ChangeSetLine:
    fields = dict.fromkeys(path for text in row.changed for path in text.split(",") if path)
    return ChangeSetLine(
        change_set=row.change_set,
        changed_at=row.changed_at,
        changed_by=row.changed_by,
        account_id=row.account_id,
        reason=row.reason,
        source=row.source,
        configs=row.configs,
        created=row.created,
        config_ids=tuple(row.config_ids),
        changed_fields=tuple(fields),
    )
