"""Histories as years of work leave them, written as a program writing SQL would: the database checks each version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection, transaction

# The versions that the sync just wrote, dated back: no version is ever changed, so they are written again.
_TAKE_OUT = """
CREATE TEMP TABLE old_traders ON COMMIT DROP AS SELECT * FROM trader_config;
CREATE TEMP TABLE old_trader_versions ON COMMIT DROP AS SELECT * FROM trader_config_versions;
CREATE TEMP TABLE old_settings ON COMMIT DROP AS SELECT * FROM manager_config;
CREATE TEMP TABLE old_settings_versions ON COMMIT DROP AS SELECT * FROM manager_config_versions;
TRUNCATE trader_config, manager_config, config_writes, config_write_versions CASCADE;
"""
_MOVE_INTO_PAST = """
UPDATE old_trader_versions SET history_date = %(start)s, created_at = %(start)s, updated_at = %(start)s;
UPDATE old_settings_versions SET history_date = %(start)s, created_at = %(start)s, updated_at = %(start)s;
INSERT INTO manager_config SELECT * FROM old_settings;
INSERT INTO manager_config_versions SELECT * FROM old_settings_versions;
INSERT INTO trader_config (id, version, exchange_provider, market_provider, allocation_pct, detail, created_at,
                           updated_at, created_by)
SELECT id, version, exchange_provider, market_provider, allocation_pct, detail, created_at, updated_at, created_by
  FROM old_traders;
INSERT INTO trader_config_versions SELECT * FROM old_trader_versions;
"""
# One version of every trader, in sets of so many, the sets spread over the round's time; each set changes one setting.
_ROUND = """
INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,
    created_at, updated_at, created_by, changed_fields, change_set, source, history_date, history_change_reason,
    history_type, history_user_id)
SELECT id, version + 1, exchange_provider, market_provider, allocation_pct,
       jsonb_set(detail, string_to_array(path, '.'), to_jsonb(low + %(follows)s)), created_at, at, created_by,
       ARRAY['detail.' || path], %(last_set)s + 1 + number, %(source)s, at, %(reason)s || number, '~',
       (%(people)s::text[])[1 + number %% array_length(%(people)s::text[], 1)]
  FROM (SELECT *, %(start)s + number * (%(length)s::interval / (1 + max(number) OVER ())) AS at
          FROM (SELECT *, (row_number() OVER (ORDER BY md5(id || version)) - 1) / %(size)s AS number
                  FROM trader_config_versions WHERE version = %(follows)s) p) p
  JOIN unnest(%(paths)s::text[], %(lows)s::int[]) WITH ORDINALITY AS s (path, low, place)
    ON place = 1 + (number + %(follows)s) %% array_length(%(paths)s::text[], 1)
"""
_ONE_TRADER = """
INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,
    created_at, updated_at, created_by, changed_fields, change_set, source, history_date, history_change_reason,
    history_type, history_user_id)
SELECT id, version + n, exchange_provider, market_provider, allocation_pct,
       jsonb_set(detail, '{risk,min_confidence}', to_jsonb(n %% 100)), created_at, history_date + n * %(step)s,
       created_by, '{detail.risk.min_confidence}', nextval('config_change_set_seq'), 'admin',
       history_date + n * %(step)s, 'tuning, round ' || n, '~', 'mei'
  FROM (SELECT * FROM trader_config_versions WHERE id = %(trader)s ORDER BY version DESC LIMIT 1) last,
       generate_series(1, %(versions)s) AS n ORDER BY n
"""
_HEADS = """
UPDATE trader_config c SET version = v.version, detail = v.detail, updated_at = v.history_date
  FROM (SELECT DISTINCT ON (id) * FROM trader_config_versions ORDER BY id, version DESC) v
 WHERE v.id = c.id AND v.version > c.version
"""

PEOPLE = ["ana", "ivo", "lee", "mei", "tom", "zoe"]
# {setting: the lowest of its values}; a round adds its number, which no trader of benchmarks.fleet has.
SETTINGS = {
    "risk.min_confidence": 20,
    "risk.major_coin_leverage": 30,
    "risk.max_positions": 10,
    "order.slippage_bps": 100,
}


@dataclass(frozen=True)
class Kind:
    """How a round changes the fleet: `size` traders in each change set, 0 for all of them in one."""

    source: str
    size: int
    reason: str
    people: list[str]


SYNC = Kind("sync", 0, "sync of manager.yaml, round ", ["sync"])
BULK = Kind("bulk", 250, "less risk after the review, part ", PEOPLE)
EDIT = Kind("admin", 1, "tuned by hand, number ", PEOPLE)
ROUNDS = (EDIT, BULK, EDIT, SYNC, BULK)


def write_years(*, start: datetime, versions: int, a_round: timedelta) -> None:
    """Dates the fleet that was just synced to `start` and gives every trader so many versions, one in each round."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_TAKE_OUT)
        cursor.execute(_MOVE_INTO_PAST, {"start": start})
        for follows in range(1, versions):
            kind = ROUNDS[follows % len(ROUNDS)]
            values = {
                "paths": list(SETTINGS),
                "lows": list(SETTINGS.values()),
                "follows": follows,
                "size": kind.size or 10**9,
                "source": kind.source,
                "reason": kind.reason,
                "people": kind.people,
                "start": start + follows * a_round,
                "length": a_round * 0.9,
                "last_set": _last_set(),
            }
            cursor.execute(_ROUND, values)
            cursor.execute("SELECT setval('config_change_set_seq', max(change_set)) FROM trader_config_versions")
        cursor.execute(_HEADS)


def write_long_history(trader_id: str, *, versions: int, step: timedelta) -> None:
    """So many more versions of one trader, each a change set of its own, `step` after the one before."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_ONE_TRADER, {"trader": trader_id, "versions": versions, "step": step})
        cursor.execute(_HEADS)


def _last_set() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT last_value FROM config_change_set_seq")
        [number] = cursor.fetchone()
    return int(number)
