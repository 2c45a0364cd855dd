"""What the list of traders shows, filters and sorts by, as stored generated columns of `trader_config`.

The fleet's sum reads `retired` from there as well. None of the expressions fails, whatever JSON another program stored.
"""

from __future__ import annotations

from typing import Any

from django.db import migrations, models
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

_INTERVAL = (
    "%(function)s(%(expressions)s, 'strict $.llm.decision_interval_seconds ? (@ >= 0 && @ <= 1000000000)', '{}', true)"
)

# As in 0005, but for the condition: the column is read without taking `detail` apart.
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
    SELECT coalesce(sum(allocation_pct), 0) INTO allocated
      FROM trader_config WHERE CONDITION;
    IF allocated > 100 - reserve THEN
        RAISE EXCEPTION 'allocation of the fleet is % %%, above the % %% that the reserve of % %% leaves',
            allocated, 100 - reserve, reserve USING ERRCODE = 'check_violation';
    END IF;
    PERFORM set_config('nof0.fleet_sum_checked', 'yes', true);
    RETURN NULL;
END $$;
"""


def _add(name: str, expression: Any, output: models.Field[Any, Any]) -> migrations.AddField:
    column = models.GeneratedField(expression=expression, output_field=output, db_persist=True)
    return migrations.AddField(model_name="traderconfig", name=name, field=column)


def _text(path: str) -> Coalesce:
    return Coalesce(KT(path), models.Value(""), output_field=models.TextField())


class Migration(migrations.Migration):
    dependencies = [("traders", "0017_controls")]

    operations = [
        _add("retired", models.Q(detail__contains={"retired": True}), models.BooleanField()),
        _add("display_name", _text("detail__display_name"), models.TextField()),
        _add("model", _text("detail__llm__model"), models.TextField()),
        _add(
            "decision_interval_seconds",
            Coalesce(
                Cast(
                    models.Func("detail", function="jsonb_path_query_first", template=_INTERVAL),
                    models.IntegerField(),
                ),
                models.Value(0),
                output_field=models.IntegerField(),
            ),
            models.IntegerField(),
        ),
        migrations.RunSQL(
            _FLEET_SUM.replace("CONDITION", "NOT retired"),
            _FLEET_SUM.replace("CONDITION", "detail -> 'retired' IS DISTINCT FROM 'true'::jsonb"),
        ),
    ]
