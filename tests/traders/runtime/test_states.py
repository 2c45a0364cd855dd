"""The filter asks the database what the rule says of each row."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from tests.factories import make_trader, save_edit, sync_traders
from traders.models import TraderConfig, TraderRuntimeState
from traders.runtime.rules import State
from traders.runtime.states import in_state, state_of_trader

NOW = datetime(2026, 1, 8, 10, 30, tzinfo=UTC)
PAUSES: list[dict[str, object]] = [
    {},
    {"pause": {"until": "2026-01-08T10:30:01Z"}},
    {"pause": {"until": "2026-01-08T12:30:00+02:00"}},
    {"pause": {"until": "2026-02-30T00:00:00Z"}},
    {"pause": None},
]


@pytest.mark.django_db
def test_rows_and_filter_agree_on_every_state() -> None:
    cases = list(product((None, 1), (True, False), (0, 270, 271, 420, 421), PAUSES, (True, False)))
    sync_traders(
        *(
            make_trader(f"t{n}", allocation_pct=0, detail__retired=retired)
            for n, (_, _, _, _, retired) in enumerate(cases)
        )
    )
    for n, (active, is_running, age, detail, _retired) in enumerate(cases):
        TraderRuntimeState.objects.filter(pk=f"t{n}").update(
            active_config_version=active,
            is_running=is_running and active is not None,
            updated_at=NOW - timedelta(seconds=age),
            detail=detail,
        )
    for n in range(0, len(cases), 3):
        save_edit(f"t{n}", detail__risk__max_positions=4)

    traders = TraderConfig.objects.select_related("runtime_state")
    expected: dict[State, set[str]] = {state: set() for state in State}
    for trader in traders:
        expected[state_of_trader(trader, NOW)].add(trader.id)
    for state in State:
        assert {trader.id for trader in in_state(traders.all(), state, NOW)} == expected[state]
    assert all(expected.values())
