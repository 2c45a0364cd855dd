"""The fleet's sum holds at every commit, and each trader has its runtime row."""

from __future__ import annotations

from django.db import migrations

# One sum a commit, not one a row: the first row's check leaves a mark, which the next statement that writes
# takes away. Without a manager_config row the advisory lock stands in for its row lock. A transaction that
# reads an old snapshot would not see what others committed while it waited for the lock.
FLEET_SUM = """
CREATE FUNCTION nof0_fleet_sum_changes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('nof0.fleet_sum_checked', '', true);
    RETURN NULL;
END $$;

CREATE TRIGGER trader_config_fleet_sum_changes BEFORE INSERT OR UPDATE ON trader_config
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_fleet_sum_changes();
CREATE TRIGGER manager_config_fleet_sum_changes BEFORE INSERT OR UPDATE ON manager_config
    FOR EACH STATEMENT EXECUTE FUNCTION nof0_fleet_sum_changes();

CREATE FUNCTION nof0_fleet_sum_holds() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reserve numeric;
    allocated numeric;
BEGIN
    IF current_setting('nof0.fleet_sum_checked', true) = 'yes' THEN
        RETURN NULL;
    END IF;
    IF current_setting('transaction_isolation') IN ('repeatable read', 'serializable') THEN
        RAISE EXCEPTION 'allocation, retirement and reserve are changed in READ COMMITTED, not in %',
            upper(current_setting('transaction_isolation')) USING ERRCODE = 'invalid_transaction_state';
    END IF;
    SELECT coalesce((detail #>> '{manager,reserve_equity_pct}')::numeric, 0) INTO reserve
      FROM manager_config FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM pg_advisory_xact_lock(hashtext('nof0.fleet'));
        reserve := 0;
    END IF;
    SELECT coalesce(sum(allocation_pct), 0) INTO allocated
      FROM trader_config WHERE detail -> 'retired' IS DISTINCT FROM 'true'::jsonb;
    IF allocated > 100 - reserve THEN
        RAISE EXCEPTION 'allocation of the fleet is % %%, above the % %% that the reserve of % %% leaves',
            allocated, 100 - reserve, reserve USING ERRCODE = 'check_violation';
    END IF;
    PERFORM set_config('nof0.fleet_sum_checked', 'yes', true);
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER trader_config_fleet_sum_new AFTER INSERT ON trader_config
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nof0_fleet_sum_holds();
CREATE CONSTRAINT TRIGGER trader_config_fleet_sum AFTER UPDATE ON trader_config
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.allocation_pct <> NEW.allocation_pct
          OR OLD.detail -> 'retired' IS DISTINCT FROM NEW.detail -> 'retired')
    EXECUTE FUNCTION nof0_fleet_sum_holds();
CREATE CONSTRAINT TRIGGER manager_config_fleet_sum AFTER INSERT OR UPDATE ON manager_config
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION nof0_fleet_sum_holds();
"""

DROP_FLEET_SUM = """
DROP TRIGGER manager_config_fleet_sum ON manager_config;
DROP TRIGGER trader_config_fleet_sum ON trader_config;
DROP TRIGGER trader_config_fleet_sum_new ON trader_config;
DROP FUNCTION nof0_fleet_sum_holds();
DROP TRIGGER manager_config_fleet_sum_changes ON manager_config;
DROP TRIGGER trader_config_fleet_sum_changes ON trader_config;
DROP FUNCTION nof0_fleet_sum_changes();
"""

RUNTIME_ROWS = """
CREATE FUNCTION nof0_runtime_state_of_new_traders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trader_runtime_state (trader_id) SELECT id FROM added ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE TRIGGER trader_config_runtime_state AFTER INSERT ON trader_config
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION nof0_runtime_state_of_new_traders();
"""

# Of traders that were made while this migration was taken back.
FILL_RUNTIME_ROWS = "INSERT INTO trader_runtime_state (trader_id) SELECT id FROM trader_config ON CONFLICT DO NOTHING;"

DROP_RUNTIME_ROWS = """
DROP TRIGGER trader_config_runtime_state ON trader_config;
DROP FUNCTION nof0_runtime_state_of_new_traders();
"""


class Migration(migrations.Migration):
    dependencies = [("traders", "0004_versions_match")]

    operations = [
        migrations.RunSQL(FLEET_SUM, DROP_FLEET_SUM),
        migrations.RunSQL(RUNTIME_ROWS, DROP_RUNTIME_ROWS),
        migrations.RunSQL(FILL_RUNTIME_ROWS, migrations.RunSQL.noop),
    ]
