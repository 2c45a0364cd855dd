"""The ratios agree with empyrical where it defines the same. Its packages come with `make check`."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.trading.analytics.records import DAY, point
from trading.analytics.drawdown import max_drawdown
from trading.analytics.ratios import annual_return, calmar, sharpe, sortino
from trading.analytics.returns import equity_returns

REASON = "empyrical is not installed; `make check` installs it"
empyrical: Any = pytest.importorskip("empyrical", reason=REASON)
numpy: Any = pytest.importorskip("numpy", reason=REASON)

# Equity at the end of each day. Theirs multiplies returns up again, so a year of nothing is only nearly nothing.
levels = st.lists(st.decimals(5000, 20_000, places=2), min_size=3, max_size=60)


@given(levels)
def test_ratios_of_daily_equity(equity: list[Decimal]) -> None:
    series = [point(day * DAY, str(level)) for day, level in enumerate(equity)]
    returns = equity_returns(series)
    assert returns is not None
    assume(max(returns) - min(returns) > 1e-9)
    theirs = numpy.array([float(after / before - 1) for before, after in pairwise(equity)])
    fall = max_drawdown(series)
    assert fall is not None

    assert returns == pytest.approx(list(theirs), rel=1e-9, abs=1e-15)
    assert sharpe(returns) == pytest.approx(empyrical.sharpe_ratio(theirs, annualization=365), rel=1e-9, abs=1e-9)
    assert fall.depth_pct / 100 == pytest.approx(-empyrical.max_drawdown(theirs), rel=1e-9, abs=1e-9)
    if min(returns) < 0:
        assert sortino(returns) == pytest.approx(
            empyrical.sortino_ratio(theirs, annualization=365), rel=1e-9, abs=1e-12
        )
    yearly = annual_return(equity[0], equity[-1], len(returns))
    assert yearly == pytest.approx(empyrical.annual_return(theirs, annualization=365), rel=1e-9, abs=1e-9)
    if fall.depth_pct:
        expected = empyrical.calmar_ratio(theirs, annualization=365)
        assert calmar(yearly, fall.depth_pct) == pytest.approx(expected, rel=1e-9, abs=1e-9)
