"""Every line of the acceptance lists, in their order, with what measures or proves it."""

from __future__ import annotations

from nof0site.acceptance.measures import code, configs, exports, live, record, schema, speed
from nof0site.acceptance.rules import AcceptanceLine as Line
from nof0site.acceptance.rules import Proof
from traders.schema.messages import _
from trading.schema.contract import TRADER as MODEL_ID

FINAL = "FINAL"
TITLES = {
    "P1": _("Phase 1: configurations of traders are stored"),
    "P2": _("Phase 2: keys of Redis"),
    "P3": _("Phase 3: tables of PostgreSQL"),
    "P4": _("Phase 4: JSONB columns have a structure"),
    "P5": _("Phase 5: redundant tables are gone"),
    "P6": _("Phase 6: materialized views are gone"),
    "P7": _("Phase 7: indexes"),
    FINAL: _("Final acceptance"),
}
_WRITES = (
    Proof(
        "write-pressure",
        is_benchmark=True,
        note=_(
            "Against an engine that refreshes its materialized views. Without them it wrote more rows, and less WAL"
            " than this site, whose rows have more indexes and checks."
        ),
    ),
)

LINES = (
    Line(
        "P1.1",
        "P1",
        _("trader_config contains every field of etc/manager.yaml"),
        _("every leaf stored"),
        configs.leaves_stored,
    ),
    Line("P1.2", "P1", _("Journal records contain config_version"), _("every decision"), configs.journal_versions),
    Line(
        "P1.3",
        "P1",
        _("A past decision can be replayed with the configuration of that time"),
        _("every version that decided"),
        configs.replayed,
    ),
    Line(
        "P1.4",
        "P1",
        _("%(former)s is replaced by trader_id in all code", former=MODEL_ID),
        _("none but at the border"),
        code.trader_id_everywhere,
    ),
    Line("P2.1", "P2", _("Number of Redis keys: 500+ -> 10"), _("10 patterns"), live.keys),
    Line("P2.2", "P2", _("Redis uses 25 to 30 per cent less memory"), _("at least 25 per cent less"), live.memory),
    Line("P2.3", "P2", _("One pattern of queries"), _("hashes, a sorted set and lists"), live.types),
    Line(
        "P2.4",
        "P2",
        _("No loss of performance"),
        _("reads as fast as before"),
        proofs=(Proof("live-store", is_benchmark=True),),
    ),
    Line(
        "P3.1",
        "P3",
        _("positions: 26 columns -> 5 core columns + 1 JSONB"),
        _("no other stored column"),
        schema.position_columns,
    ),
    Line(
        "P3.2",
        "P3",
        _("The schema is minimal and stable: settings evolve without ALTER TABLE"),
        _("old and unknown shapes stay readable"),
        proofs=(
            Proof("tests/traders/golden/test_golden_snapshots.py::test_the_newest_golden_file_holds_every_setting"),
            Proof(
                "tests/traders/golden/test_golden_snapshots.py"
                "::test_what_the_first_shape_did_not_know_reads_as_todays_default"
            ),
            Proof(
                "tests/trading/schema/test_tolerant.py"
                "::test_most_of_a_position_is_read_and_what_is_unknown_is_written_back"
            ),
        ),
    ),
    Line("P3.3", "P3", _("Foreign keys prevent orphans"), _("every table of a trader"), schema.foreign_keys),
    Line(
        "P3.4",
        "P3",
        _("Indexes of positions support frequent queries (trader_id, status, symbol)"),
        _("each by its index"),
        speed.position_queries,
    ),
    Line(
        "P3.5",
        "P3",
        _("trades: 28 columns -> 5 core columns + 1 JSONB"),
        _("no other stored column"),
        schema.trade_columns,
    ),
    Line(
        "P3.6",
        "P3",
        _("Fills are stored in detail.fills, without a table of their own"),
        _("no table of fills"),
        schema.no_fills_table,
    ),
    Line(
        "P3.7",
        "P3",
        _("Indexes of trades support queries of a period"),
        _("each by its index"),
        speed.trade_queries,
    ),
    Line("P4.1", "P4", _("3 unused JSONB columns are dropped"), _("0 of 3"), schema.unused_columns_gone),
    Line("P4.2", "P4", _("JSONB columns: 18 -> 12"), _("12"), schema.jsonb_columns),
    Line("P5.1", "P5", _("3 redundant tables are dropped"), _("0 of 3"), schema.redundant_tables_gone),
    Line(
        "P5.2",
        "P5",
        _("PostgreSQL has 60 per cent less to write"),
        _("at least 60 per cent fewer rows and less WAL in an hour"),
        proofs=_WRITES,
    ),
    Line("P5.3", "P5", _("Redis answers more than 99 per cent of reads"), _("more than 99 per cent"), live.covered),
    Line("P6.1", "P6", _("3 materialized views are dropped"), _("none"), schema.views_gone),
    Line("P6.2", "P6", _("The JSON exporter runs every 60 s"), _("a run every 60 s"), exports.cadence),
    Line("P6.3", "P6", _("An export takes less than 5 s"), _("less than 5 s"), exports.duration),
    Line("P7.1", "P7", _("Slow queries take less than 100 ms"), _("less than 100 ms"), speed.slow_queries),
    Line("P7.2", "P7", _("Covering indexes answer alone"), _("index-only plans"), speed.index_only),
    Line("P7.3", "P7", _("Every declared index exists"), _("all"), schema.indexes_exist),
    Line(
        "P7.4",
        "P7",
        _("Queries are more than 50 per cent faster"),
        _("more than 50 per cent"),
        proofs=(Proof("trade-queries", is_benchmark=True),),
    ),
    Line(
        "F.1",
        FINAL,
        _("Architecture: replayable"),
        _("the configuration of that time"),
        configs.replayed,
    ),
    Line(
        "F.2",
        FINAL,
        _("Architecture: verifiable, the record agrees with itself"),
        _("no violation"),
        record.rules_hold,
    ),
    Line(
        "F.3",
        FINAL,
        _("Architecture: verifiable, the live store equals PostgreSQL"),
        _("no difference"),
        live.equal,
    ),
    Line(
        "F.4",
        FINAL,
        _("Architecture: switchable, every step can be reversed"),
        _("back and forth without a lost row"),
        proofs=(
            Proof("tests/traders/database/test_migrations.py::test_each_step_back_ends_where_the_step_forward_began"),
            Proof(
                "tests/traders/database/test_going_back.py"
                "::test_each_step_back_and_forth_keeps_every_row_of_every_table_that_stays"
            ),
            Proof("tests/trading/live/test_switch_over.py::test_forth_and_back_without_a_wrong_or_missing_read"),
        ),
    ),
    Line("F.5", FINAL, _("Architecture: the API reads JSON"), _("every document, of one run"), exports.documents),
    Line(
        "F.6",
        FINAL,
        _("Architecture: the API reads nothing else"),
        _("answers without PostgreSQL and Redis"),
        proofs=(
            Proof(
                "tests/trading/export/public_api/test_without_stores.py"
                "::test_everything_answers_without_postgresql_and_redis"
            ),
        ),
    ),
    Line(
        "F.7",
        FINAL,
        _("Architecture: layers of storage, no table or view of a former schema"),
        _("none"),
        schema.legacy_gone,
    ),
    Line(
        "F.8",
        FINAL,
        _("Architecture: layers of storage, each restored from the one above"),
        _("Redis from PostgreSQL, code in layers"),
        proofs=(
            Proof("tests/trading/live/test_ladder.py::test_missing_stale_and_spoilt_values_are_read_from_postgresql"),
            Proof("tests/trading/live/test_ladder.py::test_without_redis_everything_is_read_from_postgresql"),
            Proof("tests/architecture/test_slices.py::test_only_traders_writes_its_tables"),
        ),
    ),
    Line(
        "F.9",
        FINAL,
        _("Performance: Redis uses 25 to 30 per cent less memory"),
        _("at least 25 per cent less"),
        live.memory,
    ),
    Line(
        "F.10",
        FINAL,
        _("Performance: PostgreSQL has 60 per cent less to write"),
        _("at least 60 per cent fewer rows and less WAL in an hour"),
        proofs=_WRITES,
    ),
    Line(
        "F.11", FINAL, _("Performance: slow queries take less than 100 ms"), _("less than 100 ms"), speed.slow_queries
    ),
    Line("F.12", FINAL, _("Quality: trader_id everywhere"), _("none but at the border"), code.trader_id_everywhere),
    Line("F.13", FINAL, _("Quality: JSONB columns 18 -> 12"), _("12"), schema.jsonb_columns),
    Line(
        "F.14",
        FINAL,
        _("Quality: redundant columns from half to none"),
        _("none; generated ones named"),
        schema.redundant_columns,
    ),
)
