"""A manager at work on one trader that starts by itself."""

from __future__ import annotations

import pytest

from tests.factories import make_trader, sync_traders
from tests.manager_factories import ManagerAtWork


@pytest.fixture
def at_work() -> ManagerAtWork:
    sync_traders(make_trader(detail__auto_start=True))
    return ManagerAtWork()
