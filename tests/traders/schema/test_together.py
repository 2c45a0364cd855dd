from __future__ import annotations

import pytest

from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.together import judged_with


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("allocation_pct", "allocation_pct"),
        ("detail.auto_start", "detail.auto_start"),
        ("detail.risk.min_confidence", "detail.risk.min_confidence"),
        ("detail.exec_guards.candidate_limit", "detail.exec_guards"),
        ("detail.extra.desk", "detail.extra"),
    ],
)
def test_a_setting_is_judged_alone_but_in_sections_that_compare_settings(path: str, place: str) -> None:
    assert judged_with(path) == place


def test_no_rule_spans_the_whole_of_a_trader() -> None:
    assert "" not in {judged_with(path) for path in TRADER_SETTINGS}
