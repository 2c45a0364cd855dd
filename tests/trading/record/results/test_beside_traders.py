"""What each version earned, on the history of its trader, and the ways to the trader's records."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import save_edit
from tests.traders.admin.browsing import STEADY, text_of
from tests.trading_factories import HOUR_MS, OPENED_MS, make_trade
from traders.templatetags.display import active_for
from trading.record.writing.trades import record_trade

HISTORY = f"{STEADY}history/"
VERSION_1 = [Decimal(10), Decimal(-30), Decimal("5.5"), Decimal(-2), Decimal(40)]
VERSION_2 = [Decimal(-1)] * 30
BEFORE = [Decimal(7), Decimal(-3)]


def record(version: int | None, *nets: Decimal) -> None:
    for number, net in enumerate(nets):
        opened = OPENED_MS + number * HOUR_MS + (version or 0)
        record_trade(make_trade(net=net, open_ms=opened, entry_version=version, exit_version=version))


def deepest_fall(nets: list[Decimal]) -> Decimal:
    """By the definition: every beginning with every later end."""
    sums = [sum(nets[:end], Decimal(0)) for end in range(len(nets) + 1)]
    return max(sums[start] - sums[end] for start in range(len(sums)) for end in range(start, len(sums)))


@pytest.mark.usefixtures("traders")
def test_each_version_says_what_it_earned(viewer: Client) -> None:
    record(1, *VERSION_1)
    record(2, *VERSION_2)
    record(None, *BEFORE)
    said = text_of(viewer.get(HISTORY))

    assert deepest_fall(VERSION_1) == Decimal(30)
    assert "first version ▲ +23.50 gain 5 trades 60.0 30.00" in said
    assert "▼ −30.00 loss 30 trades 0.0 30.00" in said
    assert "before v1 ▲ +4.00 gain 2 trades 50.0 3.00" in said
    assert "wider book Risk - max positions: 3 → 4 shield raises risk – – –" in said, "no trades yet"
    assert "Drawdown is the deepest fall of what the positions" in said


@pytest.mark.usefixtures("traders")
def test_few_trades_are_marked(viewer: Client) -> None:
    record(1, *VERSION_1)
    record(2, *VERSION_2)
    content = viewer.get(HISTORY).content.decode()
    assert content.count('title="small sample"') == 1


@pytest.mark.usefixtures("traders")
def test_a_version_says_how_long_it_was_in_force(viewer: Client) -> None:
    lines = viewer.get(HISTORY).context["lines"]
    assert [line.until for line in lines] == [None, lines[0].changed_at, lines[1].changed_at]
    assert active_for(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 3, 4, 5, 6, tzinfo=UTC)) == "2 d 4 h"


@pytest.mark.usefixtures("traders")
def test_more_versions_and_trades_take_no_more_queries(viewer: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert viewer.get(HISTORY).status_code == 200
        return len(captured)

    without = queries()
    record(1, *VERSION_1)
    few = queries()
    assert few <= without + 3
    for number in range(8):
        save_edit("steady_long", detail__risk__max_positions=5 + number)
        record(number + 2, *VERSION_1)
    assert queries() == few


@pytest.mark.usefixtures("traders")
def test_a_trader_leads_to_its_records(viewer: Client) -> None:
    content = viewer.get(HISTORY).content.decode()
    for model in ("position", "trade", "decisionjournal"):
        assert f'href="/admin/trading/{model}/?trader=steady_long"' in content


@pytest.mark.usefixtures("traders")
def test_whoever_may_not_look_at_trades_sees_no_results() -> None:
    record(1, *VERSION_1)
    user = User.objects.create_user("configs_only", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename="view_traderconfig"))
    client = Client()
    client.force_login(user)

    content = client.get(HISTORY).content.decode()
    assert "drawdown" not in content
    assert "/admin/trading/" not in content
    assert client.get("/admin/trading/trade/").status_code == 403
