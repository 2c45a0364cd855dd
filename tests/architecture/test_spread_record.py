"""The statements of the product can be asked of a record that is spread by trader (docs/scale.md).

Citus joins tables of the record with tables that are not spread. It refuses a subquery over the record that looks at
the row of another table, and a limit for each of several traders; and in a statement that writes what differs between
two servers.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from django.conf import settings

from trading.record.check import spread
from trading.record.check.queries import RULES
from trading.record.distribution.rules import KEYS, PRIVILEGES, TWINS

ROOT: Path = settings.BASE_DIR
RECORD = "|".join(KEYS)
CONFIGURATION = "trader_config|trader_config_versions|trader_runtime_state|manager_config|trader_controls"
READS = re.compile(rf"\b(?:FROM|JOIN)\s+(?:{RECORD})\b")
WRITES = re.compile(rf"\b(?:INSERT INTO|UPDATE|DELETE FROM)\s+(?:{RECORD})\b")
OUTER = re.compile(
    rf"\b(?:FROM|JOIN)\s+(?:{CONFIGURATION})\s+(?:AS\s+)?(?!ON\b|WHERE\b|USING\b|LEFT\b|JOIN\b)([a-z]\w*)\b"
)
SUBQUERY = re.compile(r"\(\s*SELECT\b")
OF_TRADERS = re.compile(r"unnest\(%\(traders\)s::text\[\]")
BY_TRADER = re.compile(r"%\(trader\)s")
# `{_OF_SERIES}` and its like are conditions that begin with the trader.
NAMES_TRADER = re.compile(
    r"trader_id\s*=\s*(?:%\(trader\)s|[a-z]+\.(?:trader_id|id)\b)|trader_id = ANY|\{_OF_(?:SERIES|TRADER)\}|\{_SERIES\}"
)
# Statements that are asked of the whole fleet at one moment, and are read by nothing that is spread.
PLAIN_ONLY = {
    # Prices by symbol, over all traders: `docs/scale.md` lists them.
    "trading/record/stored/prices.py",
    # Measures of the acceptance, on one server.
    "nof0site/acceptance/queries.py",
    "nof0site/acceptance/served.py",
    # The earlier engine's own database.
    "trading/imports/adopt/statements.py",
    "trading/imports/adopt/move.py",
}


@cache
def sources() -> dict[str, str]:
    """{file: its text} of the product, where a table of the record or `bulk_create` is named."""
    named = re.compile(rf"\b(?:{RECORD}|bulk_create)\b|%\(traders?\)s")
    found = {}
    for app in ("traders", "trading", "nof0site", "demo"):
        for path in sorted((ROOT / app).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            if named.search(source):
                found[str(path.relative_to(ROOT))] = source
    return found


@cache
def statements() -> list[tuple[str, str]]:
    """(file, SQL) of the product."""
    return [(name, text) for name, source in sources().items() for text in texts_of(source) if " " in text]


def texts_of(source: str) -> Iterator[str]:
    """Each text whole, with its parts that are computed as their code."""
    tree = ast.parse(source)
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else ast.unparse(part) for part in node.values
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in parts:
            yield node.value


def subqueries(text: str) -> Iterator[str]:
    """The text of each subquery, with those inside it."""
    for found in SUBQUERY.finditer(text):
        depth, end = 0, found.start()
        for end in range(found.start(), len(text)):
            depth += {"(": 1, ")": -1}.get(text[end], 0)
            if not depth:
                break
        yield text[found.start() : end]


def looks_from_configuration(text: str) -> list[str]:
    """Subqueries over the record that name a row of a table of configurations outside them."""
    aliases = {alias for alias in OUTER.findall(text) if alias.islower()}
    return [
        part
        for part in subqueries(text)
        if READS.search(part)
        for alias in aliases - set(OUTER.findall(part))
        if re.search(rf"\b{alias}\.", part)
    ]


@pytest.mark.parametrize(
    ("text", "is_found"),
    [
        ("SELECT (SELECT count(*) FROM trades t WHERE t.trader_id = c.id) FROM trader_config c", True),
        ("SELECT 1 FROM trader_config c CROSS JOIN LATERAL (SELECT 1 FROM trades WHERE trader_id = c.id) t", True),
        ("SELECT 1 FROM trades t LEFT JOIN trader_config_versions v ON v.id = t.trader_id", False),
        ("SELECT 1 FROM trader_config c WHERE c.id IN (SELECT trader_id FROM positions)", False),
    ],
)
def test_a_look_from_a_configuration_into_the_record_is_found(text: str, is_found: bool) -> None:
    assert bool(looks_from_configuration(text)) is is_found


def test_no_subquery_over_the_record_names_a_row_of_a_configuration() -> None:
    found = [
        (name, part) for name, text in statements() if name not in PLAIN_ONLY for part in looks_from_configuration(text)
    ]
    assert found == []


def test_a_statement_of_several_traders_says_which_one_it_looks_at() -> None:
    """`spread.reads` puts the trader in its place."""
    found = [
        (name, part)
        for name, text in statements()
        if name not in PLAIN_ONLY and OF_TRADERS.search(text)
        for part in subqueries(text)
        if re.match(rf"\(\s*SELECT[^()]*\bFROM (?:{RECORD})\b", part)
        and "LIMIT" in part
        and not NAMES_TRADER.search(part)
    ]
    assert found == []


def test_a_statement_of_several_traders_is_asked_through_reads() -> None:
    """Where it has a limit for each of them. Constants are read by name in the file that declares them."""
    wrong = []
    for path, source in sources().items():
        for name, text in _constants(source) if path not in PLAIN_ONLY else ():
            if OF_TRADERS.search(text) and "LATERAL (" in text and READS.search(text):
                wrong += [f"{path}: {name}" for _ in re.findall(rf"sql\.\w+\((?:\w+, )?{name}\b", source)]
    assert wrong == []


def _constants(source: str) -> Iterator[tuple[str, str]]:
    for node in ast.parse(source).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            for text in texts_of(ast.unparse(node.value)):
                yield node.targets[0].id, text


def test_a_statement_of_one_trader_names_it_in_a_condition() -> None:
    found = [
        (name, text)
        for name, text in statements()
        if BY_TRADER.search(text) and READS.search(text) and not NAMES_TRADER.search(text)
    ]
    assert found == []


def test_no_statement_asks_the_record_for_rows_without_columns() -> None:
    found = [(name, text) for name, text in statements() if re.search(rf"SELECT FROM (?:{RECORD})\b", text)]
    assert found == []


def test_what_writes_the_record_is_the_same_on_every_server() -> None:
    """A clock that goes on within a statement, texts that are put together by settings, and a row that is counted while
    it is inserted by VALUES."""
    differing = re.compile(r"clock_timestamp\(|\bconcat(?:_ws)?\(|\brandom\(|VALUES \([^;]*\(SELECT")
    found = [(name, text) for name, text in statements() if WRITES.search(text) and differing.search(text)]
    assert found == []


def test_a_row_that_may_be_there_is_inserted_with_the_trader_of_the_row_that_is_read() -> None:
    """Where one is given Citus reads the rows first, and counts one that was there already as inserted."""
    copies = re.compile(rf"INSERT INTO (?:{RECORD})\b[^(]*\([^)]*\)\s*SELECT\b.*\bON CONFLICT\b", re.DOTALL)
    found = [(name, text) for name, text in statements() if copies.search(text) and READS.search(text)]
    assert found
    assert [
        one for one in found if not re.search(r"\(\s*trader_id,[^)]*\)\s*SELECT (?:[a-z]\.)?trader_id,", one[1])
    ] == []


def test_rows_are_born_counted_and_not_suspect() -> None:
    columns = re.compile(rf"INSERT INTO (?:{RECORD})\b(?: AS r)?\s*\(([^)]*)\)")
    named = [column for _name, text in statements() for column in columns.findall(text)]
    assert named
    assert [column for column in named if "exclusion_id" in column or "is_suspect" in column] == []


def test_rows_of_the_record_that_are_made_or_updated_together_are_known_by_trader_and_id() -> None:
    models = re.compile(r"\b(?:Position|PositionRow|Trade|TradeRow|DecisionJournal|ConversationMessage)\b")
    calls = [
        ast.unparse(node)
        for source in sources().values()
        if "bulk_create" in source
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "bulk_create"
    ]
    found = [
        text for text in calls if models.search(text) and "update_conflicts" in text and "['trader', 'id']" not in text
    ]
    assert found == []


def test_each_twin_is_there() -> None:
    """The functions that stand in for triggers, and the rules of `check_record`."""
    checks = {rule.name for rule in RULES} | {rule.name for rule in spread.rules()}
    for trigger, twin in TWINS.items():
        module, _dot, name = twin.writer.rpartition(".")
        assert (
            importlib.import_module(twin.writer)
            if twin.writer == PRIVILEGES
            else hasattr(importlib.import_module(module), name)
        ), trigger
        assert not twin.check or any(one.startswith(twin.check) for one in checks), trigger


def test_each_place_that_writes_the_record_calls_the_twin() -> None:
    """Whatever inserts trades keeps the sums; whatever inserts equity judges it."""
    for table, twin in (("trades", "results.trades_added"), ("equity_snapshots", "judging.equity_added")):
        writers = re.compile(rf"INSERT INTO {table}\b|copy_rows\(\s*\"{table}\"|_copy\(\s*\"{table}\"")
        for path, source in sources().items():
            assert not writers.search(source) or twin in source, path
