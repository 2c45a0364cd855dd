"""What a test has committed goes with it, and the way through the append-only rule is open to the tests alone."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connections

from tests import flushing
from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.database import direct
from tests.traders.database.scratch import ScratchDatabase


@pytest.mark.django_db(transaction=True)
def test_tests_may_truncate_what_programs_may_not() -> None:
    sync_traders(make_trader())
    assert direct.value("SELECT current_setting('nof0.test_flush')") == "on"

    direct.execute("TRUNCATE trader_config, manager_config, prompt_texts CASCADE")

    assert direct.rows("SELECT * FROM trader_config_versions") == []


@pytest.mark.django_db(transaction=True)
def test_the_end_of_a_test_leaves_what_the_migrations_made_in_every_table() -> None:
    sync_traders(make_trader("a"))
    save_edit("a", detail__risk__max_positions=9)
    direct.execute("DELETE FROM setting_risks")

    flushing.empty_and_fill()

    full = [
        name
        for (name,) in direct.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        if direct.value(f"SELECT EXISTS (SELECT FROM {name})")
    ]
    made = {"auth_group", "auth_group_permissions", "auth_permission", "django_content_type", "setting_risks"}
    assert set(full) - {"django_migrations"} == made


def test_the_setting_opens_no_database_of_another_name(scratch: ScratchDatabase) -> None:
    scratch.migrate("traders")
    with connections[scratch.alias].cursor() as cursor:
        cursor.execute("SET nof0.test_flush = on")
        cursor.execute("INSERT INTO prompt_texts VALUES (encode(sha256(''), 'hex'), 'empty.tmpl', '', '')")

        with pytest.raises(IntegrityError, match="TRUNCATE of prompt_texts refused"):
            cursor.execute("TRUNCATE prompt_texts")
