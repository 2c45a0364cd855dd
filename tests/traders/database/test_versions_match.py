"""Config and history never part: the database compares them when a transaction commits."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from tests.factories import make_trader, sync_traders
from tests.traders.database import direct

pytestmark = pytest.mark.django_db(transaction=True)

NO_MATCH = "trader_config direct: .* of trader_config_versions .*match"


@pytest.fixture
def _trader() -> None:
    with transaction.atomic():
        direct.insert_trader()


def versions() -> list[int]:
    return [row[0] for row in direct.rows("SELECT version FROM trader_config_versions WHERE id = 'direct' ORDER BY 1")]


def test_config_and_history_may_be_written_in_either_order() -> None:
    with transaction.atomic():
        direct.insert_version()
        direct.insert_config()
    with transaction.atomic():
        direct.insert_config("second")
        direct.insert_version("second")

    assert direct.rows("SELECT id, version FROM trader_config ORDER BY id") == [("direct", 1), ("second", 1)]


def test_a_config_without_history_is_refused() -> None:
    with pytest.raises(IntegrityError, match=NO_MATCH):
        direct.insert_config()

    assert direct.rows("SELECT id FROM trader_config") == []


def test_history_without_a_config_is_refused() -> None:
    with pytest.raises(IntegrityError, match="trader_config"):
        direct.insert_version()

    assert versions() == []


@pytest.mark.usefixtures("_trader")
@pytest.mark.parametrize(
    "change",
    [
        "detail = jsonb_set(detail, '{risk,max_positions}', '99')",
        "detail = jsonb_set(detail, '{extra,note}', '1')",
        "allocation_pct = 11",
        "exchange_provider = 'other'",
        "market_provider = 'other'",
        "version = 2",
        "version = 2, allocation_pct = 11",
    ],
)
def test_a_change_of_the_config_alone_is_refused(change: str) -> None:
    before = direct.rows("SELECT * FROM trader_config")

    with pytest.raises(IntegrityError, match=NO_MATCH):
        direct.execute(f"UPDATE trader_config SET {change}")

    assert direct.rows("SELECT * FROM trader_config") == before


@pytest.mark.usefixtures("_trader")
def test_the_check_waits_for_the_end_of_the_transaction() -> None:
    with transaction.atomic():
        direct.execute("UPDATE trader_config SET version = 2, allocation_pct = 11")
        direct.insert_version(version=2, allocation_pct="11")

    assert versions() == [1, 2]


@pytest.mark.usefixtures("_trader")
def test_a_new_version_with_other_content_than_the_config_is_refused() -> None:
    @transaction.atomic
    def attempt() -> None:
        direct.execute("UPDATE trader_config SET version = 2, allocation_pct = 11")
        direct.insert_version(version=2, allocation_pct="12")

    with pytest.raises(IntegrityError, match=NO_MATCH):
        attempt()

    assert versions() == [1]


@pytest.mark.usefixtures("_trader")
def test_history_ahead_of_the_config_is_refused() -> None:
    with pytest.raises(IntegrityError, match="trader_config_versions direct: version 2 is ahead of trader_config"):
        direct.insert_version(version=2)

    assert versions() == [1]


@pytest.mark.usefixtures("_trader")
def test_a_config_does_not_go_back_to_an_older_version() -> None:
    with transaction.atomic():
        direct.next_version("direct", version=2, allocation_pct="11")

    with pytest.raises(IntegrityError, match=r"match.* it|is ahead of"):
        direct.execute("UPDATE trader_config SET version = 1")


@pytest.mark.usefixtures("_trader")
def test_a_config_with_its_history_cannot_go_back_to_old_content() -> None:
    """Going back is a new version; the config row itself must stand at the highest one."""
    with transaction.atomic():
        direct.next_version("direct", version=2, allocation_pct="11")

    with pytest.raises(IntegrityError, match=NO_MATCH):
        direct.execute("UPDATE trader_config SET version = 1, allocation_pct = 10")

    assert direct.value("SELECT version FROM trader_config") == 2


@pytest.mark.usefixtures("_trader")
@pytest.mark.parametrize(("version", "previous"), [(3, 1), (7, 1)])
def test_a_gap_between_versions_is_refused(version: int, previous: int) -> None:
    message = f"version {version} of direct must follow version {previous} by one"
    with pytest.raises(IntegrityError, match=message), transaction.atomic():
        direct.next_version("direct", version=version)

    assert versions() == [1]


def test_the_first_version_is_1() -> None:
    @transaction.atomic
    def attempt() -> None:
        direct.insert_config(version=2)
        direct.insert_version(version=2)

    with pytest.raises(IntegrityError, match="version 2 of direct must follow version 0 by one"):
        attempt()


@pytest.mark.parametrize("version", [0, -1])
def test_versions_are_positive(version: int) -> None:
    @transaction.atomic
    def attempt() -> None:
        direct.insert_config(version=version)
        direct.insert_version(version=version)

    with pytest.raises(IntegrityError):
        attempt()


@pytest.mark.usefixtures("_trader")
def test_a_version_is_not_written_twice() -> None:
    with pytest.raises(IntegrityError, match="trader_config_versions"):
        direct.insert_version(version=1)


@pytest.mark.usefixtures("_trader")
@pytest.mark.parametrize("dated", ["'2012-01-01Z'", "(SELECT max(history_date) FROM trader_config_versions)"])
def test_a_version_is_dated_later_than_its_predecessor(dated: str) -> None:
    with pytest.raises(IntegrityError, match="version 2 of direct must follow version 1 by one and be later"):
        direct.insert_version(version=2, dated=dated)


def test_several_versions_may_come_in_one_statement() -> None:
    with transaction.atomic():
        direct.insert_trader()
        direct.execute(
            "INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct,"
            " detail, change_set, source, history_date, history_change_reason, history_type, history_user_id)"
            " SELECT id, n, exchange_provider, market_provider, allocation_pct, detail, change_set, source,"
            " history_date + n * interval '1 second', history_change_reason, '~', history_user_id"
            " FROM trader_config_versions, generate_series(2, 4) AS n ORDER BY n DESC"
        )
        direct.execute("UPDATE trader_config SET version = 4")

    assert versions() == [1, 2, 3, 4]


@pytest.mark.usefixtures("_trader")
@pytest.mark.parametrize(("reason", "actor"), [("", "psql"), ("by hand", "")])
def test_history_names_a_reason_and_an_actor(reason: str, actor: str) -> None:
    with pytest.raises(IntegrityError, match=r"has_(reason|actor)"):
        direct.execute(
            "INSERT INTO trader_config_versions (id, version, exchange_provider, market_provider, allocation_pct,"
            " detail, change_set, source, history_date, history_type, history_change_reason, history_user_id)"
            " SELECT id, 2, exchange_provider, market_provider, allocation_pct, detail, 1, '', clock_timestamp(), '~',"
            " %s, %s FROM trader_config",
            *(reason, actor),
        )


def test_the_fleets_settings_are_held_to_the_same() -> None:
    with transaction.atomic():
        direct.insert_fleet()

    with pytest.raises(IntegrityError, match=r"manager_config 1: .* of manager_config_versions .*match"):
        direct.execute("UPDATE manager_config SET detail = jsonb_set(detail, '{manager,reserve_equity_pct}', '1')")
    with pytest.raises(IntegrityError, match="version 3 of 1 must follow version 1"), transaction.atomic():
        direct.next_fleet_version(version=3, reserve_pct=5)
    with transaction.atomic():
        direct.next_fleet_version(version=2, reserve_pct=5)

    assert direct.rows("SELECT version FROM manager_config_versions ORDER BY 1") == [(1,), (2,)]


def test_what_our_own_sync_writes_satisfies_a_program_that_reads_sql() -> None:
    sync_traders(make_trader())

    assert direct.rows(
        "SELECT version, changed_fields, history_change_reason, history_type FROM trader_config_versions"
    ) == [(1, [], "initial", "+")]
