"""Durations as Go writes them, as whole seconds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traders.schema.durations import format_duration, parse_duration


@given(st.integers(0, 10**9))
def test_a_written_duration_reads_back(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("0", 0), ("0s", 0), ("3m", 180), ("1h30m", 5400), ("1.5h", 5400), ("2000ms", 2), (".5m", 30), (" 45s ", 45)),
        *(("1000000us", 1), ("1000000µs", 1), ("500ms0.5s", 1), ("1.s", 1)),
    ],
)
def test_what_is_a_duration(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    ["", "3", "m", "3 m", "-3m", "3d", "1h:30m", "12:30", "١m", "1µ", "9" * 100 + "h", "1e3s", "1.2.3s", "."],
)
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="write it like 45s, 3m or 1h30m"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["500ms", "1.5s", "1ns", "1.0000000000000000000000000000000000001s"])
def test_fractions_of_a_second_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a whole number of seconds"):
        parse_duration(text)
