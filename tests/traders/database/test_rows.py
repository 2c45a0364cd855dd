"""What single rows may hold, and what the database fills in itself."""

from __future__ import annotations

import hashlib

import pytest
from django.apps import apps
from django.db import DataError, IntegrityError, transaction

from tests.traders.database import direct

pytestmark = pytest.mark.django_db(transaction=True)


def add_trader(trader_id: str = "direct", **options: str) -> None:
    with transaction.atomic():
        direct.insert_trader(trader_id, **options)


@pytest.mark.parametrize("trader_id", ["a", "0", "A.b_c-1", "x" * 64])
def test_an_id_of_the_documented_form_is_kept(trader_id: str) -> None:
    add_trader(trader_id)

    assert direct.rows("SELECT id FROM trader_config") == [(trader_id,)]


@pytest.mark.parametrize(
    "trader_id", ["", " a", "a ", "-a", ".a", "_a", "@manager", "a|b", "a/b", "é", "a\n", "x" * 65]
)
def test_an_id_of_another_form_is_refused(trader_id: str) -> None:
    with pytest.raises(IntegrityError, match="trader_config_id_form"):
        add_trader(trader_id)


def test_ids_are_unique_ignoring_case() -> None:
    add_trader("Scalper")

    with pytest.raises(IntegrityError, match="trader_config_id_ignoring_case"):
        add_trader("sCALPER")


@pytest.mark.parametrize("allocation_pct", ["-0.01", "100.01", "NaN"])
def test_an_allocation_outside_0_to_100_is_refused(allocation_pct: str) -> None:
    with pytest.raises(IntegrityError, match="trader_config_allocation_pct_0_to_100"):
        add_trader(allocation_pct=allocation_pct)


def test_an_allocation_of_1000_does_not_fit_the_column() -> None:
    with pytest.raises(DataError):
        add_trader(allocation_pct="1000")


def test_the_database_fills_in_what_a_program_leaves_out() -> None:
    add_trader()

    assert direct.rows(
        "SELECT version, created_by, created_at <= now(), updated_at = created_at,"
        " now() - created_at < interval '1 minute' FROM trader_config"
    ) == [(1, None, True, True, True)]
    assert direct.rows("SELECT changed_fields FROM trader_config_versions") == [([],)]


def test_a_runtime_row_is_made_with_its_trader_and_claims_nothing() -> None:
    add_trader()

    assert direct.rows(
        "SELECT trader_id, active_config_version, is_running, detail::text, updated_at IS NOT NULL"
        " FROM trader_runtime_state"
    ) == [("direct", None, False, "{}", True)]


def test_a_runtime_row_needs_its_trader() -> None:
    with pytest.raises(IntegrityError, match="trader_config"):
        direct.execute("INSERT INTO trader_runtime_state (trader_id) VALUES ('nobody')")


def test_running_needs_the_version_that_runs() -> None:
    add_trader()

    with pytest.raises(IntegrityError, match="trader_runtime_state_running_has_version"):
        direct.execute("UPDATE trader_runtime_state SET is_running = true")
    with pytest.raises(IntegrityError, match="trader_runtime_state_version_from_1"):
        direct.execute("UPDATE trader_runtime_state SET active_config_version = 0")
    direct.execute("UPDATE trader_runtime_state SET is_running = true, active_config_version = 1")


@pytest.mark.parametrize("symbol", ["BTC", "1000PEPE", "BTC-USD", "xyz:AAPL".upper(), "ETH/USDC:USDC"])
def test_a_cooldown_names_its_symbol(symbol: str) -> None:
    add_trader()

    direct.execute("INSERT INTO trader_symbol_cooldowns VALUES ('direct', %s, now())", symbol)

    assert direct.rows("SELECT symbol, detail::text, created_at <= now() FROM trader_symbol_cooldowns") == [
        (symbol, "{}", True)
    ]


@pytest.mark.parametrize("symbol", ["", " BTC", "BTC ETH", "BTC|ETH", "BTC\t", "X" * 65])
def test_a_symbol_of_another_form_is_refused(symbol: str) -> None:
    add_trader()

    with pytest.raises(IntegrityError, match="trader_symbol_cooldowns_symbol_form"):
        direct.execute("INSERT INTO trader_symbol_cooldowns VALUES ('direct', %s, now())", symbol)


def test_a_trader_has_one_cooldown_for_a_symbol() -> None:
    add_trader()
    direct.execute("INSERT INTO trader_symbol_cooldowns VALUES ('direct', 'BTC', now())")

    with pytest.raises(IntegrityError, match="trader_symbol_cooldowns"):
        direct.execute("INSERT INTO trader_symbol_cooldowns VALUES ('direct', 'BTC', now())")


def test_the_documented_indexes_are_there() -> None:
    found = dict(direct.rows("SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"))

    assert found["idx_cooldowns_expire"].endswith("USING btree (cooldown_until)")
    assert found["idx_trader_config_providers"].endswith("USING btree (exchange_provider, market_provider)")
    assert "UNIQUE" in found["trader_config_versions_trader_version"]
    assert found["trader_config_versions_trader_version"].endswith("(id, version)")


_OURS = """
SELECT i.relname::text AS name
  FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
 WHERE pg_table_is_visible(t.oid) AND t.relname = ANY (%s) AND
"""


def our_tables() -> list[str]:
    models = [model for app in ("traders", "trading") for model in apps.get_app_config(app).get_models()]
    return [model._meta.db_table for model in models]


def test_no_index_of_ours_is_for_searches_by_prefix() -> None:
    for_prefixes = "EXISTS (SELECT FROM pg_opclass o WHERE o.oid = x.indclass[0] AND o.opcname LIKE '%%pattern_ops')"

    assert direct.rows(f"{_OURS} {for_prefixes}", our_tables()) == []


def test_no_index_of_ours_is_the_beginning_of_another_one() -> None:
    begins_another = """NOT x.indisunique AND x.indpred IS NULL AND x.indexprs IS NULL AND EXISTS (
        SELECT FROM pg_index y
         WHERE y.indrelid = x.indrelid AND y.indexrelid <> x.indexrelid AND y.indpred IS NULL AND y.indexprs IS NULL
           AND y.indnkeyatts > x.indnkeyatts AND x.indnatts = x.indnkeyatts
           AND (y.indkey::int2[])[0:x.indnkeyatts - 1] = (x.indkey::int2[])[0:x.indnkeyatts - 1]
           AND (SELECT relam FROM pg_class WHERE oid = y.indexrelid) = i.relam)"""

    assert direct.rows(f"{_OURS} {begins_another}", our_tables()) == []


def test_a_prompt_is_stored_under_the_digest_of_its_text() -> None:
    body = "Version: v1\nKauf, was steigt – 北京"
    digest = hashlib.sha256(body.encode()).hexdigest()

    direct.execute("INSERT INTO prompt_texts VALUES (%s, 'a.tmpl', 'v1', %s)", digest, body)
    with pytest.raises(IntegrityError, match="prompt_texts_sha256_of_body"):
        direct.execute("INSERT INTO prompt_texts VALUES (%s, 'a.tmpl', 'v1', %s)", "0" * 64, body)

    assert direct.rows("SELECT first_seen_at <= now() FROM prompt_texts") == [(True,)]


def test_there_is_one_row_of_fleet_settings() -> None:
    with transaction.atomic():
        direct.insert_fleet()

    with pytest.raises(IntegrityError, match="manager_config_one_row"):
        direct.execute("INSERT INTO manager_config (id, detail) VALUES (2, '{}')")


def test_a_base_names_the_file_by_its_digest() -> None:
    with pytest.raises(IntegrityError, match="yaml_base_file_sha256_form"):
        direct.execute("INSERT INTO yaml_base VALUES ('direct', '{}', '', 'manager.yaml')")
