from __future__ import annotations

import pytest
from django.utils import translation

from traders.words.reasons import cooldown_words, reason_words


@pytest.mark.parametrize(
    ("stored", "chinese"),
    [
        ("emergency", "紧急情况"),
        ("sync of manager.yaml", "同步 manager.yaml"),
        ("3 losses in a row, limit 3", "连续亏损 3 笔，上限 3 笔"),
        ("first capital: 12.5 % of the fleet's equity", "初始资金：全部交易员权益的 12.5 %"),
        (
            "Daily loss 250 USD has reached the limit of 200 USD; it ends by itself below the limit",
            "单日亏损 250 USD，已达上限 200 USD；回到上限以下后自动解除",
        ),
        ("the sync of today looked wrong", "the sync of today looked wrong"),
        ("看看", "看看"),
    ],
)
def test_a_reason_of_the_product_is_translated_and_a_typed_one_stays(stored: str, chinese: str) -> None:
    with translation.override("zh-hans"):
        assert reason_words(stored) == chinese
    assert reason_words(stored) == stored


@pytest.mark.parametrize(
    ("stored", "english", "chinese"),
    [
        ("stop_loss", "stop loss", "止损"),
        ("close_position", "close position", "平仓"),
        ("closed", "closed", "已平仓"),
        ("3 losses in a row, limit 3", "3 losses in a row, limit 3", "连续亏损 3 笔，上限 3 笔"),
        ("odd_reason", "odd reason", "odd reason"),
    ],
)
def test_why_a_symbol_cools_down_is_translated_where_it_is_known(stored: str, english: str, chinese: str) -> None:
    assert cooldown_words(stored) == english
    with translation.override("zh-hans"):
        assert cooldown_words(stored) == chinese
