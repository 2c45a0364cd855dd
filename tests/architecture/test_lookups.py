"""No code looks a row of the record up by its id alone (trading/managers.py)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
MANAGER = ROOT / "trading/managers.py"
# Classes and querysets of the tables whose rows have a trader and an id.
NAMES = re.compile(
    r"\b(?:Position|PositionRow|Trade|TradeRow|DecisionJournal|ConversationMessage|POSITIONS|TRADES|DECISIONS)\b"
)
TABLES = "positions|trades|decision_journal|conversation_messages"
LOOKS = {"get", "filter", "exclude", "get_or_create", "update_or_create", "aget", "in_bulk", "get_object_or_404", "Q"}
BY_ID = re.compile(r"^(?:pk|id|decision|decision_id)(?:__(?:in|startswith|exact))?$")
SQL_BY_ID = re.compile(r"\b(?:\w+\.)?(?:id|decision_id)\s*(?:=|IN\b)\s*(?:ANY\s*)?\(?\s*(?:%|\w+\.(?:id|record_id)\b)")
SQL_OF_RECORD = re.compile(rf"\b(?:FROM|JOIN|UPDATE)\s+(?:{TABLES})\b")


def product() -> list[Path]:
    found = [path for app in ("traders", "trading", "nof0site", "demo") for path in sorted((ROOT / app).rglob("*.py"))]
    assert MANAGER in found
    return [path for path in found if path != MANAGER]


def looks_by_id_alone(source: str) -> Iterator[str]:
    """Calls such as `Trade.objects.filter(pk=...)` that name no trader, in any link of their chain."""
    for statement in ast.walk(ast.parse(source)):
        if not isinstance(statement, ast.stmt) or isinstance(statement, ast.ClassDef | ast.FunctionDef):
            continue
        text = ast.unparse(statement)
        if not NAMES.search(text) or "trader" in text:
            continue
        calls = [call for call in ast.walk(statement) if isinstance(call, ast.Call) and _called(call) in LOOKS]
        if any(_called(call) == "in_bulk" or any(map(_is_by_id, call.keywords)) for call in calls):
            yield text


def _is_by_id(keyword: ast.keyword) -> bool:
    return keyword.arg is not None and BY_ID.match(keyword.arg) is not None


def _called(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def statements_by_id_alone(source: str) -> Iterator[str]:
    """SQL of the record with an id in a condition or a join, and no trader beside it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr | ast.Constant):
            text = ast.unparse(node) if isinstance(node, ast.JoinedStr) else str(node.value)
            if SQL_OF_RECORD.search(text) and SQL_BY_ID.search(text) and "trader_id" not in text:
                yield text


@pytest.mark.parametrize(
    "source",
    [
        "Trade.objects.get(pk=trade_id)",
        "found = rows.TRADES.filter(pk__in=ids)",
        "row = DecisionJournal.objects.select_related().filter(config_version=1).get(id=number)",
        "Position.objects.in_bulk(ids)",
        "ConversationMessage.objects.filter(decision=number)",
        "found = get_object_or_404(Trade, pk=trade_id)",
    ],
)
def test_a_look_by_the_id_alone_is_found(source: str) -> None:
    assert list(looks_by_id_alone(source))


@pytest.mark.parametrize(
    "source",
    [
        "Trade.objects.named(ids)",
        "Trade.objects.filter(trader=trader_id, pk=trade_id)",
        "RecordExclusion.objects.get(pk=number)",
        "Trade.objects.filter(trader=trader_id).filter(pk__startswith=root)",
    ],
)
def test_a_look_with_the_trader_is_none(source: str) -> None:
    assert not list(looks_by_id_alone(source))


@pytest.mark.parametrize(
    ("statement", "is_alone"),
    [
        ("SELECT detail FROM trades WHERE id = ANY (%s)", True),
        ("UPDATE positions SET status = %s WHERE id = %s", True),
        ("SELECT 1 FROM conversation_messages m JOIN decision_journal d ON m.decision_id = d.id", True),
        ("UPDATE positions SET status = %s WHERE trader_id = %s AND id = %s", False),
        ("SELECT id FROM trader_config WHERE id = %s", False),
    ],
)
def test_sql_by_the_id_alone_is_found(statement: str, is_alone: bool) -> None:
    assert bool(list(statements_by_id_alone(repr(statement)))) is is_alone


def test_no_code_looks_a_row_of_the_record_up_by_its_id_alone() -> None:
    sources = {path.relative_to(ROOT): path.read_text(encoding="utf-8") for path in product()}
    found = {
        str(path): [*looks_by_id_alone(source), *statements_by_id_alone(source)] for path, source in sources.items()
    }
    assert {path: texts for path, texts in found.items() if texts} == {}
