"""The prompts of traders, rendered with what is known at a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.factories import make_trader
from traders.manager_yaml.templates import FIELDS
from traders.schema import jsonio
from traders.schema.settings.catalogue import TRADER_SETTINGS
from trading.manager.rules.prompt_data import prompt_data
from trading.manager.rules.templates import TemplateFailed, render
from trading.replay.rules.checks.moment import DecisionMoment
from trading.schema.common import Side
from trading.schema.decision import Account, HeldPosition, Quote

SHIPPED = sorted((Path(__file__).resolve().parents[4] / "etc" / "prompts").rglob("*.tmpl"))
NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
MOMENT = DecisionMoment(
    decided_at=NOON,
    account=Account(
        equity_usd=Decimal(10_000),
        available_usd=Decimal(9000),
        used_margin_usd=Decimal(1000),
        used_margin_pct=Decimal(10),
        positions=1,
    ),
    positions=(
        HeldPosition(
            symbol="BTC", side=Side.LONG, quantity=Decimal("0.2"), leverage=Decimal(10), entry_price=Decimal(50_000)
        ),
    ),
    market=(Quote(symbol="BTC", price=Decimal("51000.50")), Quote(symbol="ETH", price=Decimal(4000))),
    candidates=("BTC", "ETH"),
    cooldowns=(),
)
NOTHING_KNOWN = DecisionMoment(decided_at=NOON)
DATA = prompt_data(
    make_trader("long", detail__risk__max_margin_usage_pct=30),
    MOMENT,
    running_since=NOON - timedelta(minutes=90),
    performance={"total_pnl_usd": Decimal("12.50"), "trades": 3},
)


@pytest.mark.parametrize("field", sorted(FIELDS))
@pytest.mark.parametrize("moment", [MOMENT, NOTHING_KNOWN], ids=["known", "not known"])
def test_each_field_that_the_check_accepts_is_rendered(field: str, moment: DecisionMoment) -> None:
    assert render(f"{{{{ .{field} }}}}", prompt_data(make_trader("long"), moment))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_shipped_templates_are_rendered(path: Path) -> None:
    text = render(path.read_text(), DATA)

    assert "{{" not in text
    assert "n/a x" not in text


def test_the_executors_fields_say_what_is_known() -> None:
    text = render(
        "{{ .CurrentTime }}|{{ .RuntimeMinutes }}|{{ .SharpeRatio }}|{{ .AccountOverview }}|{{ .OpenPositions }}|"
        "{{ .RiskBudget }}|{{ .PerformanceView }}|{{ .CandidateCoins }}|{{ .MarketSnapshots }}",
        DATA,
    )

    assert text.split("|") == [
        "2026-01-08T12:00:00Z",
        "90",
        "n/a",
        "equity 10000 USD, available 9000 USD, margin in use 1000 USD (10 %), 1 open positions",
        "BTC long 0.2 at 50000 (10x), mark n/a, unrealized P&L n/a USD, liquidation at n/a",
        "2 more positions of at most 500 USD each, 2000 USD more margin",
        "TotalPnlUSD 12.5, Trades 3",
        "BTC, ETH",
        '[{"symbol":"BTC","price":51000.50},{"symbol":"ETH","price":4000}]',
    ]


def test_a_template_ranges_over_candidates_positions_and_the_market() -> None:
    text = render(
        "{{ range .CandidateCoins }}{{ .Symbol }} {{ .Price }};{{ end }}{{ range .OpenPositions }}{{ .Side }}{{ end }}"
        "{{ range .MarketSnapshots }};{{ .Symbol }} {{ .ChangeHour }}{{ end }}".replace("ChangeHour", "Change1h"),
        DATA,
    )

    assert text == "BTC 51000.5;ETH 4000;long;BTC n/a;ETH n/a"


def test_the_traders_fields_are_the_keys_of_the_file_in_gos_spelling() -> None:
    text = render(
        "{{ .Trader.ID }} {{ .Trader.DecisionInterval }} {{ .Trader.RiskParams.MaxPositionSizeUSD }} "
        "{{ .Trader.OrderStyle }} {{ .Trader.MarketIOCSlippageBps }} {{ .Trader.ExecGuards.CandidateLimit }} "
        "{{ .Config.MajorCoinLeverage }} {{ .Config.MinRiskReward }}",
        DATA,
    )

    assert text == "long 3m 500 limit_ioc 50 10 20 3"


def test_each_setting_with_a_key_in_the_file_has_its_field() -> None:
    keys = {setting.yaml_key for setting in TRADER_SETTINGS.values()} - {"", "extra", "cloned_from"}
    sections = sum(isinstance(value, dict) for value in DATA["Trader"].values())
    fields = sum(len(value) if isinstance(value, dict) else 1 for value in DATA["Trader"].values())

    assert fields == len(keys) + 1
    assert sections == len({key.split(".")[0] for key in keys if "." in key})


def test_the_context_is_json_with_null_for_what_is_not_known() -> None:
    known = jsonio.loads(DATA["ContextJSON"])
    unknown = jsonio.loads(prompt_data(make_trader("long"), NOTHING_KNOWN)["ContextJSON"])

    assert known["account"]["equity_usd"] == 10_000
    assert known["positions"][0]["symbol"] == "BTC"
    assert (unknown["account"], unknown["positions"], unknown["candidates"]) == (None, None, None)


def test_a_field_that_is_missing_is_named() -> None:
    with pytest.raises(TemplateFailed, match=r"line 2: there is no field \.Trader\.Nmae; there are AllocationPct, "):
        render("a\n{{ .Trader.Nmae }}", DATA)
