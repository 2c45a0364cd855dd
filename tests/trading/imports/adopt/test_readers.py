"""Single rows of the earlier engine's tables, read without any database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.trading.imports.adopt import earlier
from trading.imports.adopt.readers import values
from trading.imports.adopt.readers.decisions import read_decision, read_message, with_conversation
from trading.imports.adopt.readers.positions import read_position
from trading.imports.adopt.readers.prices import read_tick
from trading.imports.adopt.readers.trades import read_trade
from trading.record.rules.errors import InvalidRecord
from trading.schema.spelling import as_it_came


def exact(row: dict[str, Any]) -> dict[str, Any]:
    """As the source gives it: floats as Decimals."""
    return {name: Decimal(repr(value)) if isinstance(value, float) else value for name, value in row.items()}


@pytest.mark.parametrize(
    "value",
    [1_762_165_800, 1_762_165_800_000, 1_762_165_800_000_000, 1_762_165_800_000_000_000, Decimal("1762165800.0")],
)
def test_a_moment_is_known_by_its_size(value: object) -> None:
    assert values.moment_ms({"at": value}, "at") == 1_762_165_800_000


@pytest.mark.parametrize("value", [0, 5, -1, 10**30, "soon", None, Decimal("NaN"), True])
def test_what_is_no_moment_is_refused(value: object) -> None:
    with pytest.raises(InvalidRecord):
        values.moment_ms({"at": value}, "at")


def test_confidence_of_published_files_is_a_fraction_and_of_the_engine_a_percentage() -> None:
    assert values.confidence({"confidence": Decimal("0.85")}, is_of_engine=False) == 85
    assert values.confidence({"confidence": Decimal(85)}, is_of_engine=True) == 85
    assert values.confidence({"confidence": Decimal("0.85")}, is_of_engine=True) is None


def test_columns_without_a_place_are_kept_as_texts() -> None:
    row = exact(earlier.trade(confidence=0.5)) | {"own_note": "mine", "trade_id": "t-1", "exit_human_time": "then"}
    origin = read_trade(row, {}, as_it_came).detail.origin

    assert origin is not None
    assert origin.fields == {"own_note": "mine", "trade_id": "t-1", "exit_human_time": "then", "confidence": "0.5"}


def test_a_published_trade_keeps_its_fills_and_gets_an_id_of_its_own() -> None:
    row = exact(
        earlier.trade(side="short", quantity=-0.01, trade_type="short", confidence=0.5, entry_tid=7, exit_oid=-1)
    )
    found = read_trade(row | {"id": "published-1"}, {}, as_it_came)

    assert found.detail.fills[0].fill_id == 7
    assert found.detail.fills[1].order_id is None
    assert found.detail.quantity.total == Decimal("0.01")
    assert found.detail.risk is not None
    assert found.detail.risk.confidence == 50
    assert found.id.startswith("steady_long|BTC|")
    assert found.id != row["id"]


def test_a_closed_position_without_a_price_is_refused() -> None:
    with pytest.raises(InvalidRecord) as refused:
        read_position(exact(earlier.closed(current_price=None)), {}, as_it_came)

    assert refused.value.field == "current_price"


def test_a_decision_reads_as_its_cycle_file_does() -> None:
    found = read_decision({"id": 5, **earlier.cycle()}, {})
    said = read_message(
        {"role": "system", "content": "x", "ts_ms": None, "metadata": {"model": "m", "prompt_tokens": 3}}
    )
    whole = with_conversation(found, [said]).detail

    assert [(one.symbol, one.action) for one in whole.decisions] == [("BTC", "open_long")]
    assert whole.engine is not None
    assert whole.engine.cycle == 1
    assert whole.usage is not None
    assert whole.usage.prompt_tokens == 3
    assert whole.origin is not None
    assert whole.origin.id == "5"


def test_a_candle_is_a_price_with_its_bounds() -> None:
    raw = {"interval": "3m", "open": 1, "high": Decimal(3), "low": Decimal("0.5"), "close": 2}
    row = {
        "provider": "x",
        "symbol": "BTC",
        "price": Decimal(2),
        "ts_ms": 1_762_165_800_000,
        "volume": None,
        "raw": raw,
    }

    assert read_tick(row) == ("x", "BTC", "3m", (1_762_165_800_000, 2.0, None, 1.0, 3.0, 0.5))
