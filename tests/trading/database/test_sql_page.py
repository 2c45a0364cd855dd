"""The statements of docs/sql.md, run one after the other as an engine would run them."""

from __future__ import annotations

import re
from contextlib import nullcontext

import pytest
from django.conf import settings
from django.db import connection, transaction

from tests.factories import make_trader, sync_traders
from traders.models import TraderRuntimeState, TraderSymbolCooldown
from trading.models import ConversationMessage, DecisionJournal, EquitySnapshot, Position, Trade
from trading.record.check.services import FindingKind, check
from trading.schema.decision import DecisionDetail
from trading.schema.leaf import Part, leaves_of
from trading.schema.position import PositionDetail
from trading.schema.trade import TradeDetail

pytestmark = pytest.mark.django_db

PAGE = (settings.BASE_DIR / "docs" / "sql.md").read_text()
COMMENT = re.compile(r"^\s*--.*$", re.MULTILINE)
# Of these no row is right: nothing was closed before, and every close has its trade.
FINDS_NOTHING = ("UPDATE positions SET id = concat_ws", "SELECT p.id FROM positions p")


@pytest.fixture
def desk(db: None) -> None:
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


def test_every_statement_of_the_page_does_what_it_is_there_for(desk: None) -> None:
    counts: dict[str, int] = {}
    for block in blocks():
        counts |= run(block)

    empty = [statement for statement, rows in counts.items() if not rows]
    assert [one for one in empty if not one.startswith((*FINDS_NOTHING, "LISTEN"))] == []
    assert TraderRuntimeState.objects.get(pk="steady_long").is_running
    assert TraderSymbolCooldown.objects.count() == DecisionJournal.objects.count() == 1
    assert ConversationMessage.objects.get().decision == DecisionJournal.objects.get()
    assert (Position.objects.get().status, Trade.objects.count(), EquitySnapshot.objects.count()) == ("closed", 1, 1)
    # Readers take every leaf of what was written, and no rule between rows is broken.
    assert [finding for looked in check() for finding in looked.findings] == []


def test_statements_that_say_so_may_be_sent_again(desk: None) -> None:
    for block in blocks():
        run(block)
    again = [one for block in blocks() for one in block if "DO NOTHING" in one and "INTO symbols" not in one]

    assert [run([statement]) for statement in again] == [{" ".join(one.split()): 0} for one in again]
    assert len(again) == 4


def test_a_symbol_is_opened_again_by_the_same_statements(desk: None) -> None:
    opening = next(block for block in blocks() if any("INSERT INTO positions" in one for one in block))
    for block in blocks():
        run(block)

    counts = run(opening)

    assert next(rows for one, rows in counts.items() if one.startswith(FINDS_NOTHING)) == 1
    ids = Position.objects.order_by("opened_ms", "id").values_list("id", "status")
    assert sorted(ids) == [("steady_long|BTC", "open"), ("steady_long|BTC|1767231000000|1001", "closed")]


def test_a_close_without_its_trade_is_listed(desk: None) -> None:
    for block in blocks():
        run([one for one in block if "INSERT INTO trades" not in one])

    broken = [one for looked in check(["positions"]) for one in looked.findings if one.kind is FindingKind.RULE]
    assert [(one.id, one.reason) for one in broken] == [("steady_long|BTC", "has no trade that closed at its time")]
    without_trade = next(one for block in blocks() for one in block if one.startswith("SELECT p.id FROM positions p"))
    assert list(run([without_trade]).values()) == [1]


def test_every_leaf_that_the_page_lists_is_declared() -> None:
    details: dict[str, type[Part]] = {
        "decision_journal": DecisionDetail,
        "positions": PositionDetail,
        "trades": TradeDetail,
    }
    parts = dict(zip(details, PAGE.split("| leaf | value | what |")[1:], strict=True))
    for table, detail in details.items():
        listed = re.findall(r"^\| `([^`]+)` \|", parts[table].partition("\n## ")[0], re.MULTILINE)
        assert len(listed) > 20
        assert set(listed) <= {leaf.path.removeprefix("detail.") for leaf in leaves_of(detail)}, table
