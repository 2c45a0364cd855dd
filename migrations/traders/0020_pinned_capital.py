"""The fleet's sum counts the larger allocation of pinned and newest, and cooldowns keep what people have set."""

from __future__ import annotations

from django.db import migrations

# As in 0018, with what is pinned.
_FLEET_SUM = """
CREATE OR REPLACE FUNCTION nof0_fleet_sum_holds() RETURNS trigger LANGUAGE plpgsql AS $$
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
    SELECT coalesce(sum(COUNTED), 0) INTO allocated
      FROM TRADERS WHERE NOT retired;
    IF allocated > 100 - reserve THEN
        RAISE EXCEPTION 'allocation of the fleet is % %%, above the % %% that the reserve of % %% leaves',
            allocated, 100 - reserve, reserve USING ERRCODE = 'check_violation';
    END IF;
    PERFORM set_config('nof0.fleet_sum_checked', 'yes', true);
    RETURN NULL;
END $$;
"""


def _sum_of(counted: str, traders: str) -> str:
    return _FLEET_SUM.replace("COUNTED", counted).replace("TRADERS", traders)


_WITH_PINNED = """greatest(c.allocation_pct, (
        SELECT v.allocation_pct FROM trader_config_versions v WHERE v.id = c.id AND v.version = (
            SELECT p.version FROM trader_controls p
             WHERE p.trader_id = c.id AND p.kind IN ('pin', 'unpin') ORDER BY p.id DESC LIMIT 1)))"""

# `person` is what a person set: its control, its moment, and until when a cooldown stood before. What an engine knew at
# that moment counts no more: a value that ends later, or one that was triggered since, does.
COOLDOWNS = """
CREATE FUNCTION nof0_keep_cooldown() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    person jsonb := OLD.detail -> 'person';
    is_new boolean;
BEGIN
    IF NEW.detail -> 'person' ->> 'control_id' IS DISTINCT FROM person ->> 'control_id'
       AND NEW.detail -> 'person' ->> 'control_id' IS NOT NULL THEN
        RETURN NEW;
    END IF;
    is_new := NEW.cooldown_until >= OLD.cooldown_until AND (
        person IS NULL OR NEW.cooldown_until > (person ->> 'before')::timestamptz
        OR coalesce((NEW.detail ->> 'triggered_at')::timestamptz > (person ->> 'at')::timestamptz, false));
    IF NOT is_new THEN
        RETURN NULL;
    END IF;
    IF person IS NOT NULL AND jsonb_typeof(NEW.detail) = 'object' THEN
        NEW.detail := NEW.detail || jsonb_build_object('person', person);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER trader_symbol_cooldowns_keep BEFORE UPDATE ON trader_symbol_cooldowns
    FOR EACH ROW EXECUTE FUNCTION nof0_keep_cooldown();
"""
DROP_COOLDOWNS = """
DROP TRIGGER trader_symbol_cooldowns_keep ON trader_symbol_cooldowns;
DROP FUNCTION nof0_keep_cooldown();
"""


class Migration(migrations.Migration):
    dependencies = [("traders", "0019_scopes_of_controls")]

    operations = [
        migrations.RunSQL(_sum_of(_WITH_PINNED, "trader_config c"), _sum_of("allocation_pct", "trader_config")),
        migrations.RunSQL(COOLDOWNS, DROP_COOLDOWNS),
    ]
