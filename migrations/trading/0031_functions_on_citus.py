"""The functions that judge equity, so that Citus can run them too where the record is spread by trader.

It refuses rows without a column, and parameters of functions in SQL within its own statements; PL/pgSQL puts their
values in. The judgement is the same.
"""

from __future__ import annotations

from importlib import import_module

from django.db import migrations

_BEFORE = import_module("migrations.trading.0019_suspect_equity")
_list, _ms = _BEFORE._list, _BEFORE._ms
# One question a statement: transfers are on another server than the record.
WAS_MOVED = f"""
CREATE OR REPLACE FUNCTION nof0_equity_was_moved(moved_trader text, after_ms bigint, until_ms bigint) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    PERFORM 1 FROM equity_transfers WHERE trader_id = moved_trader AND ts_ms > after_ms AND ts_ms <= until_ms LIMIT 1;
    IF FOUND THEN RETURN true; END IF;
    PERFORM 1 FROM trades WHERE trader_id = moved_trader AND exclusion_id IS NULL
                            AND close_ts_ms > after_ms AND close_ts_ms <= until_ms LIMIT 1;
    IF FOUND THEN RETURN true; END IF;
    PERFORM 1 FROM positions WHERE trader_id = moved_trader AND status = 'open' AND exclusion_id IS NULL
                               AND opened_ms > after_ms AND opened_ms <= until_ms LIMIT 1;
    IF FOUND THEN RETURN true; END IF;
    PERFORM 1 FROM positions p CROSS JOIN LATERAL jsonb_array_elements({_list("p.detail", "events")}) AS part
             WHERE p.trader_id = moved_trader AND p.status = 'open' AND p.exclusion_id IS NULL
               AND {_ms("part", "at_ms")} > after_ms AND {_ms("part", "at_ms")} <= until_ms LIMIT 1;
    IF FOUND THEN RETURN true; END IF;
    PERFORM 1 FROM trades t CROSS JOIN LATERAL jsonb_array_elements({_list("t.detail", "fills")}) AS fill
             WHERE t.trader_id = moved_trader AND t.exclusion_id IS NULL AND t.close_ts_ms > until_ms
               AND {_ms("fill", "ts_ms")} > after_ms AND {_ms("fill", "ts_ms")} <= until_ms LIMIT 1;
    RETURN FOUND;
END $$;
"""
# The function as the earlier migration made it.
_BEGIN = "FUNCTION nof0_equity_was_moved("
AS_BEFORE = "CREATE OR REPLACE " + _BEGIN + _BEFORE.JUDGE.partition(_BEGIN)[2].partition("\n$$;\n")[0] + "\n$$;"
_REPLACED = """
DO $$
BEGIN
    EXECUTE replace(pg_get_functiondef('nof0_judge_equity'::regproc), '{before}', '{after}');
END $$;
"""
WITH_A_COLUMN = _REPLACED.format(before="SELECT FROM", after="SELECT 1 FROM")
WITHOUT_A_COLUMN = _REPLACED.format(before="SELECT 1 FROM", after="SELECT FROM")


class Migration(migrations.Migration):
    dependencies = [("trading", "0030_moving_in")]

    operations = [
        migrations.RunSQL(WAS_MOVED, AS_BEFORE),
        migrations.RunSQL(WITH_A_COLUMN, WITHOUT_A_COLUMN),
    ]
