"""A small sample fleet with its record, for the browser."""

from __future__ import annotations

from decimal import Decimal

from django.utils import timezone

from demo.sample.plan import SamplePlan
from demo.services import generate
from tests.live_factories import make_price
from trading.live import services as live
from trading.live.upkeep import verify as live_verify
from trading.models import DecisionJournal, Position, Trade

TRADES, POSITIONS = "/admin/trading/trade/", "/admin/trading/position/"
DECISIONS = "/admin/trading/decisionjournal/"
OUTCOMES = f"{TRADES}outcomes/"
LIVE = f"{POSITIONS}live/"


def sample_record(*, traders: int = 2, days: int = 12, trades: int = 120) -> None:
    end = timezone.now().replace(minute=0, second=0, microsecond=0)
    generate(SamplePlan(traders=traders, days=days, trades=trades, seed=1, end=end))


def quote_what_is_held() -> None:
    """The live store filled and proved, with a price of now for each symbol: one percent above the last entry."""
    live.rebuild_all()
    held = Position.objects.filter(status="open").order_by("opened_ms")
    live.quoted({one.symbol: make_price(one.entry_price * Decimal("1.01")) for one in held})
    live_verify.verify()


def record_pages() -> dict[str, str]:
    """{name: address} of a page of each kind, those with the most in them."""
    trade = Trade.objects.latest("close_ts_ms")
    held = Position.objects.filter(status="open").latest("opened_ms")
    refused = DecisionJournal.objects.filter(success=False, detail__actions__0__ok=False).latest("decided_at")
    opened = DecisionJournal.objects.filter(detail__actions__0__action__startswith="open_", success=True)
    early = opened.filter(config_version=1).latest("decided_at")
    return {
        "positions": POSITIONS,
        "trades": TRADES,
        "decisions": DECISIONS,
        "changes-by-result": OUTCOMES,
        "performance": f"{TRADES}performance/?period=all",
        "trade": f"{TRADES}{trade.pk}/",
        "position": f"{POSITIONS}{held.pk}/",
        "refused-decision": f"{DECISIONS}{refused.pk}/",
        "decision": f"{DECISIONS}{early.pk}/",
        "replay": f"{DECISIONS}{refused.pk}/replay/?version=1",
        "results": f"/admin/traders/traderconfig/{trade.trader_id}/history/",
    }
