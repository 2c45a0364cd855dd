from __future__ import annotations

import re
from decimal import Decimal

import pytest

from traders.versions.edit.forms.extra import extra_paths, extra_text


def test_extension_keys_become_paths_digit_for_digit() -> None:
    text = '{"fee": 0.10, "team": {"a.b": [1, null]}}'
    assert extra_paths(text) == {"detail.extra.fee": Decimal("0.10"), "detail.extra.team": {"a.b": [1, None]}}
    assert str(extra_paths(text)["detail.extra.fee"]) == "0.10"


def test_no_keys_are_an_empty_text() -> None:
    assert extra_text({"allocation_pct": 1}) == ""
    assert extra_paths(" \n") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": }', "line 1, column 7"),
        ("[1]", "JSON object"),
        ('{"a": 1, "a": 2}', '"a" is there twice'),
        ('{"a": {"b": 1, "b": 2}}', '"b" is there twice'),
        ('{"a": NaN}', "NaN is not a JSON value"),
        ('{"a.b": 1}', '"a.b" must consist of letters'),
        ('{"1a": 1}', "beginning with a letter"),
        ('{"a": ' + "[" * 100_000, "too deeply"),
    ],
)
def test_a_wrong_text_says_where_and_what_would_be_right(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        extra_paths(text)
