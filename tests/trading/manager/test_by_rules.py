"""A trader that needs no network: a simulated market, the rules instead of a model, and the paper exchange."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.factories import make_trader, sync_traders
from trading.manager.rules.share import FleetShare
from trading.manager.running.making import configured
from trading.manager.running.runner import Runner
from trading.models import DecisionJournal, EquityTransfer

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_shipped_files_run_a_trader_by_rules_on_a_simulated_market(settings: Any) -> None:
    settings.MANAGER_YAML = Path(__file__).resolve().parents[3] / "etc" / "manager.yaml"
    sync_traders(
        make_trader(
            "on_paper",
            market_provider="simulated",
            allocation_pct=0,
            detail__paper_capital_usd=5000,
            detail__auto_start=True,
            detail__llm__model="rules",
        )
    )
    said: list[str] = []

    assert Runner(FleetShare(("on_paper",)), configured(), said.append).once(), said

    decision = DecisionJournal.objects.get()
    assert (decision.success, decision.detail["answer"]["model"]) == (True, "rules"), decision.detail
    assert decision.detail["decisions"][0]["reasoning"]
    assert EquityTransfer.objects.get().amount_usd == Decimal(5000)
