"""Databases that bear our tables' names without our migrations, told apart by their tables and columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

Columns = Collection[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Generation:
    """`code` names it in reports. Recognised by any of `tables` (tables, not views) or `columns` (table, column)."""

    code: str
    name: str
    tables: frozenset[str]
    columns: frozenset[tuple[str, str]]
    way_out: str

    def is_found_in(self, tables: Collection[str], columns: Columns) -> bool:
        return bool(self.tables & set(tables) or self.columns & set(columns))


_OTHER_DATABASE = (
    "Leave this database as it is and give NOF0 Control an empty one: run `createdb nof0_control` on the same server "
    "and let DATABASE_URL name it, or unset DATABASE_URL for the embedded server. "
)
_RECORDS = (
    "Its records come in from there with `manage.py adopt` (docs/moving-in.md), published files with "
    "`manage.py import_arena`, journal files with `manage.py import_journal`, the fleet with `manage.py sync_traders`."
)

OWN = Generation(
    code="own",
    name="NOF0 Control itself without the list of its migrations, as after a dump was restored without the table "
    "django_migrations",
    tables=frozenset({"trader_config_versions", "manager_config_versions", "config_change_set_paths", "api_tokens"}),
    columns=frozenset({("positions", "opened_ms"), ("trades", "net_pnl"), ("decision_journal", "cycle_number")}),
    way_out="Restore the whole dump, with django_migrations, into an empty database, and let DATABASE_URL name that.",
)
SQUASHED = Generation(
    code="squashed",
    name="the Go engine's last schema (everything in one 001_initial_schema; trades by event_at)",
    tables=frozenset({"account_snapshots", "market_metrics", "klines"}),
    columns=frozenset({("trader_config", "detail_checksum"), ("trades", "event_at")}),
    way_out=_OTHER_DATABASE + _RECORDS,
)
DETAIL = Generation(
    code="detail",
    name="the Go engine's schema with trader_config and detail (its migrations 008 to 011)",
    tables=frozenset({"trader_config_history", "trader_symbol_cooldowns", "trader_runtime_state"}),
    columns=frozenset({("trades", "close_ts_ms"), ("trader_config", "version"), ("positions", "detail")}),
    way_out=_OTHER_DATABASE + _RECORDS,
)
LEGACY = Generation(
    code="legacy",
    name="the Go engine's first schema (rows by model_id; its migrations 001 to 004)",
    tables=frozenset({"trader_state", "model_analytics", "account_equity_snapshots", "market_asset_ctx"}),
    columns=frozenset({("positions", "model_id"), ("trades", "model_id"), ("conversations", "model_id")}),
    way_out=_OTHER_DATABASE + _RECORDS,
)
UNKNOWN = Generation(
    code="own",
    name="the database of another program",
    tables=frozenset(),
    columns=frozenset(),
    way_out=_OTHER_DATABASE.strip(),
)

# Newest first: each later schema was made beside tables of the one before.
_NEWEST_FIRST = (OWN, SQUASHED, DETAIL, LEGACY)


def generation_of(relations: Mapping[str, str], columns: Columns) -> Generation:
    """`relations`: {name: relkind}. A view of a table's name does not count as the table."""
    tables = {name for name, kind in relations.items() if kind in "rp"}
    return next((one for one in _NEWEST_FIRST if one.is_found_in(tables, columns)), UNKNOWN)
