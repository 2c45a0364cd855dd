"""Which settings a change set changed is kept by the database, whoever writes the versions."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connections, transaction

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.database import direct
from tests.traders.database.scratch import ScratchDatabase
from traders.versions.changelog.queries import Filter, change_sets

LEVERAGE, POSITIONS = "detail.risk.major_coin_leverage", "detail.risk.max_positions"
NOTED = "SELECT path FROM config_change_set_paths ORDER BY change_set, path"


def write_a_second_version() -> None:
    direct.insert_fleet()
    direct.insert_trader()
    direct.execute("UPDATE trader_config SET version = 2")
    direct.execute(
        "INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct, detail,"
        " changed_fields, change_set, source, history_date, history_change_reason, history_type, history_user_id) "
        "SELECT id, 2, exchange_provider, market_provider, allocation_pct, detail, %s, 2, source,"
        " clock_timestamp(), 'by hand', '~', 'psql' FROM trader_config_versions",
        [LEVERAGE, POSITIONS],
    )


@pytest.mark.django_db
def test_a_version_written_in_sql_is_found_by_its_settings() -> None:
    write_a_second_version()

    for paths in ({LEVERAGE}, {POSITIONS}, {LEVERAGE, POSITIONS}):
        [line] = change_sets(Filter(paths=frozenset(paths)), limit=5)
        assert (line.change_set, line.changed_by, line.config_ids) == (2, "psql", ("direct",))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "change", ["UPDATE config_change_set_paths SET path = 'x'", "DELETE FROM config_change_set_paths"]
)
def test_what_was_noted_stays(change: str) -> None:
    sync_traders(make_trader("a"))
    save_edit("a", detail__risk__major_coin_leverage=10)
    before = direct.rows(NOTED)

    with pytest.raises(IntegrityError, match="config_change_set_paths refused"):
        direct.execute(change)

    assert direct.rows(NOTED) == before
    assert (LEVERAGE,) in before


def test_versions_written_before_are_noted_by_the_migration(
    scratch: ScratchDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch.migrate("traders", "0007")
    monkeypatch.setattr(direct, "connection", connections[scratch.alias])
    with transaction.atomic(using=scratch.alias):
        write_a_second_version()
    scratch.migrate("traders", "0008")

    assert direct.rows(NOTED) == [(LEVERAGE,), (POSITIONS,)]
    connections[scratch.alias].close()
