"""The sums of versions match a trade before and after its mark by its trader and its id, not by its id alone."""

from __future__ import annotations

from django.db import migrations

FUNCTIONS = ("nof0_move_version_results", "nof0_move_version_funding")
BY_ID, BY_TRADER_AND_ID = "JOIN before b USING (id)", "JOIN before b USING (trader_id, id)"


def replaced(old: str, new: str) -> str:
    """The functions as they stand, with this part in place of the other; their triggers stay. Fails where it is
    missing."""
    return "".join(
        f"""
DO $do$
DECLARE
    stands text := pg_get_functiondef('{function}()'::regprocedure);
BEGIN
    ASSERT position('{old}' IN stands) > 0, '{function} lacks {old}';
    EXECUTE replace(stands, '{old}', '{new}');
END $do$;
"""
        for function in FUNCTIONS
    )


class Migration(migrations.Migration):
    dependencies = [("trading", "0016_guard_peaks")]

    operations = [migrations.RunSQL(replaced(BY_ID, BY_TRADER_AND_ID), replaced(BY_TRADER_AND_ID, BY_ID))]
