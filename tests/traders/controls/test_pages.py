"""The pages that ask for controls, and what other pages show of them."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import STEADY, TRADERS, hidden_fields, text_of
from tests.traders.admin.people import browser_of
from tests.traders.controls.asking import TRADER, ask, ask_fleet, causes, effect, in_minutes
from tests.trading_factories import make_position
from traders.accounts.rules import Role
from traders.controls import services
from traders.controls.wanted import wanted_of_one
from traders.models import TraderControl, TraderRuntimeState
from traders.runtime import services as runtime
from traders.runtime.cooldowns import services as cooldowns
from traders.schema.controls.rows import AckResult
from traders.schema.runtime import CooldownDetail, ReportDetail
from trading.record.writing.positions import open_position
from trading.schema.common import Side

pytestmark = pytest.mark.django_db
REPORTED = {"active_config_version": 1, "is_running": True}


@pytest.fixture(autouse=True)
def _fleet() -> None:
    sync_traders(make_trader(detail__auto_start=True), make_trader("quick_short", detail__auto_start=True))


@pytest.fixture
def operator() -> Client:
    return browser_of(Role.OPERATOR)


def url_of(kind: str, *trader_ids: str) -> str:
    return f"{TRADERS}control/{kind}/?" + "&".join(f"trader={name}" for name in trader_ids or (TRADER,))


def press(client: Client, url: str, **typed: Any) -> Any:
    """Opens the page, leaves its reason as it is filled in, and confirms."""
    page = client.get(url)
    filled = {"reason": page.context["form"]["reason"].value() or ""}
    return client.post(url, hidden_fields(page) | {"step": "save"} | filled | typed, follow=True)


def hold(symbol: str = "BTC", trader_id: str = TRADER) -> Any:
    return open_position(trader_id=trader_id, symbol=symbol, side=Side.LONG, detail=make_position())


def report(**said: Any) -> None:
    TraderRuntimeState.objects.filter(pk=TRADER).update(**{**REPORTED, "updated_at": timezone.now(), **said})


@pytest.mark.parametrize(("kind", "then"), [("stop", "stopped"), ("drain", "stopped"), ("pause", "entries_banned")])
def test_a_stop_takes_one_click_and_one_confirm(operator: Client, kind: str, then: str) -> None:
    press(operator, url_of(kind))
    row = TraderControl.objects.get()
    assert (row.kind, row.reason, row.actor, effect()) == (kind, "emergency", "operator", then)


def test_a_stop_is_not_refused_because_the_page_is_old(operator: Client) -> None:
    page = operator.get(url_of("stop"))
    save_edit(TRADER, detail__risk__max_positions=5)
    hold()
    ask("pause")
    operator.post(url_of("stop"), hidden_fields(page) | {"step": "save", "reason": "emergency"})
    assert effect() == "stopped"


def test_a_start_is_asked_again_where_something_moved_meanwhile(operator: Client) -> None:
    ask("stop")
    page = operator.get(url_of("start"))
    assert "1 trader will trade: steady_long." in text_of(page)
    ask("pause")
    answer = operator.post(url_of("start"), hidden_fields(page) | {"step": "save", "reason": "calm again"})
    assert "Something changed since this page was made" in text_of(answer)
    assert "Nobody begins to trade by this." in text_of(answer)
    assert wanted_of_one(TRADER).run.kind == "stop"  # type: ignore[union-attr]
    press(operator, url_of("start"), reason="calm again")
    assert wanted_of_one(TRADER).run.kind == "start"  # type: ignore[union-attr]


def test_a_start_needs_a_reason(operator: Client) -> None:
    ask("stop")
    assert "Say why, in a few words." in text_of(press(operator, url_of("start")))
    assert effect() == "stopped"


def test_a_stop_says_what_stays_open_and_what_has_no_stop_order(operator: Client) -> None:
    hold("BTC")
    hold("ETH")
    words = text_of(operator.get(url_of("stop")))
    assert "2 positions stay open" in words
    assert "USD gross" in words
    assert "no live stop order" in words
    assert "Drain instead" in words
    assert "stopped by" not in words


def test_many_are_stopped_at_once(operator: Client) -> None:
    press(operator, url_of("stop", TRADER, "quick_short"))
    assert (effect(), effect("quick_short")) == ("stopped", "stopped")


def test_all_positions_are_closed_after_the_word(operator: Client) -> None:
    hold()
    press(operator, url_of("close"), reason="out")
    assert not TraderControl.objects.exists()
    press(operator, url_of("close"), reason="out", word="close  ALL")
    assert [row.kind for row in TraderControl.objects.order_by("id")] == ["close", "pause"]


def test_of_many_those_are_closed_that_hold_something(operator: Client) -> None:
    hold()
    press(operator, url_of("close", TRADER, "quick_short"), reason="out", word="close all")
    rows = TraderControl.objects.order_by("id").values_list("trader", "kind")
    assert list(rows) == [(TRADER, "close"), (TRADER, "pause")]


def test_one_symbol_is_closed_without_the_word(operator: Client) -> None:
    hold("BTC")
    hold("ETH")
    press(operator, url_of("close"), reason="out of it", symbol="ETH")
    assert TraderControl.objects.get().symbol == "ETH"


@pytest.mark.parametrize(
    ("typed", "then"), [({}, "paused"), ({"keep_trading": "on"}, "running"), ({"symbol": "BTC"}, "running")]
)
def test_a_close_of_all_says_beforehand_that_it_pauses(operator: Client, typed: dict[str, str], then: str) -> None:
    hold("BTC")
    page = operator.get(f"{url_of('close')}&{urlencode(typed)}")
    [line] = page.context["shown"].lines
    assert (line.now, line.then) == ("running", then)
    refused = press(operator, url_of("close"), reason="", **typed)
    assert refused.context["shown"].lines[0].then == then


def test_a_pin_says_beforehand_which_version_runs_then(operator: Client) -> None:
    save_edit(TRADER, detail__risk__max_positions=5)
    [line] = operator.get(f"{url_of('pin')}&version=1").context["shown"].lines
    assert (line.now, line.then) == ("running, v2", "running, pinned to v1")
    for version in ("", "-1", "9" * 40, "one"):
        [line] = operator.get(f"{url_of('pin')}&version={version}").context["shown"].lines
        assert line.then == "running, pinned to the version chosen"
    ask("pin", version=1)
    [line] = operator.get(f"{url_of('pin')}&version=2").context["shown"].lines
    assert (line.now, line.then) == ("running, pinned to v1", "running, pinned to v2")
    [line] = operator.get(url_of("unpin")).context["shown"].lines
    assert (line.now, line.then) == ("running, pinned to v1", "running, v2")


def test_nothing_open_is_said_and_not_closed(operator: Client) -> None:
    assert "no open position" in text_of(press(operator, url_of("close"), reason="out", word="close all"))
    assert not TraderControl.objects.exists()


def test_a_version_is_pinned_and_unpinned(operator: Client) -> None:
    save_edit(TRADER, detail__risk__max_positions=5)
    history = operator.get(f"{STEADY}history/").content.decode()
    assert f"{TRADERS}control/pin/?trader={TRADER}&amp;version=1" in history
    press(operator, url_of("pin"), reason="it was good", version="1")
    assert wanted_of_one(TRADER).pinned_version == 1
    assert "Pinned to v1: newer versions will not run." in text_of(operator.get(f"{STEADY}change/"))
    unpin = text_of(operator.get(url_of("unpin")))
    assert "pinned to v1" in unpin
    assert "steady_long: from v1, which runs, to v2" in unpin
    assert "max positions" in unpin
    press(operator, url_of("unpin"), reason="on")
    assert wanted_of_one(TRADER).pin is None


def test_a_version_that_never_was_is_not_pinned(operator: Client) -> None:
    assert "version 9" in text_of(press(operator, url_of("pin"), reason="so", version="9"))
    assert not TraderControl.objects.exists()


def test_a_cooldown_is_set_and_cleared(operator: Client) -> None:
    press(operator, url_of("cooldown"), reason="quiet", symbol="btc", minutes="30")
    assert "BTC" in text_of(operator.get(url_of("clear_cooldown")))
    press(operator, url_of("clear_cooldown"), reason="over")
    assert [row.kind for row in TraderControl.objects.order_by("id")] == ["cooldown", "clear_cooldown"]


def test_cooldowns_are_cleared_as_they_were_shown(operator: Client) -> None:
    ask("cooldown", symbol="BTC", until=in_minutes(30))
    page = operator.get(url_of("clear_cooldown"))
    cooldowns.extend(trader_id=TRADER, symbol="ETH", until=in_minutes(30), detail=CooldownDetail())
    answer = operator.post(url_of("clear_cooldown"), hidden_fields(page) | {"step": "save", "reason": "over"})
    assert "Something changed since this page was made" in text_of(answer)
    assert "BTC, ETH" in text_of(answer)
    assert not TraderControl.objects.filter(kind="clear_cooldown").exists()


def test_a_guards_pause_is_ended_by_its_name(operator: Client) -> None:
    ask("pause", cause="guard:max_daily_loss_usd", actor="guard:max_daily_loss_usd")
    press(operator, url_of("resume"), reason="seen", cause="guard:max_daily_loss_usd")
    assert effect() == "running"


def test_the_fleet_is_stopped_and_released_from_any_page(operator: Client) -> None:
    assert "Stop the fleet" in text_of(operator.get("/admin/password_change/"))
    press(operator, f"{TRADERS}fleet-stop/")
    page = text_of(operator.get("/admin/password_change/"))
    assert "Fleet stop by operator" in page
    assert "emergency" in page
    assert "Release" in page
    press(operator, f"{TRADERS}fleet-release/", reason="calm again")
    assert effect() == "entries_banned"
    press(operator, f"{TRADERS}fleet-release/", reason="calm again", word="release")
    assert causes() == ["released"]
    assert effect(minutes=60) == "running"


def test_the_strip_counts_the_engines_that_acknowledged(operator: Client) -> None:
    report()
    [stop] = ask_fleet("stop")
    assert "0 of 1 running trader has acknowledged" in text_of(operator.get("/admin/"))
    acknowledge(stop.control.id)
    assert "1 of 1 running trader has acknowledged" in text_of(operator.get("/admin/"))


def test_a_release_is_asked_again_where_something_moved_meanwhile(operator: Client) -> None:
    ask_fleet("stop")
    page = operator.get(f"{TRADERS}fleet-release/")
    ask("stop", "quick_short")
    typed = {"step": "save", "reason": "calm", "word": "release"}
    answer = operator.post(f"{TRADERS}fleet-release/", hidden_fields(page) | typed)
    assert "Something changed since this page was made" in text_of(answer)
    assert effect() == "entries_banned"


def test_the_fleet_is_stopped_and_all_is_closed(operator: Client) -> None:
    hold()
    press(operator, f"{TRADERS}fleet-close/", word="close all")
    assert [row.kind for row in TraderControl.objects.order_by("id")] == ["stop", "close"]


def test_viewers_see_and_do_not_act_unless_a_setting_allows_stops(settings: Any) -> None:
    viewer = browser_of(Role.VIEWER)
    assert "Stop the fleet" not in text_of(viewer.get("/admin/"))
    ask_fleet("stop")
    strip = text_of(viewer.get("/admin/"))
    assert "Fleet stop by mei" in strip
    assert "Release" not in strip
    ask_fleet("release")

    settings.STOP_FOR_VIEWERS = True
    press(viewer, url_of("stop"))
    assert effect() == "stopped"
    press(viewer, f"{TRADERS}fleet-stop/")
    assert wanted_of_one(TRADER).fleet_stop is not None
    for kind in ("start", "resume", "close", "pin", "unpin", "cooldown", "clear_cooldown"):
        assert viewer.get(url_of(kind)).status_code == 403
    assert viewer.get(f"{TRADERS}fleet-release/").status_code == 403
    assert viewer.get(f"{TRADERS}fleet-close/").status_code == 403


def test_whoever_is_not_logged_in_sees_no_control() -> None:
    ask_fleet("stop")
    assert "Fleet stop" not in Client().get("/admin/login/").content.decode()


def acknowledge(control_id: int, result: AckResult = AckResult.DONE) -> None:
    services.acknowledge(
        trader_id=TRADER, control_id=control_id, result=result, note="no key", at=timezone.now(), actor="engine-1"
    )


def test_wanted_stands_beside_observed_with_ages(operator: Client) -> None:
    report(updated_at=timezone.now() - timedelta(seconds=9))
    ask("pause", reason="news")
    words = text_of(operator.get(f"{STEADY}change/"))
    assert "wanted paused by mei" in words
    assert "engine reported running v1, " in words
    assert "This engine cannot be told while it runs." in words
    assert "paused" in text_of(operator.get(TRADERS))


def test_an_engine_is_told_by_the_answers_to_its_reports_until_another_program_writes_them(operator: Client) -> None:
    said = "This engine cannot be told while it runs."
    runtime.report(trader_id=TRADER, active_config_version=1, is_running=True, detail=ReportDetail())
    assert said not in text_of(operator.get(f"{STEADY}change/"))
    report(detail={"decision": {}})
    assert said in text_of(operator.get(f"{STEADY}change/"))
    runtime.heartbeat(trader_id=TRADER)
    assert said not in text_of(operator.get(f"{STEADY}change/"))


def test_one_that_was_told_and_acknowledges_nothing_is_said_in_red(operator: Client, settings: Any) -> None:
    settings.CONTROL_ACK_SECONDS = 0
    ask("pause")
    report()
    assert "Not acknowledged" not in text_of(operator.get(f"{STEADY}change/")), "it cannot be told"
    runtime.heartbeat(trader_id=TRADER)
    assert "Not acknowledged: asked" in text_of(operator.get(f"{STEADY}change/"))


def test_a_banned_trader_that_entered_something_is_said_in_red(operator: Client) -> None:
    ask("pause")
    late = int((timezone.now() + timedelta(seconds=61)).timestamp() * 1000)
    detail = make_position(opened_ms=late)
    open_position(trader_id=TRADER, symbol="BTC", side=Side.LONG, detail=detail)
    for url in (f"{STEADY}change/", TRADERS):
        assert "Entered although entries were banned: BTC." in text_of(operator.get(url))


def test_what_an_engine_refused_is_said_in_red(operator: Client) -> None:
    report()
    [paused] = ask("pause")
    acknowledge(paused.control.id, AckResult.REFUSED)
    assert "The engine refused: no key" in text_of(operator.get(f"{STEADY}change/"))


def test_an_engine_that_could_answer_and_does_not_is_said_in_red(operator: Client, settings: Any) -> None:
    report()
    [first] = ask("pause")
    acknowledge(first.control.id)
    ask("stop")
    assert "Not acknowledged" not in text_of(operator.get(f"{STEADY}change/"))
    settings.CONTROL_ACK_SECONDS = 0
    assert "Not acknowledged: asked" in text_of(operator.get(f"{STEADY}change/"))


def test_a_stopped_one_that_still_runs_is_said_in_red(operator: Client) -> None:
    ask("stop")
    report(updated_at=timezone.now() + timedelta(seconds=61))
    assert "Still running, though it is to be stopped." in text_of(operator.get(TRADERS))


def test_the_log_shows_who_asked_what_and_why(operator: Client) -> None:
    ask("pause", until=in_minutes(30), reason="news")
    ask("stop", "quick_short", actor="joe", reason="it loses")
    ask_fleet("stop")
    log = "/admin/traders/tradercontrol/"
    words = text_of(operator.get(log))
    assert "news" in words
    assert "it loses" in words
    assert "the fleet" in words
    found = text_of(operator.get(f"{log}?trader=quick_short&kind=stop&actor=joe"))
    assert "it loses" in found
    assert "news" not in found
    assert "the fleet" not in found
    lines = b"".join(operator.get(f"{log}csv/?trader=fleet").streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[0].endswith("id,at,trader,kind,symbol,version,until,cause,reason,actor")
    assert len(lines) == 2
    assert "No control matches" in text_of(operator.get(f"{log}?since=2001-01-01&until=2002-01-01"))
    assert "is no moment" in text_of(operator.get(f"{log}?since=soon"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("trader=fleet", ["stop fleet"]),
        ("kind=pause", ["pause steady_long"]),
        ("actor=joe", ["stop quick_short"]),
        ("trader=nobody", []),
        ("since=2001-01-01", ["stop fleet", "stop quick_short", "pause steady_long"]),
        ("until=2001-01-01", []),
    ],
)
def test_each_filter_of_the_log_holds_for_its_csv_too(operator: Client, query: str, found: list[str]) -> None:
    ask("pause", reason="=HYPERLINK()")
    ask("stop", "quick_short", actor="joe")
    ask_fleet("stop")
    log = "/admin/traders/tradercontrol/"
    shown = operator.get(f"{log}?{query}").context["cl"].result_list
    assert [f"{row.kind} {row.trader_id or 'fleet'}" for row in shown] == found
    text = b"".join(operator.get(f"{log}csv/?{query}").streaming_content).decode("utf-8-sig")  # type: ignore[attr-defined]
    lines = list(csv.DictReader(text.splitlines()))
    assert [f"{line['kind']} {line['trader']}" for line in lines] == found
    assert not any(line["reason"].startswith("=") for line in lines)


def test_a_filter_that_is_none_is_said_and_downloads_nothing(operator: Client) -> None:
    log = "/admin/traders/tradercontrol/"
    assert "Download CSV" not in text_of(operator.get(f"{log}?kind=halt"))
    assert operator.get(f"{log}csv/?kind=halt").status_code == 302
