"""What a record must be, whoever writes it; the journal's version; and the sums of each version's trades."""

from __future__ import annotations

from django.db import migrations

# A CHECK lets NULL through, so each says that the leaf is there. One fact that the detail names twice is kept equal.
CHECKS = """
ALTER TABLE trades
    ADD CONSTRAINT trades_detail_whole CHECK (
        coalesce(jsonb_typeof(detail #> '{pnl,net}') = 'number' AND jsonb_typeof(detail #> '{pnl,gross}') = 'number'
            AND jsonb_typeof(detail #> '{pnl,commission}') = 'number'
            AND (detail #>> '{prices,avg_entry}')::numeric > 0 AND (detail #>> '{prices,avg_exit}')::numeric > 0
            AND (detail #>> '{quantity,total}')::numeric > 0, false)),
    ADD CONSTRAINT trades_close_told_once CHECK (
        coalesce((detail #>> '{time,close_ts_ms}')::bigint = close_ts_ms, false)),
    ADD CONSTRAINT trades_exit_after_entry CHECK (
        coalesce((detail #>> '{time,open_ts_ms}')::bigint <= close_ts_ms AND
            (detail #>> '{time,duration_seconds}')::numeric * 1000
                = close_ts_ms - (detail #>> '{time,open_ts_ms}')::bigint, false)),
    ADD CONSTRAINT trades_confidence_0_to_100 CHECK (
        (detail #>> '{risk,confidence}')::numeric BETWEEN 0 AND 100);

ALTER TABLE positions
    ADD CONSTRAINT positions_detail_whole CHECK (
        coalesce((detail #>> '{entry,price}')::numeric > 0 AND (detail #>> '{entry,quantity}')::numeric > 0
            AND jsonb_typeof(detail #> '{entry,time_ms}') = 'number', false)),
    ADD CONSTRAINT positions_closed_says_how CHECK (
        (status = 'closed') = (jsonb_typeof(detail -> 'close') IS NOT DISTINCT FROM 'object')),
    ADD CONSTRAINT positions_open_id CHECK (status <> 'open' OR id = trader_id || '|' || symbol),
    ADD CONSTRAINT positions_confidence_0_to_100 CHECK (
        (detail #>> '{risk,confidence}')::numeric BETWEEN 0 AND 100);

ALTER TABLE decision_journal
    ADD CONSTRAINT decision_journal_version_fk FOREIGN KEY (trader_id, config_version)
        REFERENCES trader_config_versions (id, version) DEFERRABLE INITIALLY DEFERRED;
"""

DROP_CHECKS = """
ALTER TABLE decision_journal DROP CONSTRAINT decision_journal_version_fk;
ALTER TABLE positions
    DROP CONSTRAINT positions_confidence_0_to_100,
    DROP CONSTRAINT positions_open_id,
    DROP CONSTRAINT positions_closed_says_how,
    DROP CONSTRAINT positions_detail_whole;
ALTER TABLE trades
    DROP CONSTRAINT trades_confidence_0_to_100,
    DROP CONSTRAINT trades_exit_after_entry,
    DROP CONSTRAINT trades_close_told_once,
    DROP CONSTRAINT trades_detail_whole;
"""

# Ids are compared, never searched by prefix: on five million trades this index would be half a gigabyte.
NO_PREFIX_INDEXES = """
DROP INDEX trades_id_4627e65a_like;
DROP INDEX positions_id_a34c2adc_like;
DROP INDEX symbols_symbol_dadb4f7e_like;
"""
PREFIX_INDEXES = """
CREATE INDEX symbols_symbol_dadb4f7e_like ON symbols (symbol text_pattern_ops);
CREATE INDEX positions_id_a34c2adc_like ON positions (id text_pattern_ops);
CREATE INDEX trades_id_4627e65a_like ON trades (id text_pattern_ops);
"""

APPEND_ONLY = ("trades", "decision_journal", "conversation_messages")
TRIGGERS = (
    "".join(
        f"""
CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('what was recorded stays as it is');
"""
        for table in APPEND_ONLY
    )
    + """
CREATE TRIGGER positions_never_deleted BEFORE DELETE OR TRUNCATE ON positions
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_refuse_change('positions are closed, never deleted');
"""
)
DROP_TRIGGERS = (
    "".join(f"DROP TRIGGER {table}_append_only ON {table};" for table in APPEND_ONLY)
    + "DROP TRIGGER positions_never_deleted ON positions;"
)

# A version that straddles is one whose trades were closed under another.
_SUMS = """
INSERT INTO version_results AS r (trader_id, entry_version, trades, wins, losses, straddling,
                                  net_pnl, gross_pnl, commission, first_close_ms, last_close_ms)
SELECT trader_id, coalesce(entry_version, 0), count(*),
       count(*) FILTER (WHERE net_pnl > 0), count(*) FILTER (WHERE net_pnl < 0),
       count(*) FILTER (WHERE detail #> '{versions,entry}' IS DISTINCT FROM detail #> '{versions,exit}'),
       sum(net_pnl), sum((detail #>> '{pnl,gross}')::numeric), sum((detail #>> '{pnl,commission}')::numeric),
       min(close_ts_ms), max(close_ts_ms)
"""
# Once a statement, in one order of rows: two imports that touch the same versions wait for each other and never
# lock crosswise.
RESULTS = f"""
CREATE FUNCTION nof0_add_version_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    {_SUMS} FROM added GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (trader_id, entry_version) DO UPDATE
       SET trades = r.trades + EXCLUDED.trades, wins = r.wins + EXCLUDED.wins,
           losses = r.losses + EXCLUDED.losses, straddling = r.straddling + EXCLUDED.straddling,
           net_pnl = r.net_pnl + EXCLUDED.net_pnl, gross_pnl = r.gross_pnl + EXCLUDED.gross_pnl,
           commission = r.commission + EXCLUDED.commission,
           first_close_ms = least(r.first_close_ms, EXCLUDED.first_close_ms),
           last_close_ms = greatest(r.last_close_ms, EXCLUDED.last_close_ms);
    RETURN NULL;
END $$;

CREATE TRIGGER trades_version_results AFTER INSERT ON trades
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_add_version_results();
"""
# The sums may lie in the table from before a step back, without the trades that were recorded since.
FILL_RESULTS = f"DELETE FROM version_results; {_SUMS} FROM trades GROUP BY 1, 2;"
DROP_RESULTS = """
DROP TRIGGER trades_version_results ON trades;
DROP FUNCTION nof0_add_version_results();
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0001_tables"), ("traders", "0003_append_only")]

    operations = [
        migrations.RunSQL(CHECKS, DROP_CHECKS),
        migrations.RunSQL(NO_PREFIX_INDEXES, PREFIX_INDEXES),
        migrations.RunSQL(TRIGGERS, DROP_TRIGGERS),
        migrations.RunSQL(RESULTS, DROP_RESULTS),
        migrations.RunSQL(FILL_RESULTS, migrations.RunSQL.noop),
    ]
