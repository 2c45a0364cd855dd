"""The change log of the fleet: change sets, newest first, by traders, person, path, source, period and risk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from traders.database import sql
from traders.schema import jsonio
from traders.schema.paths import ABSENT, EXTRA, Change
from traders.schema.settings.declare import REQUIRED, Setting
from traders.schema.settings.fleet import FLEET_ID
from traders.versions.rules.proposal import settings_of

_VERSIONS = f"""
SELECT change_set, id AS config_id, version, history_date AS changed_at, history_user_id AS changed_by,
       history_change_reason AS reason, source, account_id, changed_fields
  FROM trader_config_versions {{traders}}
UNION ALL
SELECT change_set, '{FLEET_ID}', version, history_date, history_user_id, history_change_reason, source,
       account_id, changed_fields
  FROM manager_config_versions {{fleet}}
"""
_PAGE = f"SELECT * FROM ({_VERSIONS}) v ORDER BY change_set DESC, config_id DESC LIMIT %(batch)s"

_IN_DETAIL = "{row}.detail #> (string_to_array(path, '.'))[2:]"
_COLUMNS = " ".join(
    f"WHEN '{name}' THEN to_jsonb({{row}}.{name})"
    for name in ("allocation_pct", "exchange_provider", "market_provider")
)
_OF_TRADER = f"CASE path {_COLUMNS} ELSE {_IN_DETAIL} END"


def _valued(table: str, config_id: str, value: str) -> str:
    """The versions of `page` that are of one table, with the values of their changed paths before and after as JSON
    lists; `olds` is NULL where there is no version before."""
    listed = f"SELECT jsonb_agg({value} ORDER BY place) FROM unnest(v.changed_fields) WITH ORDINALITY c (path, place)"
    return f"""
        SELECT page.*, CASE WHEN b.id IS NOT NULL THEN ({listed.format(row="b")}) END::text AS olds,
               ({listed.format(row="v")})::text AS news
          FROM page JOIN {table} v ON {config_id} = page.config_id AND v.version = page.version
          LEFT JOIN {table} b ON b.id = v.id AND b.version = v.version - 1
    """


_PAGE_VALUED = f"""
WITH page AS MATERIALIZED ({_PAGE})
{_valued("trader_config_versions", "v.id", _OF_TRADER)}
UNION ALL
{_valued("manager_config_versions", f"'{FLEET_ID}'", _IN_DETAIL)}
ORDER BY change_set DESC, config_id DESC
"""


@dataclass(frozen=True, slots=True)
class Filter:
    """Empty means any. `config_ids`: one of several; `paths`: a change of at least one of them; the period is [since,
    until). `raises`: a change that raises risk, of one of the paths where there are some."""

    config_id: str = ""
    config_ids: tuple[str, ...] = ()
    actor: str = ""
    paths: frozenset[str] = frozenset()
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    change_set: int | None = None
    raises: bool = False


@dataclass(frozen=True, slots=True)
class PathCount:
    """In how many configurations a change set changed a path, and in how many of them it raised risk."""

    path: str
    configs: int
    raising: int


@dataclass(frozen=True, slots=True)
class ChangeSetLine:
    """One line of the log. `configs`, `created` and `config_ids`, at most `SHOWN` of them, are of those that match the
    filter; `counts` are of the whole change set, the most frequent path first."""

    change_set: int
    changed_at: datetime
    changed_by: str
    account_id: int | None
    reason: str
    source: str
    configs: int
    created: int
    config_ids: tuple[str, ...]
    counts: tuple[PathCount, ...]


SHOWN = 3

_FOUND = "found AS {how} (SELECT change_set FROM trader_config_versions {every})"
# With a filter of settings or of risk: the change sets that match it, newest first. One version of each must match the
# rest of the filter.
_FOUND_BY_PATH = """
found AS MATERIALIZED (
    SELECT change_set
      FROM (SELECT DISTINCT change_set FROM config_change_set_paths
             WHERE {matching} {place} ORDER BY change_set DESC) of_paths
     CROSS JOIN LATERAL (
           SELECT history_user_id, source FROM trader_config_versions v
            WHERE v.change_set = of_paths.change_set {version} LIMIT 1) one
           {set}
     ORDER BY change_set DESC LIMIT %(limit)s
)
"""

# First the numbers of the newest change sets, then the columns of each line. A change set of ten thousand versions is
# counted in an index, and two or three of its rows are read.
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
       t.created + f.created AS created, shown.ids AS config_ids, counted.paths, counted.configs AS path_configs,
       counted.raising
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
       SELECT array_agg(id ORDER BY place, id) AS ids
         FROM (
              (SELECT 0 AS place, '{FLEET_ID}' AS id FROM manager_config_versions
                WHERE change_set = s.change_set {{narrow_fleet}} LIMIT 1)
              UNION ALL
              (SELECT 1, id FROM trader_config_versions
                WHERE change_set = s.change_set {{narrow_traders}} ORDER BY id LIMIT {SHOWN})
              ORDER BY 1, 2 LIMIT {SHOWN}) few) shown
 CROSS JOIN LATERAL (
       SELECT array_agg(path ORDER BY configs DESC, path) AS paths,
              array_agg(configs ORDER BY configs DESC, path) AS configs,
              array_agg(raising ORDER BY configs DESC, path) AS raising
         FROM config_change_set_paths WHERE change_set = s.change_set) counted
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
        fleet=_where(every, _FLEET),
        narrow_traders=_where(narrow, _TRADERS, "AND"),
        narrow_fleet=_where(narrow, _FLEET, "AND"),
    )
    return [_line(row) for row in sql.rows(text, {**_parameters(where), "before": before, "limit": limit})]


def _found(where: Filter, every: Mapping[str, Any]) -> str:
    """The versions of traders that match. A filter of one trader or of a period uses an index of its own."""
    if where.config_id or where.config_ids or not (where.paths or where.raises):
        return _FOUND.format(how="NOT MATERIALIZED", every=_where(every, _TRADERS))
    if where.since or where.until:
        # Without this the planner would read all versions from the newest on, expecting to fill a page soon.
        return _FOUND.format(how="MATERIALIZED", every=_where(every, _TRADERS))
    of_set = [test for test in every if test in _OF_A_SET]
    place = [test for test in every if test in _OF_A_PLACE]
    version = [test for test in every if test not in _OF_A_SET | _OF_A_PLACE | {_in_set(where)}]
    return _FOUND_BY_PATH.format(
        matching=_matching(where),
        place=_where(place, _TRADERS, "AND"),
        version=_where(version, _TRADERS, "AND"),
        set=_where(of_set, _TRADERS),
    )


def rows(where: Filter, *, batch: int = 5000, with_values: bool = False) -> Iterator[Any]:
    """Every matching version, newest first: rows of change_set, config_id, version, changed_at, changed_by, reason,
    source, account_id, changed_fields. With `with_values` a row can be given to `changes_of`.

    A statement a batch, each from where the last one ended: no cursor stays open while a browser reads, and what
    is saved meanwhile is newer than the beginning.
    """
    given = _given(where)
    end: dict[str, Any] = {}
    parameters: dict[str, Any] = {**_parameters(where), "batch": batch}
    page = _PAGE_VALUED if with_values else _PAGE
    while True:
        tests = {**given, **end}
        found = sql.rows(page.format(traders=_where(tests, _TRADERS), fleet=_where(tests, _FLEET)), parameters)
        yield from found
        if len(found) < batch:
            return
        end = {"(change_set, {id}) < (%(end_set)s, %(end_id)s)": True}
        parameters |= {"end_set": found[-1].change_set, "end_id": found[-1].config_id}


def changes_in(keys: Iterable[tuple[int, str]]) -> dict[tuple[int, str], tuple[Change, ...]]:
    """{(change set, config_id): its changes}, of those that exist. One statement."""
    wanted = list(keys)
    if not wanted:
        return {}
    # The numbers stand beside the pairs, because only they are looked up in an index of both tables.
    pairs = "SELECT * FROM unnest(%(sets)s::bigint[], %(ids)s::text[])"
    among = f"change_set = ANY (%(sets)s) AND (change_set, {{id}}) IN ({pairs})"
    text = _PAGE_VALUED.format(traders=_where([among], _TRADERS), fleet=_where([among], _FLEET))
    parameters = {"sets": [key[0] for key in wanted], "ids": [key[1] for key in wanted], "batch": len(wanted)}
    return {(row.change_set, row.config_id): changes_of(row) for row in sql.rows(text, parameters)}


def changes_of(row: Any) -> tuple[Change, ...]:
    """The changes of a version of `rows(with_values=True)`; none of a first version."""
    if row.olds is None or row.news is None:
        return ()
    settings = settings_of(row.config_id)
    sides = (jsonio.loads_stored(row.olds), jsonio.loads_stored(row.news))
    return tuple(
        Change(path, *(_stood(settings.get(path), path, value) for value in values))
        for path, *values in zip(row.changed_fields, *sides, strict=True)
    )


def _stood(setting: Setting | None, path: str, value: Any) -> Any:
    """A setting that a version lacks stood at its default; a key of the extra section was not there."""
    if value is not None:
        return value
    if path.startswith(EXTRA + "."):
        return ABSENT
    return None if setting is None or setting.default is REQUIRED else setting.default


def actors() -> list[str]:
    """All actors of the history."""
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
    "config_ids": "{id} = ANY (%(config_ids)s)",
    "actor": "history_user_id = %(actor)s",
    "paths": "changed_fields && %(paths)s::text[]",
    "source": "source = %(source)s",
    "since": "history_date >= %(since)s",
    "until": "history_date < %(until)s",
    "change_set": "change_set = %(change_set)s",
}
_BEFORE = "change_set < %(before)s"
# Columns that are equal in all versions of a change set; their moments may differ by microseconds.
_OF_A_SET = frozenset({_TESTS["actor"], _TESTS["source"]})
_OF_A_PLACE = frozenset({_TESTS["change_set"], _BEFORE})
# Columns in which versions of one change set differ.
_VERSION_RAISES = """
EXISTS (SELECT FROM {table} b CROSS JOIN unnest({table}.changed_fields) c (path) JOIN setting_risks r USING (path)
         WHERE b.id = {table}.id AND b.version = {table}.version - 1
           AND (%(paths)s::text[] = '{{}}' OR path = ANY (%(paths)s))
           AND nof0_raises_risk(r.riskier, r.off_at_zero, coalesce({old}, nullif(r.fallback, '')::jsonb), {new}))
"""
_OF_ONE_VERSION = frozenset({_TESTS["config_id"], _TESTS["config_ids"], _TESTS["paths"], _VERSION_RAISES})


def _names(table: str, config_id: str, value: str) -> dict[str, str]:
    """What the conditions call the columns of a table."""
    return {"id": config_id, "table": table, "old": value.format(row="b"), "new": value.format(row=table)}


_TRADERS = _names("trader_config_versions", "id", _OF_TRADER)
_FLEET = _names("manager_config_versions", f"'{FLEET_ID}'", _IN_DETAIL)


def _parameters(where: Filter) -> dict[str, Any]:
    return {name: getattr(where, name) for name in _TESTS} | {
        "paths": sorted(where.paths),
        "config_ids": list(where.config_ids),
    }


def _matching(where: Filter) -> str:
    """The condition on the paths of a change set."""
    return " AND ".join(
        [*(["raising > 0"] if where.raises else []), *(["path = ANY (%(paths)s)"] if where.paths else [])]
    )


def _in_set(where: Filter) -> str:
    return f"change_set IN (SELECT change_set FROM config_change_set_paths WHERE {_matching(where)})"


def _given(where: Filter) -> dict[str, Any]:
    """{condition: its value} of the filter."""
    given = {test: getattr(where, name) for name, test in _TESTS.items()}
    if where.raises:
        # What each version of a set raised is looked up only for named traders; of a set it is counted.
        given |= {_in_set(where): True, _VERSION_RAISES: where.config_id or where.config_ids}
    return {test: value for test, value in given.items() if value or value == 0}


def _where(tests: Collection[str], names: Mapping[str, str], word: str = "WHERE") -> str:
    return f"{word} {' AND '.join(tests)}".format(**names) if tests else ""


def _line(row: Any) -> ChangeSetLine:
    counts = zip(row.paths or (), row.path_configs or (), row.raising or (), strict=True)
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
        counts=tuple(PathCount(*count) for count in counts),
    )
