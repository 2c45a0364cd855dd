from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from tests.factories import make_trader, new_trader, save_edit, sync_traders
from traders.models import TraderConfig, TraderConfigVersion, TraderRuntimeState
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import flat_of
from traders.versions import services as configs
from traders.versions.edit import services as edit
from traders.versions.edit.names import choices
from traders.versions.rules.errors import AlreadyExists, StaleEdit, UnknownConfig

pytestmark = pytest.mark.django_db


def problems_of(refusal: pytest.ExceptionInfo[InvalidConfig]) -> dict[str, str]:
    return {problem.path: problem.message for problem in refusal.value.problems}


def test_an_edit_makes_the_next_version_with_who_why_and_which_paths() -> None:
    sync_traders(make_trader())

    saved = save_edit("steady_long", reason="cut leverage", detail__risk__major_coin_leverage=10)

    assert saved is not None
    stored = configs.existing("steady_long")
    assert (stored.version, stored.changed_by, stored.reason, stored.source) == (2, "mei", "cut leverage", "admin")
    assert stored.changed_fields == ("detail.risk.major_coin_leverage",)
    assert stored.flat["detail.risk.major_coin_leverage"] == 10
    assert stored.changed_at == saved.changed_at


def test_the_row_and_its_version_hold_the_same() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", allocation_pct=Decimal("12.50"))

    row = TraderConfig.objects.get(pk="steady_long")
    version = TraderConfigVersion.objects.get(id="steady_long", version=2)
    assert (row.version, row.allocation_pct, row.detail) == (2, Decimal("12.50"), version.detail)
    assert row.updated_at == version.history_date
    assert row.created_by == "cli:test"


def test_an_edit_that_changes_no_value_makes_no_version() -> None:
    sync_traders(make_trader())

    assert save_edit("steady_long", detail__risk__min_risk_reward_ratio=Decimal("3.000")) is None
    assert configs.existing("steady_long").version == 1


@pytest.mark.parametrize("reason", ["", "  ", "x" * 1001, "key sk-abcdefghijklmnopqrstuvwx0123456789ABCD"])
def test_a_reason_must_be_given_be_short_and_hold_no_secret(reason: str) -> None:
    sync_traders(make_trader())

    with pytest.raises(InvalidConfig) as refusal:
        save_edit("steady_long", reason=reason, detail__risk__max_positions=4)

    assert list(problems_of(refusal)) == ["reason"]
    assert configs.existing("steady_long").version == 1


def test_every_wrong_value_is_named_at_its_path() -> None:
    sync_traders(make_trader())

    with pytest.raises(InvalidConfig) as refusal:
        save_edit("steady_long", detail__risk__max_positions=0, detail__order__style="stop", allocation_pct="20x")

    assert problems_of(refusal) == {
        "detail.risk.max_positions": "must be a whole number from 1 to 1000, was 0",
        "detail.order.style": "must be one of limit_ioc, market_ioc, was 'stop'",
        "allocation_pct": "must be a number from 0 to 100 (%), was '20x'",
    }


def test_an_edit_of_an_older_version_is_refused_with_all_three_sides() -> None:
    sync_traders(make_trader())
    opened = configs.existing("steady_long")
    save_edit("steady_long", actor="lee", detail__risk__max_positions=5)
    mine = opened.flat | {"detail.risk.max_positions": 4}

    with pytest.raises(StaleEdit) as refusal:
        edit.save(config_id="steady_long", flat=mine, expected_version=1, reason="mine", actor="mei")

    assert refusal.value.base is not None
    assert refusal.value.base.flat["detail.risk.max_positions"] == 3
    assert refusal.value.theirs.flat["detail.risk.max_positions"] == 5
    assert refusal.value.theirs.changed_by == "lee"
    assert refusal.value.mine["detail.risk.max_positions"] == 4
    assert configs.existing("steady_long").version == 2


def test_a_proposal_says_what_raises_risk_and_what_stays_free() -> None:
    sync_traders(make_trader())
    stored = configs.existing("steady_long")
    flat = stored.flat | {
        "allocation_pct": Decimal("30"),
        "detail.risk.major_coin_leverage": 10,
        "detail.risk.stop_loss_enabled": False,
    }

    proposal = edit.propose(config_id="steady_long", flat=flat, expected_version=1)

    assert proposal.riskier == {"allocation_pct", "detail.risk.stop_loss_enabled"}
    assert (proposal.before.free_pct, proposal.after.free_pct) == (Decimal("70.00"), Decimal(60))
    assert proposal.next_version == 2
    assert configs.existing("steady_long").version == 1


def test_an_allocation_above_what_the_reserve_leaves_is_refused() -> None:
    sync_traders(make_trader("a", allocation_pct=Decimal(40)), make_trader("b", allocation_pct=Decimal(40)))

    with pytest.raises(InvalidConfig) as refusal:
        save_edit("a", allocation_pct=Decimal("50.01"))

    assert problems_of(refusal) == {
        "allocation_pct": "makes the fleet's sum 90.01 %, 0.01 % above the 90 % that a reserve of 10 % leaves; "
        "at most 50.00 % fits"
    }


def test_a_reserve_that_the_traders_have_already_is_refused() -> None:
    sync_traders(make_trader(allocation_pct=Decimal(80)))

    with pytest.raises(InvalidConfig) as refusal:
        save_edit(FLEET_ID, detail__manager__reserve_equity_pct=Decimal(21))

    assert list(problems_of(refusal)) == ["detail.manager.reserve_equity_pct"]


def test_retiring_a_trader_frees_its_allocation_and_coming_back_needs_it_again() -> None:
    sync_traders(make_trader("a", allocation_pct=Decimal(60)))
    save_edit("a", detail__retired=True)
    assert new_trader("b", allocation_pct=Decimal(60)) is not None

    with pytest.raises(InvalidConfig, match=r"fleet's sum 120\.00 %"):
        save_edit("a", detail__retired=False)


def test_a_new_trader_starts_at_version_1_with_its_runtime_row() -> None:
    sync_traders(make_trader())

    saved = new_trader("second", allocation_pct=Decimal(5))

    assert saved is not None
    stored = configs.existing("second")
    assert (stored.version, stored.changed_fields, stored.reason) == (1, (), "new strategy")
    state = TraderRuntimeState.objects.get(pk="second")
    assert (state.active_config_version, state.is_running) == (None, False)


@pytest.mark.parametrize("taken", ["steady_long", "Steady_LONG"])
def test_a_new_trader_cannot_take_an_id_that_exists_in_any_letter_case(taken: str) -> None:
    sync_traders(make_trader())

    with pytest.raises(AlreadyExists, match="exists already"):
        new_trader(taken)


def test_an_unknown_trader_cannot_be_edited() -> None:
    with pytest.raises(UnknownConfig, match="'ghost'"):
        edit.propose(config_id="ghost", flat=flat_of(make_trader("ghost")), expected_version=3)


def test_a_prompt_must_be_one_of_the_stored_texts() -> None:
    sync_traders(make_trader())

    with pytest.raises(InvalidConfig) as refusal:
        save_edit("steady_long", detail__prompts__system_sha256="ab" * 32)

    assert list(problems_of(refusal)) == ["detail.prompts.system_template"]


def test_provider_and_model_must_be_defined_beside_the_file_unless_they_stand_already(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "exchange.yaml").write_text("providers:\n  binance: {type: sim}\n")
    (tmp_path / "llm.yaml").write_text("models:\n  gpt-5: {}\n")
    settings.MANAGER_YAML = tmp_path / "manager.yaml"
    sync_traders(make_trader())

    assert save_edit("steady_long", detail__risk__max_positions=4) is not None
    assert save_edit("steady_long", detail__llm__model="openai/gpt-5") is not None
    with pytest.raises(InvalidConfig) as refusal:
        save_edit("steady_long", exchange_provider="binanse", detail__llm__model="gpt5")
    assert problems_of(refusal)["exchange_provider"].endswith("was 'binanse'; did you mean binance?")
    assert "detail.llm.model" in problems_of(refusal)


def test_a_broken_file_of_names_is_told_instead_of_let_pass(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "llm.yaml").write_text("models: [")
    settings.MANAGER_YAML = tmp_path / "manager.yaml"
    sync_traders(make_trader())

    with pytest.raises(InvalidConfig, match=r"llm\.yaml"):
        save_edit("steady_long", detail__risk__max_positions=4)
    assert choices().models == ("deepseek-chat",)


def test_the_fleet_settings_have_the_same_life() -> None:
    sync_traders(make_trader())

    save_edit(FLEET_ID, reason="more capital", detail__manager__total_equity_usd=Decimal("123456789.12345678"))

    stored = configs.existing(FLEET_ID)
    assert (stored.version, stored.reason) == (2, "more capital")
    assert stored.changed_fields == ("detail.manager.total_equity_usd",)
    assert str(stored.flat["detail.manager.total_equity_usd"]) == "123456789.12345678"
