"""Alarms in the browser: the list, one alarm, acknowledging, channels, rules, and the mark in the top bar."""

from __future__ import annotations

import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import text_of
from tests.traders.admin.people import browser_of
from traders.accounts.rules import Role
from traders.schema.messages import _
from traders.schema.settings.fleet import FLEET_ID
from trading.alarms import links
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.export.status import alarms as alarm_status
from trading.export.status.alarms import AlarmStatus
from trading.models import Alarm, AlarmChannel, AlarmDelivery, AlarmRuleChange

pytestmark = pytest.mark.django_db

LIST = "/admin/trading/alarm/"
CHANNELS = "/admin/trading/alarmchannel/"
RULES = "/admin/trading/alarmrulechange/"
CHANNEL = {"name": "ops", "kind": "webhook", "address": "https://x.example.org/a", "secret": "ALARM_KEY", "is_on": "on"}


@pytest.fixture
def fired() -> int:
    sync_traders(make_trader())
    AlarmChannel.objects.create(name="ops", kind="email", address="ops@example.org")
    message = _("%(trader)s lost %(loss)s USD", trader="steady_long", loss=120)
    figures = {"loss_usd": 120}
    found = alarms.raise_alarm(
        AlarmName.GUARD_FIRED, message, subject="steady_long x", traders=["steady_long"], figures=figures
    )
    return found or 0


def test_the_figures_of_an_alarm_are_in_words(operator: Client) -> None:
    sync_traders(make_trader())
    figures = {"traders": 1, "oldest_s": 5400, "age_h": Decimal("26.5"), "newest_ms": 1_767_868_200_000, "odd_one": 2}
    found = alarms.raise_alarm(AlarmName.REPORT_OVERDUE, _("late"), traders=["steady_long"], figures=figures)
    page = operator.get(f"{LIST}{found}/change/")
    said = text_of(page)
    for figure in ("traders 1", "oldest 1 h 30 min", "age 1 d 2 h", "newest 2026-01-08 10:30:00 UTC", "odd_one 2"):
        assert figure in said
    chinese = operator.get(f"{LIST}{found}/change/", headers={"Accept-Language": "zh-CN"})
    assert "最久 1 小时 30 分钟" in text_of(chinese)


@pytest.fixture
def operator() -> Client:
    return browser_of(Role.OPERATOR)


def test_the_list_shows_what_was_raised(fired: int, operator: Client) -> None:
    text = text_of(operator.get(LIST))
    assert "steady_long lost 120 USD" in text
    assert "Guard fired" in text


@pytest.mark.parametrize(
    ("query", "is_shown"),
    [
        ("state=lasting", True),
        ("state=open", True),
        ("state=acknowledged", False),
        ("state=ended", False),
        ("severity=page", True),
        ("severity=notify", False),
        ("rule=guard_fired", True),
        ("rule=budget", False),
        ("trader=steady_long", True),
        ("trader=STEADY", True),
        ("trader=quick", False),
        ("trader=nobody", False),
        (f"trader={'x' * 300}", False),
    ],
)
def test_the_list_is_filtered(fired: int, operator: Client, query: str, is_shown: bool) -> None:
    assert ("lost 120 USD" in text_of(operator.get(f"{LIST}?{query}"))) is is_shown


def test_the_filter_by_trader_suggests_traders_and_keeps_what_was_typed(fired: int, operator: Client) -> None:
    page = operator.get(f"{LIST}?trader=steady&state=open").content.decode()
    assert '<option value="steady_long">' in page
    assert 'name="trader" value="steady"' in page


def test_an_alarm_says_what_to_do_who_is_concerned_and_what_was_sent(fired: int, operator: Client) -> None:
    page = operator.get(f"{LIST}{fired}/change/")
    text = text_of(page)
    assert "steady_long lost 120 USD" in text
    assert "then press “Resume”" in text
    assert "loss_usd 120" in " ".join(text.split())
    assert "ops" in text
    assert "/admin/traders/traderconfig/steady_long/" in page.content.decode()


def test_an_operator_acknowledges_by_name(fired: int, operator: Client) -> None:
    answer = operator.post(f"{LIST}{fired}/acknowledge/", {"hours": "4"}, follow=True)

    alarm = Alarm.objects.get()
    assert alarm.acknowledged_by == "operator"
    assert alarm.acknowledged_until is not None
    assert "Acknowledged." in text_of(answer)
    assert "lost 120 USD" in text_of(operator.get(f"{LIST}?state=acknowledged"))


def test_a_viewer_sees_and_cannot_acknowledge(fired: int) -> None:
    viewer = browser_of(Role.VIEWER)
    page = viewer.get(f"{LIST}{fired}/change/").content.decode()
    assert "lost 120 USD" in page
    assert "acknowledge/" not in page
    assert viewer.post(f"{LIST}{fired}/acknowledge/", {"hours": ""}).status_code == 403


def test_every_page_shows_how_many_pages_are_open(fired: int, operator: Client) -> None:
    def mark(url: str) -> str:
        page = operator.get(url).content.decode()
        return page.partition('class="tag alarms')[2].partition("</a>")[0]

    for url in ("/admin/", LIST, "/admin/traders/traderconfig/steady_long/", "/admin/password_change/"):
        assert mark(url).startswith(' wrong"')
        assert mark(url).endswith("1 alarm")
    alarms.acknowledge(fired, by="mei")
    assert mark("/admin/").startswith('"')
    alarms.end_alarm(AlarmName.GUARD_FIRED, "steady_long x")
    assert mark("/admin/") == ""


def test_an_admin_adds_a_channel_and_is_told_of_a_variable_that_is_not_set() -> None:
    answer = browser_of(Role.ADMIN).post(f"{CHANNELS}add/", CHANNEL, follow=True)

    assert AlarmChannel.objects.get().secret == "ALARM_KEY"
    assert "ALARM_KEY is not set" in text_of(answer)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"address": "https://hooks.slack.com/services/T00000000/B00000000/abcdefghijklmnopqrstuvwx"}, "Looks like it"),
        ({"address": "https://x.example.org/${SECRET_KEY}"}, "SECRET_KEY may not be used"),
        ({"address": "ftp://x.example.org"}, "Must be a URL that begins with https://"),
        ({"secret": ""}, "A signed webhook needs one."),
        ({"secret": "DATABASE_URL"}, "DATABASE_URL may not be used"),
        ({"kind": "slack"}, "Only a signed webhook has one."),
        ({"kind": "email", "secret": "", "address": "ops@example.org, nobody"}, "“nobody” is no e-mail address."),
        ({"name": "a b"}, "Must be 1 to 64 letters"),
        ({"name": "alert_webhook"}, "Is the name of the channel of the fleet's settings."),
        ({"kind": "pigeon"}, "pigeon is not one of the available choices"),
    ],
)
def test_a_channel_that_could_not_work_is_refused(given: dict[str, str], said: str) -> None:
    answer = browser_of(Role.ADMIN).post(f"{CHANNELS}add/", {**CHANNEL, **given})

    assert said in text_of(answer)
    assert not AlarmChannel.objects.exists()


def test_a_test_goes_through_the_outbox(fired: int) -> None:
    answer = browser_of(Role.ADMIN).post(f"{CHANNELS}test/ops/", follow=True)

    delivery = AlarmDelivery.objects.get(event="test")
    assert (delivery.channel, delivery.alarm.subject) == ("ops", "ops")
    assert "A test waits to be sent to ops" in text_of(answer)
    assert browser_of(Role.ADMIN).post(f"{CHANNELS}test/nobody/").status_code == 404


def test_the_webhook_of_the_fleet_can_be_tested(fired: int) -> None:
    save_edit(FLEET_ID, detail__monitoring__alert_webhook="https://alerts.example.org/${ALERT_TOKEN}")
    admin = browser_of(Role.ADMIN)
    assert "https://alerts.example.org/${ALERT_TOKEN}" in text_of(admin.get(CHANNELS))

    admin.post(f"{CHANNELS}test/alert_webhook/")
    assert AlarmDelivery.objects.get(event="test").channel == "alert_webhook"


def test_the_rules_are_listed_as_they_are_in_force(fired: int, operator: Client) -> None:
    AlarmRuleChange.objects.create(rule=AlarmName.REPORT_OVERDUE, severity="off", threshold=90)
    text = " ".join(text_of(operator.get(RULES)).split())
    assert "Engine's report overdue changed off 90.00 s beyond two decision intervals" in text
    assert "Guard fired page" in text


def test_an_admin_changes_a_rule() -> None:
    admin = browser_of(Role.ADMIN)
    page = text_of(admin.get(f"{RULES}add/?rule=report_overdue"))
    assert "as declared: page" in page
    assert "beyond two decision intervals" in page
    assert "Paths" not in page
    admin.post(f"{RULES}add/", {"rule": "report_overdue", "severity": "notify", "threshold": "90"})
    admin.post(f"{RULES}add/", {"rule": "config_changed", "severity": "", "paths": "detail.risk\n\nallocation_pct "})

    overdue, changed = AlarmRuleChange.objects.order_by("-rule")
    assert (overdue.severity, overdue.threshold) == ("notify", Decimal(90))
    assert (changed.severity, changed.paths) == (None, ["detail.risk", "allocation_pct"])
    page = admin.get(f"{RULES}config_changed/change/").content.decode()
    assert "detail.risk\nallocation_pct" in page


def test_the_link_of_a_message_acknowledges_by_a_name_and_not_by_opening_it(fired: int) -> None:
    url = f"/alarms/{links.signed(fired)}/"
    somebody = browser_of(None)
    assert "steady_long lost 120 USD" in text_of(somebody.get(url))
    assert Alarm.objects.get().acknowledged_by is None
    assert "This field is required" in text_of(somebody.post(url, {"hours": ""}))

    answer = somebody.post(url, {"name": "Mei", "hours": ""})

    assert "Acknowledged by Mei (link)." in text_of(answer)
    assert Alarm.objects.get().acknowledged_by == "Mei (link)"


def test_a_link_that_is_old_or_changed_does_nothing(fired: int, monkeypatch: pytest.MonkeyPatch) -> None:
    somebody, token = browser_of(None), links.signed(fired)
    assert somebody.post(f"/alarms/{token}x/", {"name": "Mei"}).status_code == 404
    monkeypatch.setattr(links, "VALID_SECONDS", -1)
    assert somebody.post(f"/alarms/{token}/", {"name": "Mei"}).status_code == 404
    assert Alarm.objects.get().acknowledged_by is None


def test_messages_have_links_where_the_site_has_an_address(fired: int, settings: Any) -> None:
    assert links.page_url(fired) == ""
    settings.SITE_URL = "https://nof0.example.org"
    assert links.page_url(fired) == f"https://nof0.example.org/admin/trading/alarm/{fired}/change/"
    assert links.acknowledge_url(fired).startswith("https://nof0.example.org/alarms/")


def test_the_list_says_that_nobody_watches(fired: int, operator: Client, settings: Any, tmp_path: Path) -> None:
    settings.EXPORT_DIR = tmp_path
    said = "No process watches this site"
    assert said in text_of(operator.get(LIST))

    alarm_status.write(tmp_path, AlarmStatus(at=time.time() - 299))
    assert said not in text_of(operator.get(LIST))
    alarm_status.write(tmp_path, AlarmStatus(at=time.time() - 400))
    assert said in text_of(operator.get(CHANNELS))
