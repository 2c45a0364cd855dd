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
        ({"timestamp": "2026-01-08T10:30:00"}, "timestamp", "must be a time like"),
        ({"timestamp": "2026-02-30T10:30:00Z"}, "timestamp", "must be a time like"),
        ({"timestamp": "0001-01-01T00:00:00+14:00"}, "timestamp", "must be a time like"),
        ({"timestamp": "1970-01-01T00:00:00Z"}, "timestamp", "must be between the years 2010 and 2099, was '1970"),
        ({"trader_id": None}, "trader_id", "is missing"),
        ({"trader_id": "a b"}, "trader_id", "must be 1 to 64 letters"),
        ({"config_version": "1"}, "config_version", "must be a number, was '1'"),
        ({"config_version": -1}, "config_version", "must be 0 or more, was -1"),
        ({"config_version": 1.5}, "config_version", "must be a whole number, was 1.5"),
        ({"decisions_json": DECISIONS[:-5]}, "decisions_json", "is not JSON: "),
        ({"positions_snapshot": [{**POSITION, "side": "both"}]}, "positions_snapshot[0].side", "must be one of long, "),
        ({"positions_snapshot": [{**POSITION, "qty": -1}]}, "positions_snapshot[0].qty", "must not be negative for a"),
        ({"positions_snapshot": [{**POSITION, "qty": None}]}, "positions_snapshot[0].qty", "is missing"),
        ({"positions_snapshot": [{**POSITION, "symbol": "A|B"}]}, "positions_snapshot[0].symbol", "must be 1 to 64"),
        ({"actions": [{**ACTION, "action": ["hold"]}]}, "actions[0].action", "must be a word of at most 64"),
        ({"timestamp": 12}, "timestamp", "must be a time like"),
    ],
)
def test_a_wrong_field_is_refused_with_its_value_and_what_is_right(
    changed: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(InvalidRecord) as caught:
        read(**changed)
    assert (caught.value.field, caught.value.reason[: len(message)]) == (field, message)


@pytest.mark.parametrize(
    ("changed", "place", "kept"),
    [
        ({"cycle_number": True}, "cycle_number", True),
        ({"success": 1}, "success", 1),
        ({"cot_trace": {"steps": 3}}, "cot_trace", {"steps": 3}),
        ({"account_snapshot": []}, "account_snapshot", []),
        ({"account_snapshot": {"equity": "1"}}, "account_snapshot.equity", "1"),
        ({"account_snapshot": {"equity": 10**30}}, "account_snapshot.equity", 10**30),
        ({"positions_snapshot": {}}, "positions_snapshot", {}),
        ({"candidates": [1]}, "candidates", [1]),
        ({"candidates": ["BTC", "BTC USD", None]}, "candidates", ["BTC", "BTC USD", None]),
        ({"positions_snapshot": [{**POSITION, "lev": "10x"}]}, "positions_snapshot[0].lev", "10x"),
        ({"positions_snapshot": [{**POSITION, "liq": -3}]}, "positions_snapshot[0].liq", -3),
        ({"market_snap_digest": {"BTC": {**QUOTE, "price": -1}}}, "market_snap_digest.BTC.price", -1),
        ({"actions": [{**ACTION, "confidence": 0.85}]}, "actions[0].confidence", Decimal("0.85")),
        ({"actions": [{**ACTION, "confidence": 101}]}, "actions[0].confidence", 101),
        ({"decisions_json": [1]}, "decisions_json[0]", 1),
        ({"decisions_json": [{"Symbol": "BTC"}]}, "decisions_json[0]", {"Symbol": "BTC"}),
        ({"decisions_json": DECISIONS.replace("85", "0.85")}, "decisions_json[0].confidence", Decimal("0.85")),
        ({"decisions_json": DECISIONS.replace("85", "850")}, "decisions_json[0].confidence", 850),
        ({"decisions_json": DECISIONS.replace("85", '"85%"')}, "decisions_json[0].confidence", "85%"),
    ],
)
def test_what_cannot_be_read_and_need_not_be_there_is_kept_aside(changed: Any, place: str, kept: Any) -> None:
    assert read(**changed).detail.extra == {place: kept}


def test_what_is_not_known_is_kept_under_its_name_at_the_source() -> None:
    decisions = [{"Symbol": "BTC", "Action": "hold", "ClosePct": 50}]
    found = read(
        risk_profile="hard",
        account_snapshot={"equity": 1, "balance": 2},
        positions_snapshot=[{**POSITION, "margin": 100}],
        market_snap_digest={"BTC": {"price": 1, "volume24h": 5}, "ETH": None},
        actions=[{**ACTION, "approval_token": "appr-1", "order_id": 123}],
        decisions_json=json.dumps(decisions),
    )

    assert found.detail.extra == {
        "risk_profile": "hard",
        "account_snapshot.balance": 2,
        "positions_snapshot[0].margin": 100,
        "market_snap_digest.BTC.volume24h": 5,
        "actions[0].approval_token": "appr-1",
        "decisions_json[0].ClosePct": 50,
    }
    assert found.detail.actions[0].order_id == 123
    assert [quote.symbol for quote in found.detail.market or ()] == ["BTC", "ETH"]
    assert read().detail.extra is None


@pytest.mark.parametrize("word", ["partial_close", "update_stop_loss", "update_take_profit", "auto_close_sl", "wait"])
def test_an_action_is_recorded_as_it_is_named(word: str) -> None:
    found = read(
        decisions_json=json.dumps([{"Symbol": "BTC", "Action": word}]), actions=[{**ACTION, "action": word}]
    ).detail
    assert (found.decisions[0].action.value, found.actions[0].action.value) == (word, word)
    assert found.stored()["decisions"][0]["action"] == word


def test_what_engines_write_where_they_know_no_number_is_not_known(tmp_path: Path) -> None:
    text = json.dumps(cycle(account_snapshot={"equity": 1, "used_pct": float("inf")}))
    text = text.replace("44500", "NaN").replace('"upnl": ', '"upnl": 1e999, "was": ')
    (tmp_path / "cycle_1.json").write_text(text, encoding="utf-8-sig", newline="\r\n")

    detail = read_cycle(read_json(tmp_path / "cycle_1.json"), "cycle_1.json").detail

    assert detail.account is not None
    assert (detail.account.equity_usd, detail.account.used_margin_pct) == (Decimal(1), None)
    assert detail.extra is not None
    assert detail.extra["account_snapshot.used_pct"] == "Infinity"
    assert detail.extra["positions_snapshot[0].upnl"] == "1e999"


def test_a_result_that_is_none_of_ours_is_an_action_that_was_not_done() -> None:
    (action,) = read(actions=[{**ACTION, "result": "skipped"}]).detail.actions
    assert (action.ok, action.error) == (False, "skipped")


def test_success_is_what_was_done_where_the_engine_does_not_say() -> None:
    assert read(success=None, actions=[ACTION]).success
    assert not read(success=None, actions=[{**ACTION, "result": "error"}]).success
    assert not read(success=None, error_message="late").success


@pytest.mark.parametrize("moment", [1767868200, 1767868200123, "1767868200123456", 1767868200123456789, 1767868200.5])
def test_the_time_may_be_a_number_since_1970(moment: Any) -> None:
    assert read(timestamp=moment).decided_at.replace(microsecond=0) == datetime(2026, 1, 8, 10, 30, tzinfo=UTC)


def test_decisions_that_are_only_words_are_the_answer() -> None:
    detail = read(decisions_json="I think hold").detail
    assert detail.answer is not None
    assert (detail.decisions, detail.answer.text) == ((), "I think hold")


@pytest.mark.parametrize("side", ["LONG", "Long"])
def test_a_side_may_be_in_capitals(side: str) -> None:
    (position,) = read(positions_snapshot=[{**POSITION, "side": side}]).detail.positions or ()
    assert position.side is Side.LONG


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON: Expecting value at line 1"),
        (json.dumps(CYCLE).encode()[:-40], "is not JSON"),
        (b'{"trader_id": "caf\xe9"}', "is not UTF-8: line 1 holds the byte 0xE9"),
        ("\ufeff{}".encode("utf-16"), "is UTF-16; save it as UTF-8"),
        (b'{"error_message": "\\u0000"}', "holds the character U+0000"),
        (b'{"error_message": "\\ud800"}', "holds half of a surrogate pair"),
        (b'{"success": true, "success": false}', "holds the key 'success' twice"),
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
    for path, message in zip(cycle_files(tmp_path), ("is larger", "is a directory", "cannot be read"), strict=True):
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
