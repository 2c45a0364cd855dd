"""Controls as pages, commands and the API ask for them: what is written, refused, and answered again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.controls.asking import TRADER, ask, ask_fleet, causes, copied, effect, in_minutes
from traders.controls import queries, services
from traders.controls.rules import spread
from traders.controls.wanted import wanted_of, wanted_of_one
from traders.models import TraderControl, TraderRuntimeState, TraderSymbolCooldown
from traders.runtime.cooldowns import services as cooldowns
from traders.schema.problems import InvalidConfig
from traders.schema.runtime import CooldownDetail
from traders.versions.lifecycle import services as lifecycle
from traders.versions.rules.errors import UnknownConfig, UnknownVersion

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync_traders(make_trader(detail__auto_start=True), make_trader("quick_short", detail__auto_start=True))


def refused(kind: str, *trader_ids: str, **given: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidConfig) as error:
        ask(kind, *trader_ids, **given)
    return [(problem.path, str(problem.message)) for problem in error.value.problems]


def test_a_stop_says_who_when_and_why_and_survives_everything_but_a_start() -> None:
    ask("stop", reason="it loses")
    state = wanted_of_one(TRADER)
    assert (state.effect, state.run.actor, state.run.reason) == ("stopped", "mei", "it loses")  # type: ignore[union-attr]
    ask("pause")
    ask("resume")
    assert effect() == "stopped"
    ask("start")
    assert effect() == "running"
    assert effect("quick_short") == "running"


def test_a_fleet_stop_bans_entries_of_every_trader_until_it_is_released() -> None:
    ask("stop", "quick_short")
    ask_fleet("stop")
    assert (effect(), effect("quick_short")) == ("entries_banned", "stopped")
    ask_fleet("release", actor="joe")
    assert (effect(minutes=60), effect("quick_short", minutes=60)) == ("running", "stopped")


def test_a_restore_is_released_by_a_person_whoever_stopped_the_fleet_since() -> None:
    services.restored()
    ask_fleet("stop", actor="guard:fleet_daily_loss")
    with pytest.raises(InvalidConfig, match="a person releases it"):
        ask_fleet("release", actor="token:engine-1")
    ask_fleet("release", actor="mei")
    ask_fleet("stop", actor="mei")
    ask_fleet("release", actor="token:engine-1")
    assert queries.fleet_stop() is None


def test_a_released_trader_waits_for_its_turn_within_its_interval() -> None:
    save_edit(TRADER, detail__llm__decision_interval_seconds=3600)
    ask_fleet("stop")
    (release,) = ask_fleet("release")
    turn = release.control.at + spread(TRADER, 3600)
    waits = wanted_of_one(TRADER, turn - timedelta(seconds=1))
    assert [(cause.kind, cause.until) for cause in waits.causes] == [("released", turn)]
    assert wanted_of_one(TRADER, turn).effect == "running"


def test_a_pause_of_an_operator_and_one_of_a_guard_end_apart() -> None:
    ask("pause", until=in_minutes(30))
    ask("pause", cause="guard:max_daily_loss_usd", actor="guard:max_daily_loss_usd", reason="lost 210 of 200 USD")
    ask("resume")
    assert causes() == ["pause"]
    assert refused("resume") == [
        ("cause", "must be one of guard:max_daily_loss_usd: the trader is paused by nothing else, was operator")
    ]
    ask("resume", cause="guard:max_daily_loss_usd")
    assert effect() == "running"


def test_the_same_asked_again_by_the_same_actor_writes_no_second_row() -> None:
    (first,) = ask("stop")
    (again,) = ask("stop", reason="another reason")
    (other,) = ask("stop", actor="joe")
    assert (again.control.id, again.is_new) == (first.control.id, False)
    assert (other.is_new, TraderControl.objects.count()) == (True, 2)
    assert [ask("resume"), ask("unpin"), ask("clear_cooldown")] == [[], [], []]
    assert TraderControl.objects.count() == 2


def test_a_guard_writes_once_for_one_cause() -> None:
    ask("pause", cause="guard:drawdown", actor="guard:drawdown", once="drawdown|peak 1000")
    ask("resume", cause="guard:drawdown")
    (again,) = ask("pause", cause="guard:drawdown", actor="guard:drawdown", once="drawdown|peak 1000")
    assert (again.is_new, effect()) == (False, "running")


def test_no_request_is_lost_for_the_text_of_another() -> None:
    ask("pause", once="request 7")
    assert [path for path, _message in refused("stop", once="request 7")] == ["once"]
    assert [path for path, _message in refused("pause", cause="guard:drawdown", once="request 7")] == ["once"]
    ask("pin", version=1, once="request 8")
    save_edit(TRADER, detail__risk__max_positions=2)
    assert [path for path, _message in refused("pin", version=2, once="request 8")] == ["once"]
    ask_fleet("stop", once="request 9")
    with pytest.raises(InvalidConfig, match="another request needs another text"):
        ask_fleet("release", once="request 9")
    assert (effect(), queries.fleet_stop() is None) == ("entries_banned", False)


def test_a_cooldown_that_was_cleared_stays_so_when_it_is_sent_again() -> None:
    asked: dict[str, Any] = {"symbol": "BTC", "until": in_minutes(30), "once": "request 7"}
    ask("cooldown", **asked)
    ask("clear_cooldown", symbol="BTC")
    (again,) = ask("cooldown", **asked)
    assert (again.is_new, cooldowns.holding(TRADER)) == (False, [])


def test_a_control_of_many_is_written_for_all_or_for_none() -> None:
    with pytest.raises(UnknownConfig):
        ask("stop", TRADER, "nobody")
    assert effect() == "running"
    ask("stop", TRADER, "quick_short", TRADER)
    assert TraderControl.objects.count() == 2


@pytest.mark.parametrize(
    ("kind", "given", "path"),
    [
        ("stop", {"reason": " "}, "reason"),
        ("release", {}, "kind"),
        ("stop", {"version": 1}, "version"),
        ("pin", {}, "version"),
        ("cooldown", {"symbol": "BTC"}, "until"),
        ("pause", {"symbol": "BTC"}, "symbol"),
        ("close", {"symbol": "BTC"}, "symbol"),
        ("close", {}, ""),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(kind: str, given: dict[str, Any], path: str) -> None:
    assert [found for found, _message in refused(kind, **given)] == [path]
    assert TraderControl.objects.count() == 0


def test_an_end_in_the_past_is_refused() -> None:
    assert [path for path, _ in refused("pause", until=in_minutes(-1))] == ["until"]


def test_a_retired_trader_cannot_be_started() -> None:
    lifecycle.set_retired(trader_ids=[TRADER], retired=True, seen={TRADER: 1}, reason="lost", actor="mei")
    assert [path for path, _ in refused("start")] == ["kind"]
    assert causes()[-1] == "retired"


def test_a_pin_names_a_version_that_was_and_that_can_run() -> None:
    save_edit(TRADER, detail__auto_start=False)
    with pytest.raises(UnknownVersion):
        ask("pin", version=7)
    assert effect() == "stopped"
    ask("pin", version=1)
    state = wanted_of_one(TRADER)
    assert (state.pinned_version, state.effect) == (1, "running")
    ask("unpin")
    assert wanted_of_one(TRADER).pinned_version is None


def test_newer_versions_move_no_pin() -> None:
    ask("pin", version=1)
    save_edit(TRADER, detail__risk__max_positions=4)
    assert (wanted_of_one(TRADER).pinned_version, queries.pinned_versions()) == (1, {TRADER: 1})


def test_a_pin_to_a_version_whose_model_is_gone_is_refused(monkeypatch: Any, tmp_path: Any, settings: Any) -> None:
    (tmp_path / "llm.yaml").write_text("models:\n  gpt-5:\n    provider: openai\n    model_name: gpt-5\n")
    settings.MANAGER_YAML = tmp_path / "manager.yaml"
    assert [path for path, _ in refused("pin", version=1)] == ["detail.llm.model"]


def test_people_replace_cooldowns_and_engines_only_extend_them() -> None:
    def engine(minutes: float, **detail: Any) -> Any:
        return cooldowns.extend(
            trader_id=TRADER, symbol="BTC", until=in_minutes(minutes), detail=CooldownDetail(**detail)
        ).cooldown_until

    late = engine(60)
    assert engine(30) == late
    ask("clear_cooldown", symbol="BTC")
    assert cooldowns.holding(TRADER) == []
    engine(50)
    assert cooldowns.holding(TRADER) == [], "an engine's older value does not count"
    engine(50, triggered_at=in_minutes(0))
    assert [row.symbol for row in cooldowns.holding(TRADER)] == ["BTC"]
    ask("cooldown", symbol="BTC", until=in_minutes(5))
    engine(40)
    (held,) = cooldowns.holding(TRADER)
    assert held.cooldown_until < in_minutes(6)
    assert engine(90) > in_minutes(80)


def test_clearing_without_a_symbol_clears_all_that_hold() -> None:
    for symbol in ("BTC", "ETH"):
        cooldowns.extend(trader_id=TRADER, symbol=symbol, until=in_minutes(9), detail=CooldownDetail())
    assert len(ask("clear_cooldown")) == 2
    assert cooldowns.holding(TRADER) == []
    assert TraderSymbolCooldown.objects.count() == 2


def test_what_is_wanted_of_many_costs_no_more_statements() -> None:
    ask("pause")
    ask("pin", version=1)
    wanted_of([TRADER])
    with CaptureQueriesContext(
        connection,
    ) as of_one:
        wanted_of([TRADER])
    with CaptureQueriesContext(connection) as of_two:
        wanted_of([TRADER, "quick_short"])
    assert len(of_one) == len(of_two) <= 6


def test_ids_moments_and_places_rise_together() -> None:
    ask("pause")
    ask_fleet("stop")
    ask("stop")
    rows = list(TraderControl.objects.order_by("id"))
    assert [row.at for row in rows] == sorted(row.at for row in rows)
    assert len({row.at for row in rows}) == 3
    assert len({row.write_id for row in rows}) == 1, "one transaction is one place in the order of changes"
    assert [(row.trader_id, row.kind) for row in rows] == [(TRADER, "pause"), (None, "stop"), (TRADER, "stop")]


def test_the_copy_is_gone_when_nothing_was_ever_asked() -> None:
    assert "desired" not in copied()
    TraderRuntimeState.objects.filter(pk=TRADER).update(detail={"desired": {"state": "running"}})
    assert "desired" not in copied(), "only controls say what is wanted"
