"""A dashboard that loads the accounts once and then asks for what came since."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.live_factories import make_price
from tests.trading.export.public_api.client import get, make_api
from tests.trading.export.record import EQUITY_HOURS, add_equity, fill_record
from tests.trading_factories import HOUR_MS, OPENED_MS
from trading.export.cycle import Exporter
from trading.export.parts.options import Options
from trading.live.keys import PRICE
from trading.live.redis import store

pytestmark = pytest.mark.django_db

ENTRY = Decimal(45000)


class Dashboard:
    """Loads once, then polls from the hour that it has read, and keeps a row for each id."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rows: dict[str, dict[str, Any]] = {}
        self._hour: int | None = None
        self.rows_of_last_answer = 0

    def look(self) -> None:
        query = "" if self._hour is None else f"?lastHourlyMarker={self._hour}"
        answer = get(make_api(self._root), f"/api/account-totals{query}").json
        self.rows_of_last_answer = len(answer["accountTotals"])
        self._rows |= {row["id"]: row for row in answer["accountTotals"]}
        self._hour = answer["lastHourlyMarkerRead"]

    def price_of(self, trader_id: str, symbol: str) -> Any:
        newest = max((row for row in self._rows.values() if row["model_id"] == trader_id), key=lambda r: r["timestamp"])
        return newest["positions"][symbol]["current_price"]


def test_a_client_that_loads_once_and_polls_sees_every_price_move(tmp_path: Path) -> None:
    fill_record()
    # Of `ann`, who holds BTC, no equity was recorded for ten hours.
    add_equity("cyd", OPENED_MS + (EQUITY_HOURS + 10) * HOUR_MS, 500)
    exporter = Exporter(Options(tmp_path / "export"))
    dashboard = Dashboard(tmp_path / "export")

    for price in ("45100", "45200.5", "44000"):
        store.write(PRICE, {"BTC": make_price(price)})
        exporter.cycle(analytics_seconds=None)
        dashboard.look()
        assert dashboard.price_of("ann", "BTC") == float(price)

    # One row of each trader that has equity, and not the hours that the client has read already.
    assert dashboard.rows_of_last_answer < 6
