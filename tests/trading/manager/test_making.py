"""What a trader works with, as the files beside manager.yaml say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.factories import make_trader
from trading.manager.deciders.llm import LlmDecider
from trading.manager.deciders.rules import RulesDecider
from trading.manager.running.making import DeciderMaker, NotRunHere, configured, funding_interval, make_market

NOON = datetime(2026, 1, 8, 12, tzinfo=UTC)
MARKETS = "providers:\n  made_up: {type: simulated, seed: 3}\n  real: {type: hyperliquid}\n"
MODELS = (
    "default_model: calm\nmodels:\n  calm: {provider: rules}\n  gpt-5: {provider: openai, model_name: openai/gpt-5}\n"
)


@pytest.fixture(autouse=True)
def files(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "market.yaml").write_text(MARKETS)
    (tmp_path / "llm.yaml").write_text(MODELS)
    settings.MANAGER_YAML = tmp_path / "manager.yaml"
    settings.LLM_ENDPOINTS = {"LLM_BASE_URL": "http://127.0.0.1:9/v1"}


def test_a_market_is_made_as_its_type_says() -> None:
    assert make_market("made_up").prices(["BTC"], NOON)


@pytest.mark.parametrize("name", ["real", "unknown"])
def test_a_market_that_this_manager_does_not_have_is_not_run(name: str) -> None:
    with pytest.raises(NotRunHere, match=f"its market cannot be used: the type of the provider {name} must be one of"):
        make_market(name)


def test_funding_is_due_as_often_as_the_market_says(settings: Any) -> None:
    written = "providers:\n  daily: {funding_interval_hours: 8}\n  wrong: {funding_interval_hours: 25}\n  plain: {}\n"
    (settings.MANAGER_YAML.parent / "market.yaml").write_text(written)

    assert [funding_interval(name) for name in ("daily", "plain")] == [timedelta(hours=8), timedelta(hours=1)]
    with pytest.raises(NotRunHere, match="funding_interval_hours of the provider wrong must be a whole number from 1"):
        funding_interval("wrong")


def test_a_model_has_one_decider_and_an_empty_name_takes_the_default_model() -> None:
    make = DeciderMaker()
    models = [make(make_trader("long", detail__llm__model=name)) for name in ("gpt-5", "gpt-5", "", "host/other")]

    assert isinstance(models[0], LlmDecider)
    assert models[0] is models[1]
    assert isinstance(models[2], RulesDecider)
    assert isinstance(models[3], LlmDecider)


def test_without_any_model_the_rules_decide(settings: Any) -> None:
    (settings.MANAGER_YAML.parent / "llm.yaml").unlink()

    assert isinstance(DeciderMaker()(make_trader("long", detail__llm__model="")), RulesDecider)


@pytest.mark.parametrize("written", ["models: [", "", "- a list", "models: {calm: {provider: rules}, calm: {}}"])
def test_while_the_file_of_models_cannot_be_read_those_of_before_are_asked(
    settings: Any, caplog: pytest.LogCaptureFixture, written: str
) -> None:
    make = DeciderMaker()
    calm, new = (make_trader("long", detail__llm__model=name) for name in ("calm", "gpt-5"))
    before = make(calm)
    (settings.MANAGER_YAML.parent / "llm.yaml").write_text(written)

    assert [make(calm), make(calm)] == [before, before]
    assert len(caplog.messages) == 1
    assert "models are asked as before" in caplog.messages[0]
    with pytest.raises(NotRunHere, match="its model cannot be asked"):
        make(new)


def test_a_manager_starts_although_models_and_markets_cannot_be_read(settings: Any) -> None:
    for name in ("llm.yaml", "market.yaml"):
        (settings.MANAGER_YAML.parent / name).write_text("models: [")
    (settings.MANAGER_YAML.parent / "exchange.yaml").write_text("providers: {paper: {type: sim}}")

    workshop = configured()

    trader = make_trader("long", exchange_provider="paper", market_provider="made_up")
    assert workshop.exchange_of(trader)
    for made in (workshop.market_of, workshop.make_decider):
        with pytest.raises(NotRunHere):
            made(trader)


def test_a_wrong_price_of_a_model_keeps_only_its_traders_from_running(settings: Any) -> None:
    (settings.MANAGER_YAML.parent / "llm.yaml").write_text(
        f"{MODELS}budget:\n  cost_per_million_tokens: {{gpt-5: many}}\n"
    )

    with pytest.raises(NotRunHere, match="its model cannot be asked: "):
        DeciderMaker()(make_trader("long", detail__llm__model="gpt-5"))
    assert isinstance(DeciderMaker()(make_trader("long", detail__llm__model="calm")), RulesDecider)


def test_a_file_of_markets_that_cannot_be_read_keeps_a_trader_from_running(settings: Any) -> None:
    (settings.MANAGER_YAML.parent / "market.yaml").write_text("providers: [")

    with pytest.raises(NotRunHere, match="its market cannot be used"):
        make_market("made_up")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("max_concurrent_decisions: many", "max_concurrent_decisions must be a whole number from 1 to 9999"),
        ("max_concurrent_decisions: -1", "max_concurrent_decisions must be a whole number from 1 to 9999"),
        ("decision_timeout: soon", "decision_timeout is not a duration; write it like 45s, 3m or 1h30m, was soon"),
        ("decision_timeout: 0s", "decision_timeout must be from 1s to 24h, was 0s"),
        ("decision_timeout: 99999999999999h", "decision_timeout must be from 1s to 24h"),
    ],
)
def test_limits_of_calls_that_mean_nothing_are_refused_at_the_start(settings: Any, written: str, words: str) -> None:
    (settings.MANAGER_YAML.parent / "executor.yaml").write_text(written)

    with pytest.raises(CommandError) as refused:
        call_command("run_manager", "--once", "--no-sync")
    assert words in str(refused.value)


def test_a_model_that_its_file_does_not_have_is_named(settings: Any) -> None:
    settings.LLM_ENDPOINTS = {}

    with pytest.raises(
        NotRunHere, match=r"its model gone is not in llm\.yaml, and the address of the provider gone is"
    ):
        DeciderMaker()(make_trader("long", detail__llm__model="gone"))


def test_a_model_without_an_endpoint_is_not_run(settings: Any) -> None:
    settings.LLM_ENDPOINTS = {}

    with pytest.raises(NotRunHere, match=r"its model cannot be asked: .* set LLM_OPENAI_BASE_URL or LLM_BASE_URL"):
        DeciderMaker()(make_trader("long", detail__llm__model="gpt-5"))
