"""Lines about tables, columns and indexes."""

from __future__ import annotations

from collections.abc import Collection

from nof0site.acceptance import queries
from nof0site.acceptance.measures import declared
from nof0site.acceptance.measures.declared import JSONB_COLUMNS, PAYLOADS, PLAN_COLUMNS
from nof0site.acceptance.queries import TableColumn
from nof0site.acceptance.rules import Measured, corrected, named, passed_unless
from traders.schema.messages import TranslatableText, _
from trading.record.distribution.rules import TABLES as SPREAD
from trading.record.stored.spread.form import was_spread

# Of a foreign key: a row that others name is kept.
KEEPS = frozenset("ar")
OF_A_TRADER = (
    *("trader_runtime_state", "trader_symbol_cooldowns", "positions", "trades"),
    *("decision_journal", "conversation_messages", "equity_snapshots", "equity_transfers", "version_results"),
)
_COMPUTED = _("Generated columns are computed by PostgreSQL from `detail`, since an index cannot include a JSON path.")


def position_columns() -> Measured:
    return _plan_columns("positions")


def trade_columns() -> Measured:
    return _plan_columns("trades")


def _plan_columns(table: str) -> Measured:
    """The plan's columns and no other, but for those with a reason and those that PostgreSQL computes."""
    found = queries.columns([table])
    wrong = _beyond_plan(found) + [f"{table}.{name}" for name in PLAN_COLUMNS[table] - {one.name for one in found}]
    core = [one for one in found if one.name in PLAN_COLUMNS[table]]
    jsonb = sum(one.type == "jsonb" for one in found)
    figure = _(
        "%(core)s columns of the plan, %(jsonb)s of them JSONB; %(computed)s generated: %(names)s.",
        core=len(core),
        jsonb=jsonb,
        computed=sum(one.is_generated for one in found),
        names=named([one.name for one in found if one.is_generated]),
    )
    if jsonb > 1:
        wrong += [str(one) for one in found if one.type == "jsonb" and one.name != "detail"]
    return passed_unless(
        sorted(set(wrong)),
        figure=figure,
        then=_move_to_detail(),
        corrected_by=_("%(more)s %(computed)s", more=_more(table), computed=_COMPUTED),
    )


def _more(table: str) -> TranslatableText:
    more = {name: why for (of, name), why in declared.MORE_COLUMNS.items() if of == table}
    return _("Beside the plan: %(columns)s.", columns=declared.reasons(more))


def _beyond_plan(found: Collection[TableColumn]) -> list[str]:
    return [
        str(one)
        for one in found
        if not one.is_generated
        and one.name not in PLAN_COLUMNS[one.relation]
        and (one.relation, one.name) not in declared.MORE_COLUMNS
    ]


def _move_to_detail() -> TranslatableText:
    return _(
        "Move what the named columns hold into `detail` and drop them, or run `manage.py migrate` for a missing one."
    )


def foreign_keys() -> Measured:
    """Every row of a trader names a trader that exists, and a trader with rows cannot be deleted."""
    found = queries.foreign_keys(OF_A_TRADER)
    wanted = {(table, "trader_config") for table in OF_A_TRADER} | {("decision_journal", "trader_config_versions")}
    why = _("The plan's ON DELETE CASCADE would erase the record: a trader with rows is kept, and retired.")
    if was_spread():
        wanted = {(table, target) for table, target in wanted if table not in SPREAD}
        why = _("Tables that Citus spreads have none: who writes them asks for the trader, and `check_record` looks.")
    good = {(one.relation, one.target) for one in found if one.is_valid and one.on_delete in KEEPS}
    figure = _("%(count)s foreign keys to traders and their versions.", count=len(wanted & good))
    return passed_unless(
        [f"{table} -> {target}" for table, target in wanted - good],
        figure=figure,
        then=_(
            "Add or validate the named foreign keys without CASCADE: `manage.py migrate`, `manage.py check_record"
            " --validate`."
        ),
        corrected_by=why,
    )


def legacy_gone() -> Measured:
    """No table, view or function of a former schema."""
    return _absent(declared.LEGACY_TABLES | declared.LEGACY_VIEWS)


def redundant_tables_gone() -> Measured:
    return _absent(declared.REDUNDANT_TABLES)


def _absent(names: Collection[str]) -> Measured:
    found = sorted(set(names) & queries.relations().keys())
    figure = _("%(found)s of %(count)s former tables and views exist.", found=len(found), count=len(names))
    return passed_unless(found, figure=figure, then=_drop(found))


def _drop(found: Collection[str]) -> TranslatableText:
    return _(
        "Save what they hold, then drop them: %(names)s. Another program that still writes them needs a database of"
        " its own.",
        names=named(found),
    )


def views_gone() -> Measured:
    """No materialized view at all, and no function that refreshes them."""
    kinds = queries.relations()
    found = {name for name, kind in kinds.items() if kind == "m"} | declared.LEGACY_VIEWS & kinds.keys()
    found |= set(queries.functions([declared.REFRESH_FUNCTION]))
    figure = _("%(found)s materialized views or functions that refresh them.", found=len(found))
    return passed_unless(sorted(found), figure=figure, then=_drop(found))


def unused_columns_gone() -> Measured:
    found = queries.column_names(["positions", "trades"]) & declared.UNUSED_COLUMNS
    figure = _("%(found)s of the 3 unused columns exist.", found=len(found))
    return passed_unless(sorted(".".join(one) for one in found), figure=figure, then=_move_to_detail())


def jsonb_columns() -> Measured:
    """Twelve JSONB columns hold settings and record; each further one is named with its reason."""
    found = {
        str(one)
        for one in queries.columns(declared.tables_of_ours())
        if one.type.removesuffix("[]") in ("jsonb", "json")
    }
    domain = found & JSONB_COLUMNS
    wrong = found - JSONB_COLUMNS - PAYLOADS.keys()
    figure = _(
        "%(domain)s JSONB columns of settings and record; %(payloads)s of payloads.",
        domain=len(domain | wrong),
        payloads=len(found & PAYLOADS.keys()),
    )
    return passed_unless(
        sorted(wrong),
        figure=figure,
        then=_("Move what the named columns hold into the `detail` of their table, and drop them."),
        corrected_by=_(
            "Not counted: %(columns)s.",
            columns=declared.reasons({name: PAYLOADS[name] for name in found & PAYLOADS.keys()}),
        ),
    )


def redundant_columns() -> Measured:
    """Of the plan's five tables: no stored column repeats another."""
    found = queries.columns(PLAN_COLUMNS)
    wrong = _beyond_plan(found)
    plain = [one for one in found if not one.is_generated]
    figure = _(
        "%(wrong)s of %(plain)s stored columns are redundant (%(pct)s %%); generated: %(names)s.",
        wrong=len(wrong),
        plain=len(plain),
        pct=round(100 * len(wrong) / len(plain)) if plain else 0,
        names=", ".join(str(one) for one in found if one.is_generated),
    )
    return passed_unless(wrong, figure=figure, then=_move_to_detail(), corrected_by=_COMPUTED)


def no_fills_table() -> Measured:
    """Fills stand in `trades.detail.fills`."""
    tables = sorted(name for name, kind in queries.relations().items() if "fill" in name and kind in "rpm")
    recent = queries.recent_trades(200)
    figure = _(
        "No table of fills; %(with_fills)s of the newest %(trades)s trades have their fills in `detail`.",
        with_fills=recent.with_fills,
        trades=recent.trades,
    )
    if tables:
        figure = _("Tables of fills: %(names)s.", names=named(tables))
    if recent.with_fills < recent.trades and not tables:
        why = _("An engine may report a trade without its fills; they cannot be invented.")
        return corrected(figure, why)
    return passed_unless(tables, figure=figure, then=_drop(tables))


def indexes_exist() -> Measured:
    """Every primary key, index and unique rule that a model declares exists, and queries can use it. One that has no
    name of its own is named by its column."""
    named_ones, columns = declared.declared_indexes(), declared.indexed_columns()
    tables = declared.tables_of_ours()
    found = queries.indexes({*tables, *named_ones.values()})
    wrong = [name for name in named_ones if not found.get(name)]
    wrong += [".".join(one) for one in columns - queries.indexed_columns(tables)]
    wrong += [f"{table} (primary key)" for table in tables - queries.with_primary_key(tables)]
    count = len(named_ones) + len(columns) + len(tables)
    figure = _("%(good)s of %(count)s declared indexes can be used.", good=count - len(wrong), count=count)
    return passed_unless(wrong, figure=figure, then=_make_index(wrong))


def _make_index(names: Collection[str]) -> TranslatableText:
    return _(
        "Make the index again: %(names)s. `manage.py sqlmigrate` shows its statement; REINDEX mends an unusable one.",
        names=named(names),
    )
