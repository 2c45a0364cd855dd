"""What the tables are declared to hold: the plan's columns, and each deviation with its reason."""

from __future__ import annotations

from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.models import UniqueConstraint

from nof0site.guards.made import indexes_made_in_sql
from traders.schema.messages import TranslatableText, _, joined

APPS = ("traders", "trading")
PLAN_COLUMNS = {
    "trader_config": frozenset(
        {"id", "version", "exchange_provider", "market_provider", "allocation_pct", "detail"}
        | {"created_at", "updated_at", "created_by"}
    ),
    "trader_runtime_state": frozenset({"trader_id", "active_config_version", "is_running", "detail", "updated_at"}),
    "trader_symbol_cooldowns": frozenset({"trader_id", "symbol", "cooldown_until", "detail", "created_at"}),
    "positions": frozenset({"id", "trader_id", "symbol", "side", "status", "detail", "created_at", "updated_at"}),
    "trades": frozenset({"id", "trader_id", "symbol", "side", "close_ts_ms", "detail", "created_at"}),
}
"""{table: its columns in the plan}, those of the audit included."""

MORE_COLUMNS = {
    ("positions", "exclusion_id"): _("the mark of a row that was set aside, for covering indexes"),
    ("trades", "exclusion_id"): _("the mark of a row that was set aside, for covering indexes"),
}

JSONB_COLUMNS = frozenset(
    {
        *("trader_config.detail", "trader_config_versions.detail", "manager_config.detail"),
        *("manager_config_versions.detail", "yaml_base.declared", "sync_conflicts.declared"),
        *("trader_runtime_state.detail", "trader_symbol_cooldowns.detail", "trader_controls.detail"),
        *("positions.detail", "trades.detail", "decision_journal.detail"),
    }
)
"""The twelve columns of settings and of the record."""

PAYLOADS = {
    "alarms.parameters": _("a message to be sent"),
    "alarms.figures": _("a message to be sent"),
    "form_drafts.fields": _("a form that is not saved"),
    "manager_cycles.detail": _("a decision that is not recorded yet"),
    "exchange_differences.detail": _("a report that waits for a person"),
    "move_ins.report": _("the report of a move from a former schema"),
    "move_ins.rejects": _("the report of a move from a former schema"),
}
"""JSONB columns beside them: what waits or was reported once, and is neither settings nor record."""

LEGACY_TABLES = frozenset(
    {"models", "price_ticks", "price_latest", "accounts", "account_equity_snapshots", "model_analytics"}
    | {"conversations", "decision_cycles", "market_assets", "market_asset_ctx", "trader_state"}
    | {"account_snapshots", "market_metrics", "klines"}
)
"""Tables of the former schemas whose names no table of ours has."""
REDUNDANT_TABLES = frozenset({"price_latest", "market_asset_ctx", "model_analytics"})
LEGACY_VIEWS = frozenset({"v_crypto_prices_latest", "v_leaderboard", "v_since_inception"})
REFRESH_FUNCTION = "refresh_views_nof0"
UNUSED_COLUMNS = frozenset(
    {("positions", "index_col"), ("trades", "entry_liquidation"), ("trades", "exit_liquidation")}
)
"""The three JSONB columns of phase 4."""


def tables_of_ours() -> frozenset[str]:
    """The tables of our models, of their versions too."""
    return frozenset(model._meta.db_table for app in APPS for model in apps.get_app_config(app).get_models())


def declared_indexes() -> dict[str, str]:
    """{index: its table} of every index and unique rule that a model names, or that SQL of a migration makes."""
    migrations = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    ours = [one for (app, _name), one in sorted(migrations.items()) if app in APPS]
    found = indexes_made_in_sql(ours)
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            unique = [rule.name for rule in model._meta.constraints if isinstance(rule, UniqueConstraint)]
            names = [*(index.name for index in model._meta.indexes), *unique]
            found |= dict.fromkeys(names, model._meta.db_table)
    return found


def indexed_columns() -> set[tuple[str, str]]:
    """(table, column) of every field for which its model wants an index that it does not name."""
    return {
        (model._meta.db_table, field.column)
        for app in APPS
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.local_fields
        if field.column and not field.primary_key and (field.db_index or field.unique)  # type: ignore[attr-defined]
    }


def index_columns(name: str) -> set[str]:
    """The columns that the model declares for this index, included ones too."""
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            for index in model._meta.indexes:
                if index.name == name:
                    fields = {field for field, _order in index.fields_orders} | set(index.include or ())
                    return {str(model._meta.get_field(field).column) for field in fields}  # type: ignore[union-attr]
    return set()


def reasons(columns: dict[str, TranslatableText]) -> TranslatableText:
    """`table.column (reason)`, for a sentence."""
    return joined(
        ", ", [_("%(column)s (%(reason)s)", column=name, reason=why) for name, why in sorted(columns.items())]
    )
