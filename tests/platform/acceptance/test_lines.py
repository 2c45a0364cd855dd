"""Every line of the acceptance lists is measured on the sample record; what breaks one is named."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site
from django.db import connection
from django.utils import timezone
from django_redis import get_redis_connection
from pytest_django.fixtures import Settings as SettingsWrapper

from nof0site.acceptance import evidence, services
from nof0site.acceptance.lines import FINAL, LINES, TITLES
from nof0site.acceptance.measures import declared
from nof0site.acceptance.rules import AcceptanceLine, LineResult, LineVerdict, Measured, UnknownLine, chosen, passed
from traders.models import TraderConfig
from traders.schema.messages import _
from trading.live.keys import ANALYTICS
from trading.models import DecisionJournal, VersionResult

GREEN = {LineVerdict.PASS, LineVerdict.CORRECTED, LineVerdict.PROVEN}


def results(*only: str) -> dict[str, LineResult]:
    """{id: its result}."""
    return {result.line.id: result for result in services.measured(chosen(LINES, only))}


def execute(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statement, parameters)


def fails(line: str) -> str:
    """What the only failing line of this id says: figure and what to do."""
    found = results(line)[line]
    assert found.is_fail
    assert found.measured.then
    return f"{found.measured.figure} {found.measured.then}"


def test_all_lines_are_green_on_the_sample_record(sample: None) -> None:
    found = results()
    unproven = {one.id for one in LINES if any(evidence.of(proof) is evidence.NOT_RUN for proof in one.proofs)}
    green = {name for name, one in found.items() if one.measured.verdict in GREEN}

    assert {name: str(one.measured) for name, one in found.items() if name not in green | unproven} == {}
    assert list(found) == [line.id for line in LINES]
    assert all(one.measured.why for one in found.values() if one.measured.verdict is LineVerdict.CORRECTED)


def test_the_figures_are_those_of_the_record(sample: None) -> None:
    found = {name: str(one.measured.figure) for name, one in results().items()}

    decisions = DecisionJournal.objects.count()
    assert found["P1.2"] == f"{decisions} of {decisions} decisions name their version."
    assert found["P4.2"].startswith("12 JSONB columns")
    assert "trades.net_pnl" in found["F.14"]
    indexes = len(declared.declared_indexes()) + len(declared.indexed_columns()) + len(declared.tables_of_ours())
    assert found["P7.3"].startswith(f"{indexes} of {indexes} ")


def test_nothing_is_written(sample: None) -> None:
    redis = get_redis_connection("default")
    before = {name: redis.dump(name) for name in redis.scan_iter()}
    execute("CREATE ROLE acceptance_reader")
    execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO acceptance_reader")
    execute("SET LOCAL ROLE acceptance_reader")

    found = results()

    execute("RESET ROLE")
    assert {name: str(one.measured) for name, one in found.items() if one.is_fail} == {}
    assert {name: redis.dump(name) for name in redis.scan_iter()} == before


@pytest.mark.parametrize(
    ("index", "lines"),
    [
        ("idx_trades_recent_covering", ["P3.7", "P7.2", "P7.3"]),
        ("idx_positions_symbol_open", ["P3.4", "P7.3"]),
        ("idx_controls_write", ["P7.3"]),
        ("idx_trader_config_versions_as_of", ["P7.3"]),
    ],
)
def test_a_dropped_index_is_named(sample: None, index: str, lines: list[str]) -> None:
    execute(f"DROP INDEX {index}")

    assert [line for line in lines if index not in fails(line)] == []


def test_a_dropped_index_without_a_name_of_its_own_is_named_by_its_column(sample: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexrelid::regclass::text FROM pg_index x JOIN pg_attribute a ON a.attrelid = x.indrelid"
            " AND a.attnum = x.indkey[0] WHERE x.indrelid = 'conversation_messages'::regclass"
            " AND a.attname = 'decision_id'"
        )
        [(index,)] = cursor.fetchall()
    execute(f"DROP INDEX {index}")

    assert "conversation_messages.decision_id" in fails("P7.3")


def test_a_dropped_primary_key_is_named_by_its_table(sample: None) -> None:
    execute("ALTER TABLE trades DROP CONSTRAINT trades_pkey CASCADE")

    assert "trades (primary key)" in fails("P7.3")


@pytest.mark.parametrize("kind", ["jsonb", "jsonb[]"])
@pytest.mark.parametrize("table", ["trades", "trader_config", "alarms"])
def test_an_added_jsonb_column_is_named(sample: None, table: str, kind: str) -> None:
    execute(f"ALTER TABLE {table} ADD COLUMN extra {kind}")

    assert f"{table}.extra" in fails("P4.2")
    assert f"{table}.extra" in fails("F.13")


@pytest.mark.parametrize(("table", "line"), [("positions", "P3.1"), ("trades", "P3.5")])
def test_an_added_column_is_named(sample: None, table: str, line: str) -> None:
    execute(f"ALTER TABLE {table} ADD COLUMN margin numeric")

    assert f"{table}.margin" in fails(line)
    assert f"{table}.margin" in fails("F.14")


def test_a_changed_rollup_is_named(sample: None) -> None:
    one = VersionResult.objects.order_by("trader_id", "entry_version")[0]
    execute("UPDATE version_results SET net_pnl = net_pnl + 1 WHERE trader_id = %s", one.trader_id)

    assert f"version_results {one.trader_id}|{one.entry_version}" in fails("F.2")


@pytest.mark.parametrize("name", ["price_latest", "model_analytics", "decision_cycles"])
def test_a_table_of_the_former_schema_is_named(sample: None, name: str) -> None:
    execute(f"CREATE TABLE {name} (id int)")

    assert name in fails("F.7")


def test_a_redundant_table_is_named(sample: None) -> None:
    execute("CREATE TABLE market_asset_ctx (id int)")

    assert "market_asset_ctx" in fails("P5.1")


def test_a_materialized_view_of_any_name_is_named(sample: None) -> None:
    execute("CREATE MATERIALIZED VIEW v_mine AS SELECT 1 AS one")

    assert "v_mine" in fails("P6.1")


def test_a_decision_without_its_version_is_named(sample: None) -> None:
    trader = TraderConfig.objects.order_by("pk").first()
    assert trader
    execute(
        "INSERT INTO decision_journal (trader_id, cycle_number, decided_at, success, detail)"
        " VALUES (%s, 1000001, %s, true, '{}')",
        trader.pk,
        timezone.now(),
    )

    assert f"{trader.pk} #1000001" in fails("P1.2")


def test_a_decision_from_before_the_first_version_is_no_fail(sample: None) -> None:
    trader = TraderConfig.objects.order_by("pk")[0]
    early = trader.history.last().history_date - timedelta(days=1)
    execute(
        "INSERT INTO decision_journal (trader_id, cycle_number, decided_at, success, detail)"
        " VALUES (%s, 1000001, %s, true, '{}')",
        trader.pk,
        early,
    )
    found = results("P1.2")["P1.2"].measured

    assert found.verdict is LineVerdict.CORRECTED
    assert found.why == "1 decisions are older than the first version of their trader."


def test_a_foreign_key_with_cascade_is_named(sample: None) -> None:
    execute("ALTER TABLE trades DROP CONSTRAINT IF EXISTS trades_trader_id_fk")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE conrelid = 'trades'::regclass AND contype = 'f'"
            " AND confrelid = 'trader_config'::regclass"
        )
        names = [name for (name,) in cursor.fetchall()]
    for name in names:
        execute(f'ALTER TABLE trades DROP CONSTRAINT "{name}"')
    execute("ALTER TABLE trades ADD FOREIGN KEY (trader_id) REFERENCES trader_config ON DELETE CASCADE")

    assert "trades -> trader_config" in fails("P3.3")


def test_a_key_of_the_old_layout_is_named(sample: None) -> None:
    get_redis_connection("default").set("nof0:positions:ann", "{}")

    assert "nof0:positions:ann" in fails("P2.1")


def test_a_key_of_another_type_is_named(sample: None) -> None:
    redis = get_redis_connection("default")
    redis.delete(ANALYTICS.name)
    redis.set(ANALYTICS.name, "{}")

    assert ANALYTICS.name in fails("P2.3")


def test_an_empty_live_store_covers_nothing_and_differs(sample: None) -> None:
    get_redis_connection("default").delete(ANALYTICS.name)

    assert "livestore rebuild" in fails("P5.3")
    assert ANALYTICS.name in fails("F.3")


def test_an_old_export_fails(sample: None, settings: SettingsWrapper) -> None:
    settings.EXPORT_SECONDS = 1
    run = next((settings.EXPORT_DIR / "runs").iterdir())
    run.rename(run.with_name("1764037200000"))

    assert "Start the exporter" in fails("P6.2")


def test_without_an_export_the_lines_say_so(sample: None, settings: SettingsWrapper, tmp_path: Path) -> None:
    settings.EXPORT_DIR = tmp_path / "none"

    for line in ("P6.2", "P6.3", "F.5"):
        assert "No export in" in fails(line)


@pytest.mark.django_db
def test_a_line_that_fails_to_be_measured_costs_no_other() -> None:
    def broken() -> Measured:
        raise ZeroDivisionError("by zero")

    lines = [line(broken, "X.1"), line(lambda: passed(_("fine")), "X.2")]
    first, second = services.measured(lines)

    assert first.measured.verdict is LineVerdict.FAIL
    assert first.measured.figure == "Not measured: ZeroDivisionError: by zero"
    assert second.measured.verdict is LineVerdict.PASS


@pytest.mark.django_db
def test_a_line_that_takes_too_long_is_given_up_and_says_how_to_measure_it() -> None:
    def slow() -> Measured:
        execute("SELECT pg_sleep(5)")
        return passed(_("fine"))

    (found,) = services.measured([line(slow, "X.1")], limit_seconds=0.05)

    assert found.is_fail
    assert found.measured.then
    assert "`manage.py acceptance --only X.1 --limit 120`" in found.measured.then


@pytest.mark.django_db
def test_a_measure_that_would_write_is_refused_and_writes_nothing(sample: None) -> None:
    def writing() -> Measured:
        execute("UPDATE version_results SET wins = 0")
        return passed(_("fine"))

    (found,) = services.measured([line(writing, "X.1")])

    assert "read-only transaction" in found.measured.figure
    assert VersionResult.objects.exclude(wins=0).exists()


def test_lines_are_chosen_by_phase_and_by_id() -> None:
    assert {one.phase for one in chosen(LINES, ["p3"])} == {"P3"}
    assert [one.id for one in chosen(LINES, ["P3.2", "f.1"])] == ["P3.2", "F.1"]
    assert chosen(LINES, []) == list(LINES)
    with pytest.raises(UnknownLine, match="no phase or line P9"):
        chosen(LINES, ["P9"])


def test_every_line_is_of_a_phase_and_has_a_measure_or_proofs() -> None:
    assert [one.id for one in LINES if (one.measure is None) == (not one.proofs)] == []
    assert list(dict.fromkeys(one.phase for one in LINES)) == list(TITLES)
    assert len({one.id for one in LINES}) == len(LINES)
    assert {one.phase for one in LINES if one.id.startswith("F.")} == {FINAL}


def test_the_page_describes_each_line() -> None:
    page = (site.BASE_DIR / "docs" / "acceptance.md").read_text()

    assert [one.id for one in LINES if f"| {one.id} | {one.claim} |" not in page] == []


def test_every_proof_exists() -> None:
    gone = [proof.name for one in LINES for proof in one.proofs if evidence.of(proof) is None]

    assert gone == []
    assert (site.BASE_DIR / "tests").is_dir()


def line(measure: Any, name: str) -> AcceptanceLine:
    return AcceptanceLine(name, "X", _("a claim"), _("a target"), measure)
