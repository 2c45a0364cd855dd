"""The settings pages say where each guard stands: used of limit, what is suspect, and what lifts a pause."""

from __future__ import annotations

import html
import re
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django.fixtures import Settings as SettingsWrapper

from tests.factories import save_edit
from tests.traders.admin.browsing import FLEET, STEADY, text_of
from tests.traders.admin.people import browser_of
from tests.traders.controls.asking import ask
from traders.accounts.rules import Role
from traders.schema.settings.fleet import FLEET_ID
from trading.guards import judge
from trading.guards import services as guards
from trading.models import EquitySnapshot
from trading.record.stored.spread import judging
from trading.record.transfers.services import transfer
from trading.schema.facts import TransferKind

HOUR_MS = 3_600_000
PAGE = f"{STEADY}change/"


def limits(**changed: Any) -> None:
    save_edit("steady_long", **{f"detail__exec_guards__{name}": value for name, value in changed.items()})


def reported(*equities: int) -> None:
    """Up to now, a second apart; the first lies two days back."""
    now_ms = int(time.time() * 1000)
    for number, usd in enumerate(equities):
        ts_ms = now_ms - 48 * HOUR_MS if number == 0 else now_ms - (len(equities) - number)
        EquitySnapshot.objects.create(trader_id="steady_long", ts_ms=ts_ms, equity_usd=usd, source="engine")
        judging.equity_added([("steady_long", ts_ms, "engine")])


def test_a_trader_without_guards_shows_none(viewer: Client) -> None:
    assert "guards-title" not in viewer.get(PAGE).content.decode()


def test_a_bar_says_what_is_used_of_the_limit(viewer: Client) -> None:
    limits(max_daily_loss_usd=Decimal(500), max_errors_in_a_row=4)
    reported(10_000, 9_760, 9_750)

    page = viewer.get(PAGE)

    assert "Daily loss 250 USD of 500 USD (50 %)" in text_of(page)
    assert "Errors in a row 0 of 4 (0 %)" in text_of(page)
    assert page.content.decode().count('<li class="guard') == 2, "those that are off are left out"
    assert 'style="width: 50%"' in page.content.decode()
    assert "in breach" not in text_of(page)


def test_a_breach_is_red_and_says_what_lifts_it(viewer: Client) -> None:
    limits(max_drawdown_pct=Decimal(10))
    reported(10_000, 8_900, 8_890)
    guards.evaluate(["steady_long"])

    page = viewer.get(PAGE)

    assert 'class="guard breached"' in page.content.decode()
    assert "in breach 11.1 % of 10 % (111 %)" in text_of(page)
    assert "Entries are banned: it ends when a person resumes the trader" in text_of(page)

    ask("resume", cause="guard:max_drawdown_pct")
    assert "Entries are banned" not in text_of(viewer.get(PAGE))


def test_suspect_equity_is_shown(viewer: Client) -> None:
    limits(max_daily_loss_usd=Decimal(500))
    reported(10_000, 9_990, 12)

    said = text_of(viewer.get(PAGE))

    assert "Suspect equity, which counts nowhere until the next report agrees with it: 12.00 USD" in said
    assert "Daily loss 10 USD of 500 USD" in said


def test_suspect_equity_is_shown_without_a_guard_too(viewer: Client) -> None:
    reported(10_000, 9_990, 12)

    page = viewer.get(PAGE)

    assert "Suspect equity, which counts nowhere until the next report agrees with it: 12.00 USD" in text_of(page)
    assert "/admin/trading/recordexclusion/equity/steady_long%7C" in page.content.decode()


def test_a_transfer_that_is_booked_later_offers_to_resume_and_resumes_nothing(viewer: Client) -> None:
    limits(max_daily_loss_usd=Decimal(500))
    reported(10_000, 9_400, 9_390)
    guards.evaluate(["steady_long"])
    assert "nothing is in breach any more" not in text_of(viewer.get(PAGE))

    transfer(
        trader_id="steady_long",
        kind=TransferKind.WITHDRAWAL,
        amount=Decimal(600),
        ts_ms=int(time.time() * 1000) - HOUR_MS // 60,
        reason="booked later",
        actor="mei",
    )
    said = text_of(viewer.get(PAGE))

    assert "Daily loss: nothing is in breach any more, but its pause holds until it is resumed." in said
    assert "trader resume steady_long --guard max_daily_loss_usd" in said
    assert "cause=guard" not in viewer.get(PAGE).content.decode(), "a viewer resumes nothing"
    resume = re.search(r'href="([^"]+cause=guard[^"]+)">Resume', browser_of(Role.OPERATOR).get(PAGE).content.decode())
    assert resume is not None
    assert browser_of(Role.OPERATOR).get(html.unescape(resume[1])).status_code == 200
    assert [pause.cause for pause in guards.guards_of("steady_long").pauses] == ["guard:max_daily_loss_usd"]

    ask("resume", cause="guard:max_daily_loss_usd")
    assert "nothing is in breach any more" not in text_of(viewer.get(PAGE))


def test_a_guard_that_raises_leaves_the_page_usable(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> None:
        raise ZeroDivisionError("by a wrong figure")

    monkeypatch.setattr(judge, "drawdown", broken)

    page = viewer.get(PAGE)

    assert page.status_code == 200
    assert "The guards cannot be shown: ZeroDivisionError: by a wrong figure" in text_of(page)


def test_who_may_not_see_equity_sees_no_guards(traders: None, client: Client) -> None:
    limits(max_drawdown_pct=Decimal(10))
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_traderconfig"))
    client.force_login(reader)

    page = client.get(PAGE)

    assert page.status_code == 200
    assert "guards-title" not in page.content.decode()


def test_the_fleets_page_shows_its_limits(traders: None, tmp_path: Path, settings: SettingsWrapper) -> None:
    settings.MANAGER_YAML = tmp_path / "manager.yaml"
    admin = browser_of(Role.ADMIN)
    assert "Limits of the fleet" not in text_of(admin.get(f"{FLEET}change/"))

    save_edit(FLEET_ID, detail__manager__fleet_max_daily_loss_pct=Decimal(5))
    reported(10_000, 9_800, 9_800)

    assert "Fleet's daily loss 2 % of 5 % (40 %)" in text_of(admin.get(f"{FLEET}change/"))
