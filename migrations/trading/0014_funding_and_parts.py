"""Funding in the results of versions; and small indexes: of trades closed in parts, and of equity at or below zero."""

from __future__ import annotations

from decimal import Decimal

from django.db import migrations, models

import trading.fields
from migrations.stored_rules import LARGEST

_FUNDING = f"""jsonb_path_query_first(
    {{row}}.detail, 'strict $.pnl.funding ? (@.type() == "number" && @ >= -{LARGEST:f} && @ <= {LARGEST:f})', '{{{{}}}}',
    true)::numeric"""
# The sums of the same rows, locked by the triggers that keep the other columns: these two come after them in the order
# of names.
RESULTS = f"""
CREATE FUNCTION nof0_add_version_funding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE version_results r SET funding = r.funding + s.funding
      FROM (SELECT trader_id, coalesce(entry_version, 0) AS entry_version, sum({_FUNDING.format(row="a")}) AS funding
              FROM added a WHERE a.detail @? '$.pnl.funding' GROUP BY 1, 2) s
     WHERE r.trader_id = s.trader_id AND r.entry_version = s.entry_version AND s.funding IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER trades_version_results_funding AFTER INSERT ON trades
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_add_version_funding();

CREATE FUNCTION nof0_move_version_funding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE version_results r SET funding = r.funding + s.funding
      FROM (SELECT a.trader_id, coalesce(a.entry_version, 0) AS entry_version,
                   sum(CASE WHEN a.exclusion_id IS NULL THEN 1 ELSE -1 END * {_FUNDING.format(row="a")}) AS funding
              FROM after a JOIN before b USING (id)
             WHERE (a.exclusion_id IS NULL) <> (b.exclusion_id IS NULL) AND a.detail @? '$.pnl.funding'
             GROUP BY 1, 2) s
     WHERE r.trader_id = s.trader_id AND r.entry_version = s.entry_version AND s.funding IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER trades_move_version_results_funding AFTER UPDATE ON trades
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_move_version_funding();

CREATE TRIGGER version_results_funding_can_be_read BEFORE INSERT OR UPDATE ON version_results FOR EACH ROW
    WHEN (pg_trigger_depth() = 0 AND NOT abs(NEW.funding) <= {LARGEST:f})
    EXECUTE FUNCTION nof0_refuse_row('sums, counts and times of trades cannot be read');
"""
DROP_RESULTS = """
DROP TRIGGER version_results_funding_can_be_read ON version_results;
DROP TRIGGER trades_move_version_results_funding ON trades;
DROP FUNCTION nof0_move_version_funding();
DROP TRIGGER trades_version_results_funding ON trades;
DROP FUNCTION nof0_add_version_funding();
"""
FILL_RESULTS = f"""
UPDATE version_results r SET funding = s.funding
  FROM (SELECT trader_id, coalesce(entry_version, 0) AS entry_version, sum({_FUNDING.format(row="t")}) AS funding
          FROM trades t WHERE exclusion_id IS NULL AND detail @? '$.pnl.funding' GROUP BY 1, 2) s
 WHERE r.trader_id = s.trader_id AND r.entry_version = s.entry_version AND s.funding IS NOT NULL;
"""

# P&L by fill is read of these alone; all others earned what they earned at their close.
IN_PARTS = """
CREATE INDEX idx_trades_in_parts ON trades (trader_id, entry_version)
 WHERE exclusion_id IS NULL AND detail @? '$.fills[*] ? (@.type == "exit" && @.ts_ms < $.time.close_ts_ms)';
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0013_corrections")]

    operations = [
        migrations.AddField(
            model_name="versionresult", name="funding", field=trading.fields.NumericField(db_default=Decimal(0))
        ),
        migrations.RunSQL(RESULTS, DROP_RESULTS),
        migrations.RunSQL(FILL_RESULTS, migrations.RunSQL.noop),
        migrations.RunSQL(IN_PARTS, "DROP INDEX idx_trades_in_parts;"),
        migrations.AddIndex(
            model_name="equitysnapshot",
            index=models.Index(
                condition=models.Q(equity_usd__lte=0), fields=["trader", "ts_ms"], name="idx_equity_not_above_zero"
            ),
        ),
    ]
