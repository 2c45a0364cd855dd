"""Events of a position are added, never changed or dropped, by whatever program; and their numbers can be read."""

from __future__ import annotations

from django.db import migrations

from migrations.stored_rules import EARLIEST_MS, LARGEST, LATEST_MS, check_rows_from_before

ANY, FROM_0 = f"{{0}} < -{LARGEST:f} || {{0}} > {LARGEST:f}", f"{{0}} < 0 || {{0}} > {LARGEST:f}"
ABOVE_0, PERCENT = f"{{0}} <= 0 || {{0}} > {LARGEST:f}", "{0} <= 0 || {0} > 100"
MS = f"{{0}} < {EARLIEST_MS} || {{0}} > {LATEST_MS} || {{0}} != {{0}}.floor()"

_MONEY = dict.fromkeys(("gross", "commission", "funding"), ANY)
_EVENT = {
    "at_ms": MS,
    **dict.fromkeys(("quantity", "price", "avg_entry", "tp_price", "sl_price"), ABOVE_0),
    "remaining": FROM_0,
    "trailing_stop_pct": PERCENT,
    **_MONEY,
}
# {constraint: (table, part of `detail`, {leaf: what it must not be})}
RULES = {
    "positions_events_can_be_read": ("positions", "events", _EVENT),
    "positions_realized_can_be_read": ("positions", "realized", _MONEY | {"net": ANY}),
    "positions_entry_commission_can_be_read": ("positions", "entry", {"commission": ANY}),
    "trades_funding_can_be_read": ("trades", "pnl", {"funding": ANY}),
}


def _is_broken(part: str, leaves: dict[str, str]) -> str:
    """SQL: a leaf of the part is no JSON number, or beyond its bounds. Lists are looked into."""
    tests = " || ".join(
        f'(@.{leaf}.type() != "number" && @.{leaf}.type() != "null") || ({test.format(f"@.{leaf}")})'
        for leaf, test in leaves.items()
    )
    return f"detail @? '$.{part} ? ({tests})'"


CHECKS = "".join(
    f"ALTER TABLE {table} ADD CONSTRAINT {name}"
    f" CHECK (exclusion_id IS NOT NULL OR NOT {_is_broken(part, leaves)}) NOT VALID;\n"
    for name, (table, part, leaves) in RULES.items()
)
DROP_CHECKS = "".join(f"ALTER TABLE {table} DROP CONSTRAINT {name};\n" for name, (table, *_rest) in RULES.items())

EVENTS = """
CREATE FUNCTION nof0_keep_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM jsonb_array_elements(OLD.detail -> 'events') WITH ORDINALITY AS e (event, place)
                WHERE jsonb_typeof(NEW.detail -> 'events') IS DISTINCT FROM 'array'
                   OR NEW.detail -> 'events' -> (e.place - 1)::int IS DISTINCT FROM e.event) THEN
        RAISE EXCEPTION 'UPDATE of positions refused: detail.events: events are added at the end, never changed'
            USING ERRCODE = 'check_violation', CONSTRAINT = TG_NAME, TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER positions_keep_events AFTER UPDATE ON positions FOR EACH ROW
    WHEN (jsonb_typeof(OLD.detail -> 'events') = 'array'
          AND NEW.detail -> 'events' IS DISTINCT FROM OLD.detail -> 'events')
    EXECUTE FUNCTION nof0_keep_events();
"""
DROP_EVENTS = """
DROP TRIGGER positions_keep_events ON positions;
DROP FUNCTION nof0_keep_events();
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0009_not_ahead_of_the_clock")]

    operations = [
        migrations.RunSQL(EVENTS, DROP_EVENTS),
        migrations.RunSQL(CHECKS, DROP_CHECKS),
        check_rows_from_before(["positions", "trades"]),
    ]
