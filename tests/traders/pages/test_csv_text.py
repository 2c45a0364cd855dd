"""A file for spreadsheets runs nothing, and is known to be UTF-8."""

from __future__ import annotations

import pytest

from traders.pages.csv_text import download, harmless


@pytest.mark.parametrize(
    "text", ["=1+1", "＝1+1", " =1", "\u00a0=1", "\u3000＝1", "\u200b=1", "\t=1", "\n", "+1", "－1", "＠a", "\ufeff=1"]
)
def test_what_a_spreadsheet_would_run_is_led_by_an_apostrophe(text: str) -> None:
    assert harmless(text) == f"'{text}"


@pytest.mark.parametrize("text", ["BTC", "", "a=1", "币安人生USDT", "  a"])
def test_other_texts_stay(text: str) -> None:
    assert harmless(text) == text


def test_a_download_begins_with_a_byte_order_mark() -> None:
    assert "".join(download(["a,b\r\n"])).encode().startswith(b"\xef\xbb\xbfa,b")
