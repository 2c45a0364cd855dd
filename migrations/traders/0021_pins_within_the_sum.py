"""A pin that another program inserts is held to the fleet's sum as well."""

from __future__ import annotations

from django.db import migrations

# Without a lock: a row of controls holds the lock of controls, and who waits for the fleet's then would hold up a stop.
# Two that fit singly can pass at once; the next change of an allocation is refused by 0020 until the sum holds.
PIN_SUM = """
CREATE FUNCTION nof0_pin_within_sum() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reserve numeric := coalesce((SELECT (detail #>> '{manager,reserve_equity_pct}')::numeric FROM manager_config), 0);
    allocated numeric;
BEGIN
    SELECT coalesce(sum(greatest(c.allocation_pct, (
        SELECT v.allocation_pct FROM trader_config_versions v WHERE v.id = c.id AND v.version = (
            SELECT p.version FROM trader_controls p
             WHERE p.trader_id = c.id AND p.kind IN ('pin', 'unpin') ORDER BY p.id DESC LIMIT 1)))), 0) INTO allocated
      FROM trader_config c WHERE NOT retired;
    IF allocated > 100 - reserve THEN
        RAISE EXCEPTION 'with % pinned to v%, allocation of the fleet is % %%, above the % %% that the reserve leaves',
            NEW.trader_id, NEW.version, allocated, 100 - reserve USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER trader_controls_pin_within_sum AFTER INSERT ON trader_controls
    FOR EACH ROW WHEN (NEW.kind = 'pin') EXECUTE FUNCTION nof0_pin_within_sum();
"""
DROP_PIN_SUM = """
DROP TRIGGER trader_controls_pin_within_sum ON trader_controls;
DROP FUNCTION nof0_pin_within_sum();
"""


class Migration(migrations.Migration):
    dependencies = [("traders", "0020_pinned_capital")]

    operations = [migrations.RunSQL(PIN_SUM, DROP_PIN_SUM)]
