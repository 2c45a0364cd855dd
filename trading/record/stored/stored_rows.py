"""Rows of the record as they are stored, for reading every one of them: values that Python cannot hold come as text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from traders.database import sql
from trading.models import ConversationMessage, DecisionJournal, Position, Trade
from trading.record.stored.safe_sql import is_moment

# Of a row's text on a page; a decision holds whole prompts.
MOST_CHARACTERS = 20_000


@dataclass(frozen=True)
class RowSource:
    """`keys` are (column, its type) of the primary key; `columns` are SQL beside them. `batch` rows are in memory at a
    time. `newest` is how the last rows are found, None where the table is small enough to be read whole. `counts` tells
    the rows that were not set aside: an operator has dealt with the others."""

    table: str
    keys: tuple[tuple[str, str], ...]
    columns: tuple[str, ...]
    batch: int = 2_000
    newest: str | None = None
    counts: str = "true"


@dataclass(frozen=True, slots=True)
class StoredRow:
    """`values` by column, without those of the key; `detail` is JSON text."""

    id: str
    values: Mapping[str, Any]


# Whose rows have an id.
TABLES = {model._meta.db_table: model.objects for model in (Trade, Position, DecisionJournal, ConversationMessage)}
_NOT_ASIDE = "exclusion_id IS NULL"
_ID = (("id", "text"),)
_NUMBER = (("id", "bigint"),)
SOURCES = {
    source.table: source
    for source in (
        RowSource(
            *("trades", _ID, ("trader_id", "symbol", "side", "close_ts_ms", "detail::text")),
            newest="close_ts_ms DESC, id",
            counts=_NOT_ASIDE,
        ),
        RowSource(
            *("positions", _ID, ("trader_id", "symbol", "side", "status", "opened_ms", "detail::text")),
            newest="opened_ms DESC, id",
            counts=_NOT_ASIDE,
        ),
        RowSource(
            "decision_journal",
            _NUMBER,
            (
                *("trader_id", "config_version", "cycle_number"),
                f"CASE WHEN {is_moment('decided_at')} THEN decided_at END AS decided_at",
                *("success", "detail::text"),
            ),
            batch=200,
            newest="id DESC",
            counts=_NOT_ASIDE,
        ),
        RowSource(
            "conversation_messages",
            _NUMBER,
            ("role", f"sent_at IS NULL OR {is_moment('sent_at')} AS is_dated"),
            newest="id DESC",
        ),
        RowSource(
            "equity_snapshots",
            (("trader_id", "text"), ("ts_ms", "bigint")),
            ("equity_usd", "realized_pnl_usd", "unrealized_pnl_usd"),
            batch=10_000,
            newest="ts_ms DESC",
            counts=_NOT_ASIDE,
        ),
        RowSource(
            "trader_runtime_state", (("trader_id", "text"),), (f"{is_moment('updated_at')} AS is_dated", "detail::text")
        ),
        RowSource(
            "trader_symbol_cooldowns",
            (("trader_id", "text"), ("symbol", "text")),
            (f"{is_moment('cooldown_until')} AS is_dated", "detail::text"),
        ),
        RowSource(
            "version_results",
            (("trader_id", "text"), ("entry_version", "integer")),
            ("net_pnl", "gross_pnl", "commission", "funding", "first_close_ms", "last_close_ms"),
        ),
    )
}


def every(source: RowSource) -> Iterator[list[StoredRow]]:
    """All rows that count, in batches. Reads by key: no transaction stays open in between."""
    keys = [column for column, _kind in source.keys]
    places = ", ".join(f"%s::{kind}" for _column, kind in source.keys)
    statement = (
        f"SELECT {', '.join(keys)}, {', '.join(source.columns)} FROM {source.table}"
        f" WHERE {source.counts} {{beyond}} ORDER BY {', '.join(keys)} LIMIT {source.batch}"
    )
    found = sql.rows(statement.format(beyond=""))
    while found:
        yield [_identified(source, row) for row in found]
        last = found[-1][: len(keys)]
        found = sql.rows(statement.format(beyond=f"AND ({', '.join(keys)}) > ({places})"), last)


def newest(source: RowSource, limit: int) -> list[StoredRow]:
    """The last rows as `every` gives them; all of a table that is small by its nature."""
    keys = ", ".join(column for column, _kind in source.keys)
    order = f" ORDER BY {source.newest} LIMIT {limit}" if source.newest else f" ORDER BY {keys} LIMIT {limit * 10}"
    found = sql.rows(f"SELECT {keys}, {', '.join(source.columns)} FROM {source.table} WHERE {source.counts}{order}")
    return [_identified(source, row) for row in found]


def estimated() -> dict[str, int]:
    """{table: about how many rows}, as the planner has it."""
    found = sql.rows(
        "SELECT relname, greatest(reltuples, 0)::bigint AS size FROM pg_class WHERE oid = ANY (%s::regclass[])",
        [list(SOURCES)],
    )
    return {row.relname: row.size for row in found}


def texts(ids: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """{(table, id): the whole row as indented JSON, cut where it is very long}. One statement a table."""
    wanted: Mapping[str, list[str]] = _by_table(ids)
    found: dict[tuple[str, str], str] = {}
    for table, some in wanted.items():
        source = SOURCES[table]
        parts = [row_id.rsplit("|", len(source.keys) - 1) if len(source.keys) > 1 else [row_id] for row_id in some]
        whole = [one for one in parts if len(one) == len(source.keys)]
        columns = ", ".join(column for column, _kind in source.keys)
        arrays = ", ".join(f"%s::{kind}[]" for _column, kind in source.keys)
        owned, owners = _owned(source, some)
        rows = sql.rows(
            f"SELECT {columns}, left(jsonb_pretty(to_jsonb(r)), {MOST_CHARACTERS}) AS shown FROM {table} r"
            f" JOIN unnest({arrays}) AS wanted ({columns}) USING ({columns}) WHERE {owned}",
            [*([one[place] for one in whole] for place in range(len(source.keys))), *owners],
        )
        found |= {(table, _id(row[: len(source.keys)])): row.shown for row in rows}
    return found


def _owned(source: RowSource, ids: Sequence[str]) -> tuple[str, list[list[str]]]:
    """The condition that adds the rows' traders where the key does not hold them, with its parameter."""
    if source.keys not in (_ID, _NUMBER):
        return "true", []
    numbers = [int(one) for one in ids if one.isascii() and one.isdigit()]
    table: Any = TABLES[source.table]
    return "r.trader_id = ANY (%s)", [sorted(set(table.owners(ids if source.keys == _ID else numbers).values()))]


def _by_table(ids: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for table, row_id in ids:
        if table in SOURCES:
            found[table].append(row_id)
    return found


def _identified(source: RowSource, row: Any) -> StoredRow:
    keys = len(source.keys)
    return StoredRow(_id(row[:keys]), dict(zip(row._fields[keys:], row[keys:], strict=True)))


def _id(keys: Sequence[Any]) -> str:
    return "|".join(map(str, keys))
