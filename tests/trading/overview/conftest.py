"""A fleet with equity, and people who look at its page."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role
from traders.schema.moments import now_ms
from trading.models import EquitySnapshot

HOUR_MS = 3_600_000


@pytest.fixture(autouse=True)
def export_dir(settings: Any, tmp_path: Path) -> Path:
    settings.EXPORT_DIR = tmp_path
    return tmp_path


@pytest.fixture
def operator(traders: None) -> Client:
    return browser_of(Role.OPERATOR)


Equity = Callable[..., None]


@pytest.fixture
def equity(traders: None) -> Equity:
    """Points of a trader by the hours before now."""

    def add(trader_id: str, **hours_ago: Any) -> None:
        EquitySnapshot.objects.bulk_create(
            EquitySnapshot(
                trader_id=trader_id,
                ts_ms=now_ms() - int(float(hours[1:].replace("_", ".")) * HOUR_MS),
                equity_usd=Decimal(usd),
            )
            for hours, usd in hours_ago.items()
        )

    return add
