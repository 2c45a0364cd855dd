"""The statements of docs/sql.md, run one after the other as an engine would run them."""

from __future__ import annotations

import re
from contextlib import nullcontext

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from tests.factories import make_trader, sync_traders
from traders.models import ManagerConfig, TraderConfig, TraderRuntimeState, TraderSymbolCooldown
from trading.models import ConversationMessage, DecisionJournal, EquitySnapshot, EquityTransfer, Position, Trade
from trading.record.check.services import FindingKind, check
from trading.record.corrections.services import correct
from trading.schema.decision import DecisionDetail
from trading.schema.exclusion import RecordKey, RecordKind, equity_id
from trading.schema.leaf import Part, leaves_of
from trading.schema.position import PositionDetail
from trading.schema.trade import TradeDetail

pytestmark = [pytest.mark.django_db, pytest.mark.plain]

PAGE = (settings.BASE_DIR / "docs" / "sql.md").read_text()
COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
# Of these no row is right: nothing was closed before, and every close has its trade.
# And no exchange was compared, no manager runs, and nothing was moved in.
FINDS_NOTHING = (
    "UPDATE positions SET id = concat_ws",
    "SELECT p.id FROM positions p",
    "SELECT id, kind, symbol, side, detail FROM exchange_differences",
    "SELECT trader_id, number, state, opened_at FROM manager_cycles",
    "SELECT symbol, kind, trigger_price, quantity FROM manager_orders",
    "SELECT to_timestamp(at / 1000.0)",
)

ADD_POINT = (
    "INSERT INTO equity_snapshots (trader_id, ts_ms, equity_usd) VALUES ('steady_long', 1767231000000, 11)"
    " ON CONFLICT (trader_id, ts_ms)"
)


@pytest.fixture
def record(db: None) -> None:
    sync_traders(make_trader())


def blocks() -> list[list[str]]:
    """The statements of each block of the page."""
    found = [
        [statement.strip() for statement in COMMENT.sub("", block).split(";") if statement.strip()]
        for block in re.findall(r"```sql\n(.*?)```", PAGE, re.DOTALL)
    ]
    assert len(found) >= 9
    return found


def run(block: list[str]) -> dict[str, int]:
    """{statement in one line: rows that it read or wrote}. `BEGIN` and `COMMIT` make the block one transaction."""
    counts = {}
    with transaction.atomic() if block[0] == "BEGIN" else nullcontext(), connection.cursor() as cursor:
        for statement in block:
            if statement not in ("BEGIN", "COMMIT"):
                cursor.execute(statement)
                counts[" ".join(statement.split())] = cursor.rowcount
    return counts


def test_every_statement_of_the_page_does_what_it_is_there_for(record: None) -> None:
    counts: dict[str, int] = {}
    for block in blocks():
        counts |= run(block)

    empty = [statement for statement, rows in counts.items() if not rows]
    assert [one for one in empty if not one.startswith((*FINDS_NOTHING, "LISTEN"))] == []
    assert TraderRuntimeState.objects.get(pk="steady_long").is_running
    assert TraderSymbolCooldown.objects.count() == DecisionJournal.objects.count() == 1
    assert ConversationMessage.objects.get().decision == DecisionJournal.objects.get()
    assert dict(Position.objects.values_list("symbol", "status")) == {"BTC": "closed", "ETH": "open"}
    assert Trade.objects.count() == EquitySnapshot.objects.count() == EquityTransfer.objects.count() == 1
    # Readers take every leaf of what was written, and no rule between rows is broken.
    assert [finding for looked in check() for finding in looked.findings] == []


def test_statements_that_say_so_may_be_sent_again(record: None) -> None:
    for block in blocks():
        run(block)
    again = [one for block in blocks() for one in block if "DO NOTHING" in one and "INTO symbols" not in one]

    assert [run([statement]) for statement in again] == [{" ".join(one.split()): 0} for one in again]
    assert len(again) == 6


@pytest.mark.parametrize("is_corrected", [False, True])
def test_equity_is_inserted_once_a_moment_by_its_two_columns(record: None, is_corrected: bool) -> None:
    """Also of a point that was corrected: the wrong one stays as it is."""
    at = 1_767_231_000_000
    EquitySnapshot.objects.create(trader_id="steady_long", ts_ms=at, equity_usd=9)
    if is_corrected:
        wrong = RecordKey(RecordKind.EQUITY, equity_id("steady_long", at))
        correct(wrong, {"equity_usd": 10}, reason="the statement", actor="cli:test")
    points = EquitySnapshot.objects.order_by("ts_ms").values_list("equity_usd", flat=True)
    rows = 2 if is_corrected else 1

    assert run([f"{ADD_POINT} DO NOTHING"]) == {f"{ADD_POINT} DO NOTHING": 0}
    counted = f"{ADD_POINT} DO UPDATE SET equity_usd = EXCLUDED.equity_usd WHERE equity_snapshots.exclusion_id IS NULL"
    assert run([counted]) == {counted: 0 if is_corrected else 1}
    assert list(points) == ([9, 10] if is_corrected else [11])
    always = f"{ADD_POINT} DO UPDATE SET equity_usd = EXCLUDED.equity_usd"
    if is_corrected:
        with pytest.raises(IntegrityError, match="a row that is set aside stays as it is"), transaction.atomic():
            run([always])
    else:
        assert run([always]) == {always: 1}
    assert EquitySnapshot.objects.count() == rows


def test_a_symbol_is_opened_again_by_the_same_statements(record: None) -> None:
    opening = next(block for block in blocks() if any("INSERT INTO positions" in one for one in block))
    for block in blocks():
        run(block)

    counts = run(opening)

    assert next(rows for one, rows in counts.items() if one.startswith(FINDS_NOTHING)) == 1
    ids = Position.objects.filter(symbol="BTC").order_by("opened_ms", "id").values_list("id", "status")
    assert sorted(ids) == [("steady_long|BTC", "open"), ("steady_long|BTC|1767231000000|1001", "closed")]


def test_a_close_without_its_trade_is_listed(record: None) -> None:
    for block in blocks():
        run([one for one in block if "INSERT INTO trades" not in one])

    broken = [one for looked in check(["positions"]) for one in looked.findings if one.kind is FindingKind.RULE]
    assert [(one.id, one.reason) for one in broken] == [("steady_long|BTC", "has no trade that closed at its time")]
    without_trade = next(one for block in blocks() for one in block if one.startswith("SELECT p.id FROM positions p"))
    assert list(run([without_trade]).values()) == [1]


@pytest.mark.parametrize(("place", "detail"), [(1, DecisionDetail), (2, PositionDetail), (3, TradeDetail)])
def test_the_page_lists_every_leaf_in_order_with_its_words(place: int, detail: type[Part]) -> None:
    table = PAGE.split("| leaf | value | what |\n|---|---|---|\n")[place].partition("\n\n")[0]
    listed = [tuple(cell.strip(" `") for cell in line.strip("|").split(" | ")) for line in table.splitlines()]

    leaves = list(leaves_of(detail))
    assert [(path, what) for path, _value, what in listed] == [
        (leaf.path.removeprefix("detail."), f"{leaf.label}: {leaf.help}" if leaf.help else str(leaf.label))
        for leaf in leaves
    ]
    units = [value.partition(", ")[2] for _path, value, _what in listed]
    assert [unit for unit, leaf in zip(units, leaves, strict=True) if leaf.unit] == [
        leaf.unit for leaf in leaves if leaf.unit
    ]


@pytest.mark.parametrize(
    "model",
    [
        *(TraderConfig, ManagerConfig, TraderRuntimeState, TraderSymbolCooldown),
        *(DecisionJournal, ConversationMessage, Position, Trade, EquitySnapshot, EquityTransfer),
    ],
)
def test_the_page_names_every_column(model: type[Model]) -> None:
    columns = {field.column for field in model._meta.concrete_fields if field.column}

    assert f"`{model._meta.db_table}`" in PAGE
    assert {column for column in columns if f"`{column}`" not in PAGE} == set()
