"""Spreads the record by trader: the plan, the change, the proof."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from trading.record.distribution import queries, writer
from trading.record.distribution.rules import KEYS, LOCAL_TRIGGERS, TABLES, TWINS, NotSpreadable, RowRule

MOST_SHARDS = 4096
Figures = dict[str, tuple[str, ...]]
"""{table: (rows, sums)} as texts."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What `distribute` does to this database. `is_done`: it is spread already, and nothing is left to do but to empty
    the tables in `leftover`. `is_restored`: a backup of a spread record, whose tables only have to be spread again."""

    shards: int
    nodes: list[str]
    rows: dict[str, int]
    keys: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    triggers: list[tuple[str, str]] = field(default_factory=list)
    foreign_keys: list[tuple[str, str, str]] = field(default_factory=list)
    rules: list[RowRule] = field(default_factory=list)
    leftover: list[str] = field(default_factory=list)
    is_done: bool = False
    is_restored: bool = False


def plan(shards: int) -> Plan:
    """Raises NotSpreadable."""
    if not 1 <= shards <= MOST_SHARDS:
        raise NotSpreadable(f"--shards must be from 1 to {MOST_SHARDS:,}, was {shards}")
    _require_extension()
    nodes = [f"{one.nodename}:{one.nodeport}" for one in queries.nodes() if one.shouldhaveshards]
    rows = {table: queries.estimated(table) for table in TABLES}
    if _is_done():
        leftover = [table for table, size in queries.sizes().items() if size]
        return Plan(queries.said().shards, nodes, rows, leftover=leftover, is_done=True)
    if _is_restored():
        own = [(one.table, one.name, one.target) for one in queries.foreign_keys()]
        return Plan(shards, nodes, rows, foreign_keys=own, is_restored=True)
    _require_undivided()
    found = queries.triggers([*TABLES, *LOCAL_TRIGGERS])
    rules = queries.row_rules(found)
    keys = queries.primary_keys()
    _require_whole(found, rules)
    _require_no_pointers()
    _require_rows(rules)
    gone = [(one.table, one.name) for one in found if one.table in TABLES or one.name in LOCAL_TRIGGERS[one.table]]
    return Plan(
        shards,
        nodes,
        rows,
        keys={name: (keys[name].name, key) for name, key in KEYS.items() if tuple(keys[name].columns) != key},
        triggers=gone,
        foreign_keys=[(one.table, one.name, one.target) for one in queries.foreign_keys()],
        rules=rules,
    )


def distribute(shards: int, *, actor: str, told: Callable[[str], None]) -> tuple[Plan, Figures]:
    """Does it, all or nothing, and returns the plan as it was and the figures that are proved equal. `told` hears of
    each step. Raises NotSpreadable, also where a figure differs afterwards."""
    with writer.alone():
        asked = plan(shards)
        if not asked.is_done:
            before = _counted(told)
            _change(asked, told)
            for table in TABLES:
                told(f"spreading {table}: {before[table][0]} rows")
                writer.spread(table, shards)
            writer.bind_messages()
            _require_equal(before, _counted(told))
            writer.mark(shards, actor)
    # In transactions of their own: the copies can be seen by then.
    for table in TABLES if not asked.is_done else asked.leftover:
        told(f"emptying the former {table}")
        writer.empty_local(table)
    return asked, verify()


def verify() -> Figures:
    return {table: queries.figures(table) for table in TABLES}


def _counted(told: Callable[[str], None]) -> Figures:
    found = {}
    for table in TABLES:
        told(f"adding up {table}")
        found[table] = queries.figures(table)
    return found


def _change(asked: Plan, told: Callable[[str], None]) -> None:
    told(f"removing {len(asked.triggers)} triggers and {len(asked.foreign_keys)} foreign keys")
    for table, name in asked.triggers:
        writer.drop_trigger(table, name)
    for table, name, _target in asked.foreign_keys:
        writer.drop_constraint(table, name)
    for table, (name, columns) in asked.keys.items():
        told(f"replacing the key of {table}")
        writer.replace_key(table, name, columns)
    for rule in asked.rules:
        told(f"adding the constraint {rule.name}")
        writer.add_rule(rule)


def _require_extension() -> None:
    found = queries.extension()
    if found.installed:
        return
    if found.available:
        raise NotSpreadable(
            f"database {found.database} does not have the extension citus. As a superuser of the database run: CREATE"
            " EXTENSION citus"
        )
    raise NotSpreadable(
        "this PostgreSQL has no Citus. Install Citus on every server, make citus the first entry of"
        " shared_preload_libraries, start PostgreSQL again, and as a superuser run in database"
        f" {found.database}: CREATE EXTENSION citus"
    )


def _is_done() -> bool:
    """Raises NotSpreadable for a form that is neither plain nor the one that this command makes."""
    spread, is_marked = queries.spread_tables(), queries.is_marked()
    if not spread and (not is_marked or _is_restored()):
        return False
    names = [one.name for one in spread]
    if missing := sorted(set(TABLES) - set(names)):
        raise NotSpreadable(
            f"the record is spread in part: {', '.join(names) or 'no table'} is, {', '.join(missing)} is not. This"
            " command makes all of it in one transaction, so another program did this. Restore the backup from before"
        )
    if wrong := [one.name for one in spread if one.column != "trader_id"]:
        raise NotSpreadable(f"{', '.join(wrong)} is spread by another column than trader_id")
    if len({one.colocationid for one in spread}) > 1:
        raise NotSpreadable("the record's tables are spread apart from each other: they must be colocated")
    if not is_marked:
        raise NotSpreadable(
            "the record's tables are spread, but not by this command: nothing is known of their keys and rules."
            " Restore the backup from before"
        )
    return True


def _is_restored() -> bool:
    """Whether all is as this command leaves it, except that no table is spread: a dump of one is of plain tables."""
    if not queries.is_marked() or queries.spread_tables():
        return False
    found = queries.primary_keys()
    return not queries.triggers(list(TABLES)) and all(tuple(found[name].columns) == key for name, key in KEYS.items())


def _require_whole(found: list[object], rules: list[RowRule]) -> None:
    """Every trigger of the record is one that this release knows a twin of, and none of them is missing."""
    names = {one.name for one in found}  # type: ignore[attr-defined]
    checked = {rule.trigger for rule in rules} | {rule.name for rule in rules}
    if unknown := sorted(names - set(TWINS) - checked):
        raise NotSpreadable(f"triggers of the record that this release does not know: {', '.join(unknown)}")
    if missing := sorted(set(TWINS) - names):
        raise NotSpreadable(
            f"triggers of the record are missing: {', '.join(missing)}. Run manage.py migrate; if they are still"
            " missing, restore the backup: the record is in a halfway state"
        )


def _require_undivided() -> None:
    if divided := queries.divided(TABLES):
        raise NotSpreadable(
            f"{', '.join(divided)} is divided by month (manage.py equity_months): a record is spread or divided, not"
            " both. Restore a backup from before it was divided"
        )


def _require_no_pointers() -> None:
    if found := queries.pointed_at():
        named = ", ".join(f"{one.table}.{one.name} to {one.target}" for one in found)
        raise NotSpreadable(f"foreign keys of other tables refer to the record, which Citus does not allow: {named}")


def _require_rows(rules: list[RowRule]) -> None:
    """A rule that is a constraint holds for every row, not for new ones alone."""
    for rule in rules:
        if broken := queries.breaking(rule):
            raise NotSpreadable(
                f"rows of {rule.table} from before the rule {rule.name} break it: {', '.join(broken)}. Correct them or"
                " set them aside (manage.py check_record lists them)"
            )


def _require_equal(before: Figures, after: Figures) -> None:
    for table, figures in before.items():
        if figures != after[table]:
            raise NotSpreadable(
                f"{table} has other rows or sums after it was spread ({', '.join(figures)} before,"
                f" {', '.join(after[table])} after): nothing was changed"
            )
