"""Values of arena files that occur at exchanges: taken, taken and kept as they came, or refused with the reason."""

from __future__ import annotations

import codecs
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.trading.arena_sample import trade as arena_trade
from traders.schema import strict_json
from trading.imports.arena.document import ArenaDocument
from trading.imports.arena.trades import read_trade, to_source
from trading.imports.arena.unreadable_file import UnreadableArenaFile
from trading.record.rules.errors import InvalidRecord

TRADE: Any = strict_json.loads(json.dumps(arena_trade()))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("leverage", 0),
        ("leverage", "10x"),
        ("confidence", 85),
        ("confidence", "high"),
        ("entry_oid", Decimal("1.5")),
        ("entry_tid", "x" * 200),
        ("exit_commission_dollars", "0.1"),
        ("side", TRADE["side"].upper()),
    ],
)
def test_it_is_recorded_and_exported_unchanged(field: str, value: Any) -> None:
    record = {**TRADE, field: value}
    assert to_source(read_trade(record))[field] == value


def test_a_long_identifier_and_an_exit_at_0_are_taken() -> None:
    trade = read_trade({**TRADE, "entry_tid": "x" * 128, "exit_price": Decimal(0)})
    assert (trade.detail.fills[0].fill_id, trade.detail.prices.avg_exit) == ("x" * 128, Decimal(0))


@pytest.mark.parametrize(
    ("field", "value"), [("entry_price", 0), ("exit_price", -1), ("quantity", 0), ("side", "buy"), ("entry_price", "1")]
)
def test_what_a_trade_cannot_do_without_is_refused(field: str, value: Any) -> None:
    with pytest.raises(InvalidRecord):
        read_trade({**TRADE, field: value})


TEXT = json.dumps({"trades": [{"id": "é"}]}, ensure_ascii=False)


@pytest.mark.parametrize("content", [codecs.BOM_UTF8 + TEXT.encode(), TEXT.replace("[", "[\r\n").encode()])
def test_a_byte_order_mark_and_line_ends_of_windows_are_read(tmp_path: Path, content: bytes) -> None:
    assert [record for _index, record in _document(tmp_path, content)] == [{"id": "é"}]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TEXT.encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (TEXT.replace("é", "中").encode("gbk"), "is not UTF-8: holds the byte 0xD6; save it as UTF-8"),
    ],
)
def test_another_encoding_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(UnreadableArenaFile, match=message):
        list(_document(tmp_path, content))


def _document(tmp_path: Path, content: bytes) -> ArenaDocument:
    path = tmp_path / "trades.json"
    path.write_bytes(content)
    return ArenaDocument(path, "trades", lambda count: None)
