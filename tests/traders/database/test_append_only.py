"""What was written stays, whoever writes SQL."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from tests.factories import make_trader, sync_traders
from tests.traders.database import direct

pytestmark = pytest.mark.django_db(transaction=True)

WRITTEN_ONCE = {
    "trader_config_versions": "source",
    "manager_config_versions": "source",
    "prompt_texts": "path",
}
NEVER_DELETED = {"trader_config": "retired, never deleted", "manager_config": "changed, never deleted"}


@pytest.fixture(autouse=True)
def _one_trader() -> None:
    sync_traders(make_trader())


@pytest.mark.parametrize(("table", "column"), WRITTEN_ONCE.items())
def test_what_was_written_is_not_updated(table: str, column: str) -> None:
    before = direct.rows(f"SELECT * FROM {table}")

    with pytest.raises(IntegrityError, match=f"UPDATE of {table} refused: what was written stays"):
        direct.execute(f"UPDATE {table} SET {column} = 'forged'")

    assert direct.rows(f"SELECT * FROM {table}") == before


@pytest.mark.parametrize("table", WRITTEN_ONCE)
def test_an_update_of_no_row_is_refused_too(table: str) -> None:
    column = WRITTEN_ONCE[table]
    with pytest.raises(IntegrityError, match="refused"):
        direct.execute(f"UPDATE {table} SET {column} = {column} WHERE false")


@pytest.mark.parametrize("table", [*WRITTEN_ONCE, *NEVER_DELETED])
def test_nothing_is_deleted(table: str) -> None:
    before = direct.value(f"SELECT count(*) FROM {table}")
    assert before > 0

    with pytest.raises(
        IntegrityError, match=f"DELETE of {table} refused: .*{NEVER_DELETED.get(table, 'stays as it is')}"
    ):
        direct.execute(f"DELETE FROM {table}")

    assert direct.value(f"SELECT count(*) FROM {table}") == before


@pytest.mark.parametrize("table", [*WRITTEN_ONCE, *NEVER_DELETED])
@pytest.mark.parametrize("setting", ["off", "", "1"])
def test_nothing_is_truncated(table: str, setting: str) -> None:
    @transaction.atomic
    def attempt() -> None:
        direct.execute("SELECT set_config('nof0.test_flush', %s, true)", setting)
        direct.execute(f"TRUNCATE {table} CASCADE")

    with pytest.raises(IntegrityError, match=f"TRUNCATE of {table} refused"):
        attempt()

    assert direct.value(f"SELECT count(*) FROM {table}") > 0


def test_an_upsert_does_not_get_around_it() -> None:
    with pytest.raises(IntegrityError, match="UPDATE of prompt_texts refused"):
        direct.execute(
            "INSERT INTO prompt_texts SELECT * FROM prompt_texts ON CONFLICT (sha256) DO UPDATE SET path = 'forged'"
        )


def test_a_traders_id_is_not_changed() -> None:
    with pytest.raises(IntegrityError, match=r"steady_long|other"):
        direct.execute("UPDATE trader_config SET id = 'other'")
