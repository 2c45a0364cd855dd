"""Charts: what charts.js reads, and the bars that need no script."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django.conf import settings
from django.template import Context, Template

from traders.charts import Bar, BarList, Line, Mark, TimeChart


def drawn(source: str, **values: object) -> str:
    return Template("{% load charts %}" + source).render(Context(values))


def chart(**changes: object) -> TimeChart:
    values: dict[str, object] = {
        "id": "equity",
        "title": "Equity",
        "unit": "USD",
        "times": [1.0, 2.0],
        "lines": [Line("fleet", [Decimal("1.5"), None])],
        "summary": "From 1.50 on.",
    }
    return TimeChart(**(values | changes))  # type: ignore[arg-type]


def test_a_chart_names_its_unit_says_itself_in_words_and_carries_its_values() -> None:
    page = drawn("{% time_chart chart %}", chart=chart(marks=[Mark(1, "v7", "mei: </script><b>", "/diff/7")]))
    (data,) = re.findall(r'<script id="equity-data" type="application/json">(.*?)</script>', page)
    assert json.loads(data)["lines"] == [{"label": "fleet", "style": "line", "values": [1.5, None]}]
    assert json.loads(data)["marks"][0]["text"] == "mei: </script><b>"
    assert '<b>Equity</b> <span class="faint">USD</span>' in page
    assert '<p class="chart-summary faint">From 1.50 on.</p>' in page
    assert '<a href="/diff/7">v7</a> mei: &lt;/script&gt;&lt;b&gt;' in page
    assert "1 mark<" in page


@pytest.mark.parametrize("odd", [Decimal("NaN"), Decimal("Infinity"), float("nan")])
def test_a_value_that_is_no_number_is_a_gap(odd: Decimal | float) -> None:
    assert chart(lines=[Line("fleet", [odd, 1])]).drawing["lines"][0]["values"] == [None, 1.0]


def test_a_line_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="fleet has 1 values for 2 times"):
        chart(lines=[Line("fleet", [1])])


def test_a_chart_of_nothing_says_so() -> None:
    page = drawn("{% time_chart chart %}", chart=chart(times=[], lines=[]))
    assert "Nothing was recorded in this period." in page
    assert "chart-canvas" not in page


def test_bars_stand_on_both_sides_of_one_zero_with_their_signs() -> None:
    bars = BarList(
        "P&L",
        "USD",
        [Bar("BTC", Decimal(300), "/btc"), Bar("<ETH>", Decimal("-100")), Bar("kPEPE", None), Bar("X", Decimal("NaN"))],
    )
    assert [row[1:] for row in bars.rows] == [
        ("+300.00", 25.0, 75.0),
        ("−100.00", 0.0, 25.0),
        ("–", 0.0, 0.0),
        ("–", 0.0, 0.0),
    ]
    page = drawn("{% bar_list bars %}", bars=bars)
    assert "&lt;ETH&gt;" in page
    assert '<a href="/btc">BTC</a>' in page
    assert page.count("bar-value loss") == 1


def test_bars_that_are_all_zero_or_missing_are_drawn_empty() -> None:
    page = drawn("{% bar_list bars %}", bars=BarList("P&L", "USD", [Bar("BTC", Decimal(0)), Bar("ETH", Decimal("-0"))]))
    assert "bar-value" not in page
    assert "Nothing was recorded" in drawn("{% bar_list bars %}", bars=BarList("P&L", "USD", []))


def test_dates_below_a_chart_are_figures_in_every_language() -> None:
    script = (Path(settings.BASE_DIR) / "traders" / "static" / "traders" / "charts.js").read_text()
    assert '"{MM}-{DD}"' in script
    assert not re.findall(r"\{(?:MMM|WWW)\w*\}", script)
