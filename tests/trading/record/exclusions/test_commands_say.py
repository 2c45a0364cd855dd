"""Commands that sum or read the record say what was set aside."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from tests.trading.exclusion_record import ALPHA, POSITION, aside, equity_key, record_alpha, trade_key
from tests.trading_factories import HOUR_MS, OPENED_MS, make_position, make_trade
from trading.record.stored.copying import bulk_load
from trading.record.writing.bulk_positions import copy_positions
from trading.record.writing.bulk_trades import copy_trades
from trading.schema.common import Side
from trading.schema.exclusion import RecordKey
from trading.schema.ids import open_position_id
from trading.schema.position import PositionRecord, PositionStatus

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def decision() -> RecordKey:
    return record_alpha()


def said(*arguments: str, **options: Any) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, **options)
    return out.getvalue()


def test_performance_counts_what_counts_and_says_what_does_not(decision: RecordKey) -> None:
    aside(trade_key(0), trade_key(1), POSITION, decision, equity_key(0))
    text = said("performance")
    assert "Set aside and counted nowhere: 2 trades, 1 position, 1 decision, 1 equity point" in text
    assert " 10.00 " in text

    line = json.loads(said("performance", json=True))
    assert (line["trades"], line["net"]) == (1, 10)
    assert line["set_aside"] == {"trades": 2, "positions": 1, "decisions": 1, "equity": 1}
    head, row = said("performance", csv=True).splitlines()
    assert dict(zip(head.split(","), row.split(","), strict=True))["set_aside.trades"] == "2"


@pytest.mark.parametrize("by", ["trader", "version", "symbol", "side", "prompt", "month"])
def test_no_part_has_what_was_set_aside(by: str) -> None:
    aside(trade_key(0))
    lines = [json.loads(line) for line in said("performance", json=True, by=by).splitlines()]
    assert sum(line["trades"] for line in lines) == 2
    assert {line["set_aside"]["trades"] for line in lines} == {1}


def test_a_period_counts_what_was_set_aside_in_it() -> None:
    aside(trade_key(0))
    assert "Set aside" not in said("performance", "--from", "2025-10-09T11:00Z")


def test_performance_of_a_trader_with_nothing_left_says_so() -> None:
    aside(*(trade_key(n) for n in range(3)))
    assert "3 trades" in said("performance", trader=[ALPHA])


def test_a_decision_set_aside_is_replayed_and_marked(decision: RecordKey) -> None:
    aside(decision)
    with pytest.raises(SystemExit):
        said("replay_decision", decision.id)
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("replay_decision", decision.id, json=True, stdout=out)
    assert json.loads(out.getvalue())["set_aside"]["reason"] == "wrong price"


def test_an_export_says_how_many_rows_were_left_out(tmp_path: Path) -> None:
    aside(trade_key(0))
    err = StringIO()
    call_command("export_json", once=True, dir=tmp_path, stderr=err, stdout=StringIO())
    assert "Set aside by operators and left out: 1 rows" in err.getvalue()


def test_an_import_meets_what_was_set_aside_as_known() -> None:
    aside(trade_key(0))
    with bulk_load(name="arena"):
        outcome = copy_trades(
            [make_trade(ALPHA, open_ms=OPENED_MS + n * HOUR_MS, net=net) for n, net in enumerate(["4.5", "-2.25"])]
        )
    assert (outcome.inserted, outcome.known, outcome.set_aside) == (0, 2, 1)


@pytest.mark.parametrize("detail", [make_position(), make_position(risk=None)])
def test_an_import_does_not_open_again_what_was_set_aside(detail: Any) -> None:
    aside(POSITION)
    again = PositionRecord(open_position_id(ALPHA, "BTC"), ALPHA, "BTC", Side.LONG, PositionStatus.OPEN, detail)
    with bulk_load(name="arena"):
        outcome = copy_positions([again])
    assert (outcome.inserted, outcome.known, outcome.set_aside) == (0, 1, 1)
