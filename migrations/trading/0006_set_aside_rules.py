"""What an entry of `record_exclusions` does, for every writer: it marks its row, and moves the sums of its version.

The mark is a column of the row itself. An anti-join by id would take the covering indexes their worth: none of them
holds the id, so every hot query would read the table for it. Partial indexes over the rows that count cost nothing.
"""

from __future__ import annotations

from django.db import migrations

CHECKS = """
ALTER TABLE record_exclusions
    ADD CONSTRAINT exclusions_record_form CHECK (CASE kind
        WHEN 'decision' THEN record_id ~ '^[0-9]{1,18}$'
        WHEN 'equity' THEN record_id ~ '^[^|]+[|]-?[0-9]{1,18}$' AND starts_with(record_id, trader_id || '|')
        ELSE record_id <> '' END);

-- An open position that is set aside makes way: its symbol can be opened again.
ALTER TABLE positions
    DROP CONSTRAINT positions_open_id,
    ADD CONSTRAINT positions_open_id CHECK (
        status <> 'open' OR exclusion_id IS NOT NULL OR id = trader_id || '|' || symbol),
    ADD CONSTRAINT positions_aside_id CHECK (exclusion_id IS NULL OR id <> trader_id || '|' || symbol);
"""
DROP_CHECKS = """
ALTER TABLE positions
    DROP CONSTRAINT positions_aside_id,
    DROP CONSTRAINT positions_open_id,
    ADD CONSTRAINT positions_open_id CHECK (status <> 'open' OR id = trader_id || '|' || symbol);
ALTER TABLE record_exclusions DROP CONSTRAINT exclusions_record_form;
"""

# A statement that marks more or fewer rows than it has entries is refused whole: a row that is not there, or that is
# as asked already. Casts are made for their own kind only, whatever order the planner chooses.
APPLY = """
CREATE FUNCTION nof0_apply_exclusions() RETURNS trigger LANGUAGE plpgsql AS $$
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

CREATE TRIGGER record_exclusions_apply AFTER INSERT ON record_exclusions
    REFERENCING NEW TABLE AS entries FOR EACH STATEMENT EXECUTE FUNCTION nof0_apply_exclusions();
"""
DROP_APPLY = """
DROP TRIGGER record_exclusions_apply ON record_exclusions;
DROP FUNCTION nof0_apply_exclusions();
"""

# The rows of the roll-up are locked before the trades are looked at again: the later statements see every trade whose
# insert had the lock before. Locked in one order of rows, as nof0_add_version_results does.
RESULTS = """
CREATE FUNCTION nof0_move_version_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM version_results r
      WHERE (r.trader_id, r.entry_version) IN (SELECT trader_id, coalesce(entry_version, 0) FROM after)
      ORDER BY r.trader_id, r.entry_version FOR UPDATE;

    INSERT INTO version_results AS r (trader_id, entry_version, trades, wins, losses, straddling,
                                      net_pnl, gross_pnl, commission, first_close_ms, last_close_ms)
    SELECT trader_id, coalesce(entry_version, 0), sum(sign), coalesce(sum(sign) FILTER (WHERE net_pnl > 0), 0),
           coalesce(sum(sign) FILTER (WHERE net_pnl < 0), 0),
           coalesce(sum(sign) FILTER (
               WHERE detail #> '{versions,entry}' IS DISTINCT FROM detail #> '{versions,exit}'), 0),
           sum(sign * net_pnl), sum(sign * (detail #>> '{pnl,gross}')::numeric),
           sum(sign * (detail #>> '{pnl,commission}')::numeric), min(close_ts_ms), max(close_ts_ms)
      FROM (SELECT a.*, CASE WHEN a.exclusion_id IS NULL THEN 1 ELSE -1 END AS sign
              FROM after a JOIN before b USING (id)
             WHERE (a.exclusion_id IS NULL) <> (b.exclusion_id IS NULL)) moved
     GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (trader_id, entry_version) DO UPDATE
       SET trades = r.trades + EXCLUDED.trades, wins = r.wins + EXCLUDED.wins,
           losses = r.losses + EXCLUDED.losses, straddling = r.straddling + EXCLUDED.straddling,
           net_pnl = r.net_pnl + EXCLUDED.net_pnl, gross_pnl = r.gross_pnl + EXCLUDED.gross_pnl,
           commission = r.commission + EXCLUDED.commission;

    DELETE FROM version_results r
     WHERE trades = 0
       AND (trader_id, entry_version) IN (SELECT trader_id, coalesce(entry_version, 0) FROM after);

    UPDATE version_results r SET
           first_close_ms = (SELECT min(close_ts_ms) FROM trades t WHERE t.trader_id = r.trader_id
                                AND t.entry_version = r.entry_version AND t.exclusion_id IS NULL),
           last_close_ms = (SELECT max(close_ts_ms) FROM trades t WHERE t.trader_id = r.trader_id
                               AND t.entry_version = r.entry_version AND t.exclusion_id IS NULL)
     WHERE (trader_id, entry_version) IN (SELECT trader_id, entry_version FROM after);

    UPDATE version_results r SET
           first_close_ms = (SELECT min(close_ts_ms) FROM trades t WHERE t.trader_id = r.trader_id
                                AND t.entry_version IS NULL AND t.exclusion_id IS NULL),
           last_close_ms = (SELECT max(close_ts_ms) FROM trades t WHERE t.trader_id = r.trader_id
                               AND t.entry_version IS NULL AND t.exclusion_id IS NULL)
     WHERE entry_version = 0 AND trader_id IN (SELECT trader_id FROM after WHERE entry_version IS NULL);
    RETURN NULL;
END $$;

CREATE TRIGGER trades_move_version_results AFTER UPDATE ON trades
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_move_version_results();
"""
DROP_RESULTS = """
DROP TRIGGER trades_move_version_results ON trades;
DROP FUNCTION nof0_move_version_results();
"""

MARKED = ("trades", "positions", "decision_journal", "equity_snapshots")
APPEND_ONLY = ("trades", "decision_journal")
# The only UPDATE of trades and decisions comes out of the trigger above, one level down.
GUARDS = (
    "".join(
        f"""
DROP TRIGGER {table}_append_only ON {table};
CREATE TRIGGER {table}_append_only BEFORE DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('what was recorded stays as it is');
CREATE TRIGGER {table}_never_updated BEFORE UPDATE ON {table}
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)
    EXECUTE FUNCTION nof0_refuse_change('what was recorded stays as it is');
"""
        for table in APPEND_ONLY
    )
    + "".join(
        f"""
CREATE TRIGGER {table}_born_counted AFTER INSERT ON {table}
    FOR EACH ROW WHEN (NEW.exclusion_id IS NOT NULL)
    EXECUTE FUNCTION nof0_refuse_change('rows are set aside by an entry of record_exclusions');
"""
        for table in MARKED
    )
    + "".join(
        f"""
CREATE TRIGGER {table}_set_aside BEFORE UPDATE ON {table}
    FOR EACH ROW WHEN (pg_trigger_depth() = 0 AND (OLD.exclusion_id IS NOT NULL OR NEW.exclusion_id IS NOT NULL))
    EXECUTE FUNCTION nof0_refuse_change('a row that is set aside stays as it is; record_exclusions takes it back in');
"""
        for table in ("positions", "equity_snapshots")
    )
    + """
CREATE TRIGGER record_exclusions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON record_exclusions
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('an exclusion is undone by another entry');
"""
)
# Without marks every row counts again, so the sums are moved back first.
DROP_GUARDS = (
    """
DROP TRIGGER record_exclusions_append_only ON record_exclusions;
"""
    + "".join(f"DROP TRIGGER {table}_set_aside ON {table};" for table in ("positions", "equity_snapshots"))
    + "".join(f"DROP TRIGGER {table}_born_counted ON {table};" for table in MARKED)
    + "".join(
        f"""
DROP TRIGGER {table}_never_updated ON {table};
DROP TRIGGER {table}_append_only ON {table};
UPDATE {table} SET exclusion_id = NULL WHERE exclusion_id IS NOT NULL;
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('what was recorded stays as it is');
"""
        for table in APPEND_ONLY
    )
    + """
UPDATE equity_snapshots SET exclusion_id = NULL WHERE exclusion_id IS NOT NULL;
UPDATE positions
   SET exclusion_id = NULL, id = CASE status WHEN 'open' THEN trader_id || '|' || symbol ELSE id END
 WHERE exclusion_id IS NOT NULL;
"""
)


class Migration(migrations.Migration):
    dependencies = [("trading", "0005_set_aside")]

    operations = [
        migrations.RunSQL(CHECKS, DROP_CHECKS),
        migrations.RunSQL(APPLY, DROP_APPLY),
        migrations.RunSQL(RESULTS, DROP_RESULTS),
        migrations.RunSQL(GUARDS, DROP_GUARDS),
    ]
