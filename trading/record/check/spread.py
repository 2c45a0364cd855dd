"""Rules of a record that is spread by trader, which triggers and foreign keys hold where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import transaction

from traders.database import sql
from traders.models import TraderConfig
from traders.schema.messages import TranslatableText, _
from trading.record.distribution.rules import JUDGED, KEYS, MARKS

_SUSPECT = "SELECT ts_ms FROM equity_snapshots WHERE trader_id = %s AND is_suspect"
_JUDGE = "SELECT nof0_judge_equity(%s, 0, 9223372036854775807)"
# {table: (kind of its entries, the name of a row in them)}
_NAMED = {
    "trades": ("trade", "r.id"),
    "positions": ("position", "r.id"),
    "decision_journal": ("decision", "r.id::text"),
    "equity_snapshots": ("equity", "r.trader_id || '|' || r.ts_ms"),
}
_VERSIONS = """
SELECT j.id, 'config_version' AS path, j.config_version AS version
  FROM decision_journal j LEFT JOIN trader_config_versions v ON v.id = j.trader_id AND v.version = j.config_version
 WHERE j.config_version IS NOT NULL AND v.version IS NULL
"""


class SpreadRule(NamedTuple):
    """(name, table, query, reason), as a `RecordRule`."""

    name: str
    table: str
    violations: str
    reason: Any


class JudgedOtherwise(NamedTuple):
    id: str
    path: str = "is_suspect"


def rules() -> Iterator[SpreadRule]:
    for table in KEYS:
        yield SpreadRule(f"traders of {table} are there", table, _traders(table), _no_trader)
    yield SpreadRule("versions of decisions are there", "decision_journal", _VERSIONS, _no_version)
    for table in _NAMED:
        yield SpreadRule(f"{MARKS}: {table}", table, _marks(table), _other_mark)
    for table, key in KEYS.items():
        if "id" in key:
            yield SpreadRule(f"ids of {table} are of one trader", table, _twice(table), _shared)
    yield SpreadRule(JUDGED, "equity_snapshots", "", lambda _row: _("is judged otherwise than it stands"))


def judged_otherwise() -> Iterator[JudgedOtherwise]:
    """Points whose judgement is not what the record says. Judges all of it and rolls it back."""
    for trader_id in TraderConfig.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            before = set(sql.values(_SUSPECT, [trader_id]))
            sql.rows(_JUDGE, [trader_id])
            after = set(sql.values(_SUSPECT, [trader_id]))
            transaction.set_rollback(True)
        yield from (JudgedOtherwise(f"{trader_id}|{ts_ms}") for ts_ms in sorted(before ^ after))


def _traders(table: str) -> str:
    return f"""
WITH known AS MATERIALIZED (SELECT id FROM trader_config)
SELECT DISTINCT trader_id AS id, 'trader_id' AS path FROM {table} WHERE trader_id NOT IN (SELECT id FROM known)
"""


def _marks(table: str) -> str:
    kind, name = _NAMED[table]
    return f"""
WITH last AS MATERIALIZED (
    SELECT DISTINCT ON (trader_id, record_id) trader_id, record_id, action, id FROM record_exclusions
     WHERE kind = '{kind}' ORDER BY trader_id, record_id, id DESC)
SELECT {name} AS id, 'exclusion_id' AS path
  FROM {table} r LEFT JOIN last l ON l.trader_id = r.trader_id AND l.record_id = {name}
 WHERE r.exclusion_id IS DISTINCT FROM CASE l.action WHEN 'exclude' THEN l.id END
"""


def _twice(table: str) -> str:
    return f"SELECT id, 'id' AS path FROM {table} GROUP BY id HAVING count(*) > 1"


def _no_trader(_row: Any) -> TranslatableText:
    return _("is no trader that there is")


def _no_version(row: Any) -> TranslatableText:
    return _("is %(version)s, a version that the trader never had", version=row.version)


def _other_mark(_row: Any) -> TranslatableText:
    return _("must be what the last entry of record_exclusions says")


def _shared(_row: Any) -> TranslatableText:
    return _("is the id of rows of several traders")
