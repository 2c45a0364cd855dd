"""A cycle file becomes a journal entry, or says which field is wrong."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading.imports.journal_files.cycles import ACTION, CYCLE, DECISIONS, POSITION, QUOTE, cycle, write
from traders.schema import strict_json
from trading.imports.journal_files.directory import LARGEST_FILE, cycle_files, read_json
from trading.imports.journal_files.moments import order_of
from trading.imports.journal_files.record import FIELDS, Cycle, read_cycle
from trading.record.rules.errors import InvalidRecord
from trading.schema.common import Side
from trading.schema.decision import Action


def read(**changed: Any) -> Cycle:
    return read_cycle(strict_json.loads(json.dumps(cycle(**changed))), "cycle_1.json")


def test_every_field_of_the_engine_is_in_the_entry() -> None:
    found = read(cot_trace="because", error_message="late", extra={"a": 1})
    detail = found.detail

    assert (found.trader_id, found.version, found.success) == ("steady_long", 1, True)
    assert found.decided_at == datetime(2026, 1, 8, 10, 30, 0, 123456, tzinfo=UTC)
    assert detail.engine is not None
    assert (detail.engine.cycle, detail.engine.written_at) == (1, CYCLE["timestamp"])
    assert detail.prompt is not None
    assert detail.prompt.digest == "ab" * 32
    assert detail.answer is not None
    assert detail.answer.reasoning == "because"
    assert (detail.candidates, detail.error) == (("BTC", "SOL"), "late")
    assert detail.origin is not None
    assert (detail.origin.file, detail.origin.fields) == ("cycle_1.json", {"extra": '{"a":1}'})


def test_what_the_engine_saw_and_did_is_kept_digit_for_digit() -> None:
    detail = read().detail
    assert detail.account is not None
    assert detail.account.equity_usd == Decimal("1000.1")
    (position,), (bitcoin, solana), (action,) = detail.positions or (), detail.market or (), detail.actions
    assert (position.side, position.quantity, position.mark_price) == (Side.LONG, Decimal("0.5"), Decimal("3010.5"))
    assert (bitcoin.open_interest, bitcoin.funding) == (Decimal("12345.678"), Decimal("0.0000125"))
    assert solana.open_interest is None
    assert (action.action, action.ok, action.entry_price) == (Action.OPEN_LONG, True, Decimal("45000.5"))
    assert str(detail.decisions[0].position_size_usd) == "450.50"


def test_a_short_position_may_carry_a_signed_quantity() -> None:
    for quantity in (-0.5, 0.5):
        (position,) = read(positions_snapshot=[{**POSITION, "side": "short", "qty": quantity}]).detail.positions or ()
        assert position.quantity == Decimal("0.5")


def test_what_an_engine_leaves_out_is_not_known() -> None:
    found = read(config_version=0, prompt_digest=None, decisions_json=None, candidates=None, market_snap_digest=None,
                 account_snapshot=None, positions_snapshot=None, actions=None, success=False)  # fmt: skip
    detail = found.detail
    assert (found.version, detail.prompt, detail.decisions, detail.actions) == (None, None, (), ())
    assert (detail.account, detail.positions, detail.candidates, detail.market) == (None, None, None, None)
    assert read(decisions_json="null").detail.decisions == ()


def test_an_empty_list_of_positions_is_told_from_an_unknown_one() -> None:
    none_held = {**CYCLE["account_snapshot"], "positions": 0}
    assert read(positions_snapshot=None, account_snapshot=none_held).detail.positions == ()
    assert read(positions_snapshot=None).detail.positions is None


def test_the_key_depends_on_what_the_record_says_only() -> None:
    def key(text: str) -> Any:
        origin = read_cycle(strict_json.loads(text), "any").detail.origin
        return origin and origin.key

    same = json.dumps(dict(reversed(CYCLE.items())), indent=4)
    assert key(json.dumps(CYCLE)) == key(same)
    assert key(json.dumps(CYCLE)) != key(json.dumps(cycle(cycle_number=2)))


@pytest.mark.parametrize(
    ("changed", "field", "message"),
    [
        ({"timestamp": None}, "timestamp", "is missing; it must be a time like"),
        ({"timestamp": 1767868200}, "timestamp", "must be a text, was 1767868200"),
        ({"timestamp": "1767868200"}, "timestamp", "must be a time like 2026-01-08T10:30:00.123456789Z, was"),
        ({"timestamp": "2026-01-08T10:30:00"}, "timestamp", "must be a time like"),
        ({"timestamp": "2026-02-30T10:30:00Z"}, "timestamp", "must be a time like"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp", "must be a time like"),
        ({"timestamp": "1970-01-01T00:00:00Z"}, "timestamp", "must lie between the years 2010 and 2099, was '1970"),
        ({"trader_id": None}, "trader_id", "is missing"),
        ({"trader_id": "a b"}, "trader_id", "must be 1 to 64 letters"),
        ({"config_version": "1"}, "config_version", "must be a number, was '1'"),
        ({"config_version": -1}, "config_version", "must be 0 or more, was -1"),
        ({"config_version": 1.5}, "config_version", "must be a whole number, was 1.5"),
        ({"cycle_number": True}, "cycle_number", "must be a number, was True"),
        ({"success": None}, "success", "is missing; it must be true or false"),
        ({"success": 1}, "success", "must be true or false, was 1"),
        ({"decisions_json": [1]}, "decisions_json", "must be a text, was [1]"),
        ({"decisions_json": DECISIONS[:-5]}, "decisions_json", "is not JSON: "),
        ({"decisions_json": DECISIONS.replace("44500", "NaN")}, "decisions_json", "holds NaN"),
        ({"decisions_json": DECISIONS.replace("open_long", "buy")}, "decisions_json[0].action", "must be one of open_"),
        ({"decisions_json": DECISIONS.replace("85", "850")}, "decisions_json[0].confidence", "input should be less"),
        ({"account_snapshot": []}, "account_snapshot", "must be an object, was []"),
        ({"account_snapshot": {"equity": "1"}}, "account_snapshot.equity", "must be a number, was '1'"),
        ({"account_snapshot": {"equity": 1e30}}, "account_snapshot.equity", "must not be beyond"),
        ({"account_snapshot": {"balance": 1}}, "account_snapshot.balance", "is no field that engines write"),
        ({"positions_snapshot": {}}, "positions_snapshot", "must be a list, was {}"),
        ({"positions_snapshot": [{**POSITION, "side": "both"}]}, "positions_snapshot[0].side", "must be one of long, "),
        ({"positions_snapshot": [{**POSITION, "qty": -1}]}, "positions_snapshot[0].qty", "must not be negative for a"),
        ({"positions_snapshot": [{**POSITION, "qty": None}]}, "positions_snapshot[0].qty", "is missing"),
        ({"positions_snapshot": [{**POSITION, "symbol": "?"}]}, "positions_snapshot[0].symbol", "must be 1 to 32"),
        ({"candidates": [1]}, "candidates", "must be 1 to 32 capital letters"),
        ({"market_snap_digest": {"BTC": {**QUOTE, "price": -1}}}, "market_snap_digest.BTC.price", "must be 0 or more"),
        ({"actions": [{**ACTION, "result": "maybe"}]}, "actions[0].result", "must be one of ok, error, was 'maybe'"),
        ({"actions": [{**ACTION, "action": "buy"}]}, "actions[0].action", "must be one of open_long,"),
        ({"actions": [{**ACTION, "action": ["hold"]}]}, "actions[0].action", "must be one of open_long,"),
        ({"actions": [{**ACTION, "confidence": 101}]}, "actions[0].confidence", "must be at most 100, was 101"),
        ({"model_id": "x"}, "model_id", "is no field that engines write; those are timestamp, trader_id"),
    ],
)
def test_a_wrong_field_is_refused_with_its_value_and_what_is_right(
    changed: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read(**changed)
    assert (caught.value.field, caught.value.reason[: len(message)]) == (field, message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON: Expecting value at line 1"),
        (json.dumps(CYCLE).encode()[:-40], "is not JSON"),
        (b'{"trader_id": "caf\xe9"}', "is not UTF-8: byte 18 is 0xe9"),
        (b'{"success": NaN}', "holds NaN, which is no number in JSON"),
        (b'{"success": Infinity}', "holds Infinity"),
        (b'{"error_message": "\\u0000"}', "holds the character U+0000"),
        (b'{"error_message": "\\ud800"}', "holds half of a surrogate pair"),
        (b'{"success": true, "success": false}', "holds the key 'success' twice"),
        (b'{"cycle_number": 1e99999999999}', "holds a number beyond all measure"),
        (b'{"cycle_number": 1.' + b"1" * 60 + b"e-59}", "holds a number beyond all measure"),
        (b"[" * 200_000, "is not JSON that can be read: it is nested too deep"),
    ],
)
def test_a_file_that_is_no_json_is_refused_with_the_reason(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "cycle_1.json"
    path.write_bytes(content)
    with pytest.raises(InvalidRecord) as caught:
        read_json(path)
    assert str(caught.value).startswith(message)


def test_a_file_too_large_for_a_cycle_and_one_that_is_none_are_refused(tmp_path: Path) -> None:
    (tmp_path / "cycle_1.json").write_bytes(b" " * (LARGEST_FILE + 1))
    (tmp_path / "cycle_2.json").mkdir()
    (tmp_path / "cycle_3.json").symlink_to(tmp_path / "nowhere")
    for path, message in zip(cycle_files(tmp_path), ("is larger", "cannot be read", "cannot be read"), strict=True):
        with pytest.raises(InvalidRecord, match=message):
            read_json(path)


def test_files_come_in_order_of_the_times_inside_whatever_their_names(tmp_path: Path) -> None:
    times = ["2026-01-08T10:30:00.000000002Z", "2026-01-08T10:30:00.000000001Z", "2026-01-08T18:29:59.9+08:00"]
    for number, time in enumerate(times, 1):
        write(tmp_path, f"cycle_20260108_103000_{number:05}.json", timestamp=time)
    (tmp_path / "cycle_0.json").write_text("{")
    (tmp_path / "state.json").write_text("{}")

    assert [path.stem[-1] for path in cycle_files(tmp_path)] == ["0", "3", "2", "1"]


@given(st.binary(max_size=200))
def test_any_bytes_have_a_place_in_the_order(content: bytes) -> None:
    assert len(order_of(b'"timestamp": "' + content)) == 2


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["long", "ok", "BTC", DECISIONS]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["symbol", "side", "qty", "equity", "BTC", "price"]), inner)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(FIELDS), JSON))
def test_any_record_is_read_or_refused(changed: dict[str, Any]) -> None:
    with suppress(InvalidRecord):
        assert read_cycle({**CYCLE, **changed}, "cycle_1.json").trader_id
