"""Corrections of equity points and of positions: the new row has a place of its own beside the one that was wrong.

A point is known by trader and moment, and engines say so in their SQL: its correction stands at the next free millisecond,
and names the point it replaces. An open position is known by trader and symbol, and when its correction is set aside in turn, that one moves to an id
with the number of the correction.
"""

from __future__ import annotations

from django.db import migrations, models

APPLY = """
CREATE OR REPLACE FUNCTION nof0_apply_exclusions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    marked bigint := 0;
    n bigint;
BEGIN
    UPDATE trades r SET exclusion_id = CASE e.action WHEN 'exclude' THEN e.id END
      FROM entries e
     WHERE e.kind = 'trade' AND r.id = e.record_id AND r.trader_id = e.trader_id
       AND (r.exclusion_id IS NULL) = (e.action = 'exclude');
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    UPDATE decision_journal r SET exclusion_id = CASE e.action WHEN 'exclude' THEN e.id END
      FROM entries e
     WHERE e.kind = 'decision' AND r.id = CASE e.kind WHEN 'decision' THEN e.record_id::bigint END
       AND r.trader_id = e.trader_id AND (r.exclusion_id IS NULL) = (e.action = 'exclude');
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    UPDATE equity_snapshots r SET exclusion_id = CASE e.action WHEN 'exclude' THEN e.id END
      FROM entries e
     WHERE e.kind = 'equity' AND r.trader_id = e.trader_id
       AND r.ts_ms = CASE e.kind WHEN 'equity' THEN split_part(e.record_id, '|', 2)::bigint END
       AND (r.exclusion_id IS NULL) = (e.action = 'exclude');
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    UPDATE positions r SET exclusion_id = e.id
      FROM entries e
     WHERE e.kind = 'position' AND e.action = 'exclude' AND r.id = e.record_id AND r.trader_id = e.trader_id
       AND r.status = 'closed' AND r.exclusion_id IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    UPDATE positions r SET exclusion_id = e.id, id = e.record_id
      FROM entries e
     WHERE e.kind = 'position' AND e.action = 'exclude' AND r.trader_id = e.trader_id
       AND r.status = 'open' AND r.exclusion_id IS NULL
       AND CASE WHEN r.detail ? 'corrects'
                THEN e.record_id ~ '[|]c[0-9]+$'
                     AND regexp_replace(e.record_id, '[|]c[0-9]+$', '')
                         = regexp_replace(r.detail ->> 'corrects', '[|]c[0-9]+$', '')
                ELSE e.record_id = concat_ws('|', r.trader_id, r.symbol, r.opened_ms, r.side) END;
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    UPDATE positions r
       SET exclusion_id = NULL, id = CASE r.status WHEN 'open' THEN r.trader_id || '|' || r.symbol ELSE r.id END
      FROM entries e
     WHERE e.kind = 'position' AND e.action = 'include' AND r.id = e.record_id AND r.trader_id = e.trader_id
       AND r.exclusion_id IS NOT NULL;
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    IF marked <> (SELECT count(*) FROM entries) THEN
        RAISE EXCEPTION 'these rows are not there, or are as asked already: %',
            (SELECT left(string_agg(concat_ws(' ', action, kind, record_id), ', '), 500) FROM entries)
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

"""
DROP_APPLY = """
CREATE OR REPLACE FUNCTION nof0_apply_exclusions() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    marked bigint := 0;
    n bigint;
BEGIN
    UPDATE trades r SET exclusion_id = CASE e.action WHEN 'exclude' THEN e.id END
      FROM entries e
     WHERE e.kind = 'trade' AND r.id = e.record_id AND r.trader_id = e.trader_id
       AND (r.exclusion_id IS NULL) = (e.action = 'exclude');
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    UPDATE decision_journal r SET exclusion_id = CASE e.action WHEN 'exclude' THEN e.id END
      FROM entries e
     WHERE e.kind = 'decision' AND r.id = CASE e.kind WHEN 'decision' THEN e.record_id::bigint END
       AND r.trader_id = e.trader_id AND (r.exclusion_id IS NULL) = (e.action = 'exclude');
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    UPDATE equity_snapshots r SET exclusion_id = CASE e.action WHEN 'exclude' THEN e.id END
      FROM entries e
     WHERE e.kind = 'equity' AND r.trader_id = e.trader_id
       AND r.ts_ms = CASE e.kind WHEN 'equity' THEN split_part(e.record_id, '|', 2)::bigint END
       AND (r.exclusion_id IS NULL) = (e.action = 'exclude');
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    UPDATE positions r SET exclusion_id = e.id
      FROM entries e
     WHERE e.kind = 'position' AND e.action = 'exclude' AND r.id = e.record_id AND r.trader_id = e.trader_id
       AND r.status = 'closed' AND r.exclusion_id IS NULL;
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    UPDATE positions r SET exclusion_id = e.id, id = e.record_id
      FROM entries e
     WHERE e.kind = 'position' AND e.action = 'exclude' AND r.trader_id = e.trader_id
       AND r.status = 'open' AND r.exclusion_id IS NULL
       AND e.record_id = concat_ws('|', r.trader_id, r.symbol, r.opened_ms, r.side);
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    UPDATE positions r
       SET exclusion_id = NULL, id = CASE r.status WHEN 'open' THEN r.trader_id || '|' || r.symbol ELSE r.id END
      FROM entries e
     WHERE e.kind = 'position' AND e.action = 'include' AND r.id = e.record_id AND r.trader_id = e.trader_id
       AND r.exclusion_id IS NOT NULL;
    GET DIAGNOSTICS n = ROW_COUNT; marked := marked + n;

    IF marked <> (SELECT count(*) FROM entries) THEN
        RAISE EXCEPTION 'these rows are not there, or are as asked already: %',
            (SELECT left(string_agg(concat_ws(' ', action, kind, record_id), ', '), 500) FROM entries)
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0012_alarms")]

    operations = [
        migrations.AddField("equitysnapshot", "corrects_ts_ms", models.BigIntegerField(blank=True, null=True)),
        migrations.AddConstraint(
            "equitysnapshot",
            models.UniqueConstraint(
                condition=models.Q(("corrects_ts_ms__isnull", False)),
                fields=("trader", "corrects_ts_ms"),
                name="equity_snapshots_corrected_once",
            ),
        ),
        migrations.AddConstraint(
            "equitysnapshot",
            models.CheckConstraint(
                condition=models.Q(("corrects_ts_ms__lt", models.F("ts_ms"))),
                name="equity_snapshots_correction_later",
            ),
        ),
        # Going back, corrections stay, as points like any other.
        migrations.RunSQL(APPLY, DROP_APPLY),
    ]
