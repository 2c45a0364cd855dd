"""The tests' own way through the append-only rule is open to nobody else."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connections

from tests.factories import make_trader, sync_traders
from tests.traders.database import direct
from tests.traders.database.scratch import ScratchDatabase


@pytest.mark.django_db(transaction=True)
def test_tests_may_truncate_what_programs_may_not() -> None:
    sync_traders(make_trader())
    assert direct.value("SELECT current_setting('nof0.test_flush')") == "on"

    direct.execute("TRUNCATE trader_config, manager_config, prompt_texts CASCADE")

    assert direct.rows("SELECT * FROM trader_config_versions") == []


def test_the_setting_opens_no_database_of_another_name(scratch: ScratchDatabase) -> None:
    scratch.migrate("traders")
    with connections[scratch.alias].cursor() as cursor:
        cursor.execute("SET nof0.test_flush = on")
        cursor.execute("INSERT INTO prompt_texts VALUES (encode(sha256(''), 'hex'), 'empty.tmpl', '', '')")

        with pytest.raises(IntegrityError, match="TRUNCATE of prompt_texts refused"):
            cursor.execute("TRUNCATE prompt_texts")
