"""An alarm's way through the browser: seen in the top bar, acknowledged, and its pages at every width."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import PASSWORD, log_in
from tests.browser.test_pages import check, log_in_as_ada
from tests.factories import make_trader, sync_traders
from tests.traders.admin.people import account
from traders.accounts.rules import Role
from traders.schema.messages import _
from trading.alarms import links
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.services import end_alarm, raise_alarm
from trading.models import Alarm, AlarmChannel, AlarmDelivery

pytestmark = pytest.mark.django_db(transaction=True)

ALARMS = "/admin/trading/alarm/"
CHANNELS = "/admin/trading/alarmchannel/"
RULES = "/admin/trading/alarmrulechange/"


def some_alarms() -> int:
    sync_traders(make_trader(), make_trader("quick_short"))
    path = "https://alerts.example.org/" + "a-long-path/" * 8 + "${ALARM_PATH}"
    AlarmChannel.objects.create(name="operations", kind="webhook", address=path, secret="ALARM_KEY")
    AlarmChannel.objects.create(name="night-shift", kind="email", address="night@example.org", pages_only=True)
    for number in range(3):
        raise_alarm(AlarmName.MODEL_ERRORS, _("5 decisions of %(model)s failed", model="m"), subject=str(number))
    end_alarm(AlarmName.MODEL_ERRORS, "0")
    message = _("%(trader)s lost %(loss)s USD today, of %(most)s", trader="steady_long", loss="1,200.50", most="1,000")
    made = raise_alarm(
        AlarmName.GUARD_FIRED,
        message,
        subject="steady_long max_daily_loss_usd",
        traders=["quick_short", "steady_long"],
        figures={"loss_usd": 1200, "limit_usd": 1000},
    )
    AlarmDelivery.objects.filter(channel="operations").update(attempts=3, error="answered 500")
    return made or 0


@pytest.mark.parametrize("size", [(1366, 768), (390, 844)])
def test_an_operator_sees_an_alarm_and_acknowledges_it(page: Page, size: tuple[int, int]) -> None:
    some_alarms()
    account(Role.OPERATOR, password=PASSWORD)
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.goto("/admin/")
    log_in(page, "operator")
    page.get_by_role("link", name="1 alarm", exact=True).click()
    page.get_by_role("link", name="steady_long lost").click()
    page.get_by_label("Until").select_option("4")
    page.get_by_role("button", name="Acknowledge").click()

    expect(page.get_by_text("Acknowledged.")).to_be_visible()
    alarm = Alarm.objects.get(rule=AlarmName.GUARD_FIRED)
    assert (alarm.acknowledged_by, alarm.acknowledged_until is not None) == ("operator", True)


def test_a_link_acknowledges_without_a_login(page: Page) -> None:
    made = some_alarms()
    page.goto(f"/alarms/{links.signed(made)}/")
    page.get_by_label("Your name").fill("Mei")
    page.get_by_role("button", name="Acknowledge").click()

    expect(page.get_by_text("Acknowledged by Mei (link).")).to_be_visible()


@pytest.mark.pages
def test_pages_of_alarms_hold_at_every_width(page: Page) -> None:
    log_in_as_ada(page)
    for address in (ALARMS, CHANNELS):
        page.goto(address)
        check(page, f"empty {address}")
    made = some_alarms()
    channel = AlarmChannel.objects.latest("pk").pk
    for address in (
        *(ALARMS, f"{ALARMS}?state=ended", f"{ALARMS}{made}/change/", CHANNELS, f"{CHANNELS}add/"),
        *(
            f"{CHANNELS}{channel}/change/",
            RULES,
            f"{RULES}add/?rule=report_overdue",
            f"{RULES}add/?rule=config_changed",
        ),
        f"/alarms/{links.signed(made)}/",
    ):
        page.goto(address)
        check(page, address)
