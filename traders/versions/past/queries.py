"""The fleet at a moment, a page at a time: one pass over one version of each trader, however long the histories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from traders.database import sql
from traders.models import TraderConfigVersion
from traders.schema.settings.stored import StoredConfig
from traders.versions import rows

_THEN = """
SELECT c.id, v.*
  FROM trader_config c CROSS JOIN LATERAL (
       SELECT history_id, allocation_pct, exchange_provider, market_provider,
              detail ->> 'display_name' AS name, coalesce(detail #>> '{llm,model}', '') AS model,
              detail -> 'retired' IS NOT DISTINCT FROM 'true'::jsonb AS retired
         FROM trader_config_versions v
        WHERE v.id = c.id AND v.history_date <= %(at)s
        ORDER BY v.history_date DESC LIMIT 1) v
"""
_MATCHES = """
(%(search)s = '' OR strpos(lower(id), lower(%(search)s)) > 0 OR strpos(lower(name), lower(%(search)s)) > 0)
AND (%(exchange)s::text IS NULL OR exchange_provider = %(exchange)s)
AND (%(market)s::text IS NULL OR market_provider = %(market)s)
AND (%(model)s::text IS NULL OR model = %(model)s)
AND (%(retired)s::boolean IS NULL OR retired = %(retired)s)
"""
_COUNTS = f"""
SELECT count(*) FILTER (WHERE NOT retired) AS traders, count(*) FILTER (WHERE retired) AS retired,
       coalesce(sum(allocation_pct) FILTER (WHERE NOT retired), 0) AS allocated_pct,
       count(*) FILTER (WHERE matches) AS matching,
       (array_agg(history_id ORDER BY id) FILTER (WHERE matches))[%(first)s:%(last)s] AS ids,
       array_agg(DISTINCT exchange_provider) AS exchanges, array_agg(DISTINCT market_provider) AS markets,
       array_agg(DISTINCT model) AS models
  FROM (SELECT *, ({_MATCHES}) AS matches FROM ({_THEN}) t) t
"""
_ROWS = """
SELECT v.*, c.version AS version_now
  FROM trader_config_versions v JOIN trader_config c ON c.id = v.id
 WHERE v.history_id = ANY (%s) ORDER BY v.id
"""


@dataclass(frozen=True, slots=True)
class Search:
    """A filter of the traders at that moment. `text` is a part of an id or a name, in any case; None means any."""

    text: str = ""
    exchange: str | None = None
    market: str | None = None
    model: str | None = None
    retired: bool | None = None


@dataclass(frozen=True, slots=True)
class TraderAsOf:
    """A trader's configuration at a moment, and the number of its current version."""

    config: StoredConfig
    version_now: int


@dataclass(frozen=True, slots=True)
class PageAsOf:
    """`traders` and `retired` count all that existed, `matching` those of the filter; `lines` is a page of them."""

    traders: int
    retired: int
    allocated_pct: Decimal
    matching: int
    lines: list[TraderAsOf]
    exchanges: list[str]
    markets: list[str]
    models: list[str]


def page_at(moment: datetime, search: Search, *, offset: int, limit: int) -> PageAsOf:
    """In order of id. Two statements."""
    (sums,) = sql.rows(_COUNTS, _parameters(moment, search) | {"first": offset + 1, "last": offset + limit})
    found: Any = TraderConfigVersion.objects.raw(_ROWS, [sums.ids or []])
    return PageAsOf(
        traders=sums.traders,
        retired=sums.retired,
        allocated_pct=sums.allocated_pct,
        matching=sums.matching,
        lines=[TraderAsOf(rows.stored(row), row.version_now) for row in found],
        exchanges=sums.exchanges or [],
        markets=sums.markets or [],
        models=sums.models or [],
    )


def _parameters(moment: datetime, search: Search) -> dict[str, Any]:
    return {
        "at": moment,
        "search": search.text,
        "exchange": search.exchange,
        "market": search.market,
        "model": search.model,
        "retired": search.retired,
    }


def matching_ids(moment: datetime, search: Search) -> list[str]:
    """All traders of that moment that match, in order."""
    text = f"SELECT id FROM ({_THEN}) t WHERE {_MATCHES} ORDER BY id"
    return sql.values(text, _parameters(moment, search))


def changed_since(moment: datetime) -> list[str]:
    """Traders that existed at `moment` and have a newer version since."""
    return _ids("min(version) > 1", moment)


def paths_since(moment: datetime) -> list[str]:
    """All paths of traders and of the fleet's settings that versions after `moment` changed."""
    text = """
        SELECT DISTINCT unnest(changed_fields) FROM trader_config_versions WHERE history_date > %(at)s
        UNION SELECT unnest(changed_fields) FROM manager_config_versions WHERE history_date > %(at)s ORDER BY 1
    """
    return sql.values(text, {"at": moment})


def count_made_since(moment: datetime) -> int:
    return len(_ids("min(version) = 1", moment))


def _ids(condition: str, moment: datetime) -> list[str]:
    text = f"SELECT id FROM trader_config_versions WHERE history_date > %s GROUP BY id HAVING {condition} ORDER BY id"
    return sql.values(text, [moment])
