"""Equity that cannot be true counts nowhere until the next report agrees with it, whatever program writes it.

A point at or below zero is suspect, and one that is more than 30 % away from the last good one without a fill, funding
or transfer between them. When the next point is near a suspect one, both are good. Only what engines report is judged.
Imports tell of the past, a person wrote each correction, and a person looked at each point that was included again.

Statements are judged as a whole, from their earliest point of a trader on, until a point is good as it was before: from
there on nothing changes. A trade, a part of a position or a transfer that comes later may explain a step.
"""

from __future__ import annotations

from django.db import migrations, models

from migrations.stored_rules import EARLIEST_MS, LARGEST, LATEST_MS

# A row that is judged, and one whose judgement counts.
_JUDGED = f"""source = 'engine' AND exclusion_id IS NULL AND abs(equity_usd) <= {LARGEST:f}
          AND ts_ms BETWEEN {EARLIEST_MS} AND {LATEST_MS}"""
_NUMBER = """(@.type() == "number")"""


def _ms(row: str, path: str) -> str:
    """The milliseconds at a path; NULL where there is no number."""
    return f"jsonb_path_query_first({row}, 'strict $.{path} ? {_NUMBER}', '{{}}', true)::numeric"


def _list(row: str, path: str) -> str:
    return f"CASE WHEN jsonb_typeof({row} -> '{path}') = 'array' THEN {row} -> '{path}' ELSE '[]' END"


JUDGE = f"""
CREATE FUNCTION nof0_equity_is_near(before numeric, after numeric) RETURNS boolean LANGUAGE sql IMMUTABLE AS
$$ SELECT abs(after - before) <= 0.30 * abs(before) $$;

-- Whether a fill, funding or a transfer explains a step between two moments. The later one is part of the time.
CREATE FUNCTION nof0_equity_was_moved(moved_trader text, after_ms bigint, until_ms bigint) RETURNS boolean
LANGUAGE sql STABLE AS $$
SELECT EXISTS (SELECT FROM equity_transfers
                WHERE trader_id = moved_trader AND ts_ms > after_ms AND ts_ms <= until_ms)
    OR EXISTS (SELECT FROM trades WHERE trader_id = moved_trader AND exclusion_id IS NULL
                  AND close_ts_ms > after_ms AND close_ts_ms <= until_ms)
    OR EXISTS (SELECT FROM positions WHERE trader_id = moved_trader AND status = 'open' AND exclusion_id IS NULL
                  AND opened_ms > after_ms AND opened_ms <= until_ms)
    OR EXISTS (SELECT FROM positions p CROSS JOIN LATERAL jsonb_array_elements({_list("p.detail", "events")}) AS part
                WHERE p.trader_id = moved_trader AND p.status = 'open' AND p.exclusion_id IS NULL
                  AND {_ms("part", "at_ms")} > after_ms AND {_ms("part", "at_ms")} <= until_ms)
    OR EXISTS (SELECT FROM trades t CROSS JOIN LATERAL jsonb_array_elements({_list("t.detail", "fills")}) AS fill
                WHERE t.trader_id = moved_trader AND t.exclusion_id IS NULL AND t.close_ts_ms > until_ms
                  AND {_ms("fill", "ts_ms")} > after_ms AND {_ms("fill", "ts_ms")} <= until_ms)
$$;

-- Judges the points of a trader from a moment on. Behind `upto_ms` it ends at the first point that is good as before.
CREATE FUNCTION nof0_judge_equity(judged_trader text, from_ms bigint, upto_ms bigint) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    good_ms bigint;
    good_usd numeric;
    waiting_ms bigint;
    waiting_usd numeric;
    waits boolean;
    point record;
    suspect boolean;
    is_near boolean;
    changed_ms bigint;
BEGIN
    -- The point before may have counted because of one that is gone, or that stands elsewhere now.
    from_ms := coalesce((SELECT max(ts_ms) FROM equity_snapshots
                          WHERE trader_id = judged_trader AND ts_ms < from_ms AND {_JUDGED}), from_ms);
    SELECT ts_ms, equity_usd INTO good_ms, good_usd FROM equity_snapshots
     WHERE trader_id = judged_trader AND ts_ms < from_ms AND NOT is_suspect AND {_JUDGED} ORDER BY ts_ms DESC LIMIT 1;
    SELECT ts_ms, equity_usd, is_suspect INTO waiting_ms, waiting_usd, waits FROM equity_snapshots
     WHERE trader_id = judged_trader AND ts_ms < from_ms AND {_JUDGED} ORDER BY ts_ms DESC LIMIT 1;
    IF waits IS NOT TRUE THEN
        waiting_ms := NULL;
    END IF;
    FOR point IN
        SELECT ts_ms, equity_usd, is_suspect, corrects_ts_ms FROM equity_snapshots
         WHERE trader_id = judged_trader AND ts_ms >= from_ms AND {_JUDGED} ORDER BY ts_ms
    LOOP
        IF waiting_ms IS NOT NULL AND nof0_equity_is_near(waiting_usd, point.equity_usd) THEN
            UPDATE equity_snapshots SET is_suspect = false
             WHERE trader_id = judged_trader AND ts_ms = waiting_ms AND is_suspect;
            IF FOUND THEN
                changed_ms := least(changed_ms, waiting_ms);
            END IF;
            suspect := false;
        ELSE
            -- Nothing is left to lose: where a zero was agreed with, a further one says the same.
            is_near := good_ms IS NOT NULL AND nof0_equity_is_near(good_usd, point.equity_usd)
                       AND (point.equity_usd > 0 OR good_usd <= 0);
            IF is_near OR point.corrects_ts_ms IS NOT NULL THEN
                suspect := false;
            ELSE
                suspect := (point.equity_usd <= 0 OR (good_ms IS NOT NULL
                                AND NOT nof0_equity_was_moved(judged_trader, good_ms, point.ts_ms)))
                           -- The person who included it again has checked it.
                           AND NOT EXISTS (SELECT FROM record_exclusions
                                            WHERE kind = 'equity' AND record_id = judged_trader || '|' || point.ts_ms
                                              AND action = 'include');
            END IF;
        END IF;
        IF suspect <> point.is_suspect THEN
            UPDATE equity_snapshots SET is_suspect = suspect WHERE trader_id = judged_trader AND ts_ms = point.ts_ms;
            changed_ms := least(changed_ms, point.ts_ms);
        END IF;
        IF suspect THEN
            waiting_ms := point.ts_ms;
            waiting_usd := point.equity_usd;
        ELSE
            good_ms := point.ts_ms;
            good_usd := point.equity_usd;
            waiting_ms := NULL;
            EXIT WHEN NOT point.is_suspect AND point.ts_ms > upto_ms;
        END IF;
    END LOOP;
    -- The highest index was made from points that count otherwise now.
    DELETE FROM guard_peaks WHERE trader_id = judged_trader AND guard_peaks.upto_ms >= changed_ms;
END $$;

CREATE FUNCTION nof0_judge_new_equity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    judged record;
BEGIN
    FOR judged IN SELECT trader_id, min(ts_ms) AS from_ms, max(ts_ms) AS upto_ms
                    FROM after WHERE source = 'engine' GROUP BY trader_id ORDER BY trader_id LOOP
        PERFORM nof0_judge_equity(judged.trader_id, judged.from_ms, judged.upto_ms);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER equity_snapshots_judged AFTER INSERT ON equity_snapshots
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION nof0_judge_new_equity();

-- What judging itself writes changes nothing that is judged.
CREATE FUNCTION nof0_judge_changed_equity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    judged record;
BEGIN
    FOR judged IN SELECT a.trader_id, min(a.ts_ms) AS from_ms, max(a.ts_ms) AS upto_ms
                    FROM after a JOIN before b USING (trader_id, ts_ms)
                   WHERE a.source = 'engine'
                     AND (a.equity_usd, a.exclusion_id) IS DISTINCT FROM (b.equity_usd, b.exclusion_id)
                   GROUP BY a.trader_id ORDER BY a.trader_id LOOP
        PERFORM nof0_judge_equity(judged.trader_id, judged.from_ms, judged.upto_ms);
    END LOOP;
    RETURN NULL;
END $$;
CREATE TRIGGER equity_snapshots_judged_again AFTER UPDATE ON equity_snapshots
    REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_judge_changed_equity();
"""


def _explained(table: str, moments: str) -> str:
    """`moments` is a query of (trader_id, ms) over `after`: each may explain the first suspect point behind it."""
    return f"""
CREATE FUNCTION nof0_{table}_explain_equity() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    judged record;
BEGIN
    -- Nearly always: two looks at an index of nothing.
    IF NOT EXISTS (SELECT FROM equity_snapshots WHERE is_suspect) THEN
        RETURN NULL;
    END IF;
    FOR judged IN
        SELECT DISTINCT m.trader_id, s.ts_ms
          FROM ({moments}) m
         CROSS JOIN LATERAL (SELECT ts_ms FROM equity_snapshots e
                              WHERE e.trader_id = m.trader_id AND e.is_suspect AND e.ts_ms >= m.ms
                              ORDER BY ts_ms LIMIT 1) s
         ORDER BY 1, 2 LOOP
        PERFORM nof0_judge_equity(judged.trader_id, judged.ts_ms, judged.ts_ms);
    END LOOP;
    RETURN NULL;
END $$;
"""


_TRADES = f"""
        SELECT trader_id, close_ts_ms AS ms FROM after
        UNION ALL SELECT a.trader_id, {_ms("fill", "ts_ms")}
                    FROM after a CROSS JOIN LATERAL jsonb_array_elements({_list("a.detail", "fills")}) AS fill"""
_POSITIONS = f"""
        SELECT trader_id, opened_ms AS ms FROM after WHERE status = 'open'
        UNION ALL SELECT a.trader_id, {_ms("part", "at_ms")}
                    FROM after a CROSS JOIN LATERAL jsonb_array_elements({_list("a.detail", "events")}) AS part
                   WHERE a.status = 'open'"""
_TRANSFERS = "SELECT trader_id, ts_ms AS ms FROM after"
EXPLAIN = (
    _explained("trades", _TRADES)
    + _explained("positions", _POSITIONS)
    + _explained("equity_transfers", _TRANSFERS)
    + """
CREATE TRIGGER trades_explain_equity AFTER INSERT ON trades
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION nof0_trades_explain_equity();
CREATE TRIGGER positions_explain_equity AFTER INSERT ON positions
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION nof0_positions_explain_equity();
CREATE TRIGGER positions_changed_explain_equity AFTER UPDATE ON positions
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION nof0_positions_explain_equity();
CREATE TRIGGER equity_transfers_explain_equity AFTER INSERT ON equity_transfers
    REFERENCING NEW TABLE AS after FOR EACH STATEMENT EXECUTE FUNCTION nof0_equity_transfers_explain_equity();
"""
)
DROP = """
DROP TRIGGER equity_transfers_explain_equity ON equity_transfers;
DROP TRIGGER positions_changed_explain_equity ON positions;
DROP TRIGGER positions_explain_equity ON positions;
DROP TRIGGER trades_explain_equity ON trades;
DROP FUNCTION nof0_equity_transfers_explain_equity();
DROP FUNCTION nof0_positions_explain_equity();
DROP FUNCTION nof0_trades_explain_equity();
DROP TRIGGER equity_snapshots_judged_again ON equity_snapshots;
DROP FUNCTION nof0_judge_changed_equity();
DROP TRIGGER equity_snapshots_judged ON equity_snapshots;
DROP FUNCTION nof0_judge_new_equity();
DROP FUNCTION nof0_judge_equity(text, bigint, bigint);
DROP FUNCTION nof0_equity_was_moved(text, bigint, bigint);
DROP FUNCTION nof0_equity_is_near(numeric, numeric);
"""
# Points from before, and the highest indexes that were made from them by the older rule.
FILL = f"""
SELECT nof0_judge_equity(trader_id, {EARLIEST_MS}, {LATEST_MS})
  FROM (SELECT DISTINCT trader_id FROM equity_snapshots WHERE source = 'engine' ORDER BY trader_id) t;
"""


class Migration(migrations.Migration):
    dependencies = [("trading", "0018_against_control_can_be_read")]

    operations = [
        migrations.AddField("equitysnapshot", "is_suspect", models.BooleanField(db_default=False, editable=False)),
        migrations.AddIndex(
            "equitysnapshot",
            models.Index(condition=models.Q(is_suspect=True), fields=["trader", "ts_ms"], name="idx_equity_suspect"),
        ),
        migrations.RunSQL(JUDGE + EXPLAIN, DROP),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
    ]
