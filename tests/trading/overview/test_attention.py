"""What needs attention stands on the fleet page with what to press, and goes away when it is mended."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import save_edit
from tests.traders.admin.browsing import text_of
from tests.traders.admin.people import browser_of
from tests.traders.controls.asking import ask
from traders.accounts.rules import Role
from traders.models import SyncConflict, TraderControlAck, TraderRuntimeState
from traders.runtime import writer as runtime
from traders.schema.messages import _
from traders.schema.moments import now_ms
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.watching.services import AlarmWatch
from trading.export.directory.manifest import Manifest
from trading.export.directory.runs import ExportDirectory
from trading.export.status import file as status
from trading.export.status.file import ExportStatus, ServerSeen
from trading.models import Alarm, ExchangeDifference

pytestmark = pytest.mark.django_db
PAGE = "/admin/"
TRADER = "steady_long"
Change = Callable[[Path], object]


def attention(client: Client) -> str:
    """What the part says, without the rest of the page."""
    page = client.get(PAGE)
    assert page.status_code == 200
    said = page.content.decode()
    begin = said.index('id="overview-attention"')
    page.content = f"<body><p {said[begin : said.index('</section>', begin)]}".encode()
    return text_of(page)


def report(*, silent_seconds: float = 0, version: int = 3, error: str = "") -> None:
    runtime.report(TRADER, version=version, is_running=True, detail={"last_error": error} if error else {})
    at = timezone.now() - timedelta(seconds=silent_seconds)
    TraderRuntimeState.objects.filter(pk=TRADER).update(updated_at=at)


def say(root: Path, **more: Any) -> None:
    up = ServerSeen(is_up=True, at=timezone.now().timestamp())
    status.write(root, ExportStatus(at=timezone.now().timestamp(), pid=1, postgres=up, redis=up, **more))


def export(root: Path, seconds_ago: float) -> None:
    directory = ExportDirectory(root)
    run = directory.begin(now_ms() - int(seconds_ago * 1000))
    directory.publish(run, Manifest(as_of=now_ms() - int(seconds_ago * 1000), duration_ms=1, files=[]))


def conflict(root: Path) -> None:
    at = timezone.now() - timedelta(hours=2)
    SyncConflict.objects.create(config_id=TRADER, path="allocation_pct", declared={}, file_sha256="x", seen_at=at)


def refuse_a_pause(root: Path) -> None:
    report()
    [written] = ask("pause")
    TraderControlAck.objects.create(
        control_id=written.control.id, trader_id=TRADER, result="refused", actor="token:engine", at=timezone.now()
    )


def raised(rule: AlarmName, subject: str = "fleet") -> Change:
    return lambda root: alarms.raise_alarm(rule, _("it is wrong"), subject=subject, traders=[TRADER])


def ended(rule: AlarmName, subject: str = "fleet") -> Change:
    return lambda root: alarms.end_alarm(rule, subject)


KINDS: dict[str, tuple[str, str, Change, Change]] = {
    "a guard": (
        "Guard fired",
        "/control/resume/?trader=steady_long",
        raised(AlarmName.GUARD_FIRED, f"{TRADER} max_daily_loss_usd"),
        ended(AlarmName.GUARD_FIRED, f"{TRADER} max_daily_loss_usd"),
    ),
    "a control": (
        "Control not followed",
        "/control/stop/?trader=steady_long",
        refuse_a_pause,
        lambda root: ask("resume"),
    ),
    "an exchange": (
        "Exchange differs from the record",
        "/admin/trading/exchangedifference/",
        lambda root: ExchangeDifference.objects.create(
            trader_id=TRADER, kind="position_missing", subject="BTC", detail={}, reported_by="token:engine"
        ),
        lambda root: ExchangeDifference.objects.update(
            settlement="dismissed", settled_at=timezone.now(), settled_by="mei", reason="a test"
        ),
    ),
    "an error": (
        "steady_long: no margin",
        'href="/admin/traders/traderconfig/steady_long/"',
        lambda root: report(error="no margin"),
        lambda root: report(),
    ),
    "a report": (
        "Engine's report overdue",
        "/control/pause/?trader=steady_long",
        lambda root: report(silent_seconds=100_000),
        lambda root: report(),
    ),
    "an engine behind": (
        "steady_long v1 (v3)",
        "/traderconfig/steady_long/history/",
        lambda root: report(version=1, silent_seconds=-3_000),
        lambda root: report(),
    ),
    "the file": (
        "Configuration differs from the file",
        'href="/admin/traders/traderconfig/steady_long/"',
        lambda root: save_edit(TRADER, detail__description="calm"),
        lambda root: save_edit(
            TRADER,
            detail__description="",
            detail__risk__major_coin_leverage=20,
            detail__risk__max_positions=3,
        ),
    ),
    "a conflict": (
        "Sync conflicts that wait: 1",
        "/traderconfig/conflicts/",
        conflict,
        lambda root: SyncConflict.objects.all().delete(),
    ),
    "rows": (
        "Rows of the record that cannot be read: 2",
        "/admin/trading/trade/unreadable/",
        lambda root: say(root, unreadable={"trades": 2}),
        say,
    ),
    "the export": (
        "The public documents are",
        "/admin/trading/alarm/",
        lambda root: export(root, 400),
        lambda root: export(root, 1),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_stands_there_with_what_to_press_and_goes_away(operator: Client, export_dir: Path, kind: str) -> None:
    said, press, make, mend = KINDS[kind]
    watch = AlarmWatch(export_dir)
    assert said not in attention(operator)

    make(export_dir)
    watch.look()
    assert said in attention(operator)
    assert press in operator.get(PAGE).content.decode().partition("overview-figures")[0].replace("&amp;", "&")

    mend(export_dir)
    watch.look()
    assert said not in attention(operator)


def test_a_conflict_stands_there_before_its_alarm_is_due(operator: Client, export_dir: Path) -> None:
    SyncConflict.objects.create(config_id=TRADER, path="allocation_pct", declared={}, file_sha256="x")
    AlarmWatch(export_dir).look()
    assert not Alarm.objects.filter(rule=AlarmName.CONFLICT_WAITING).exists()

    said = attention(operator)
    assert "Sync conflict waits" in said
    assert "Sync conflicts that wait: 1" in said
    assert "/traderconfig/conflicts/" in operator.get(PAGE).content.decode().partition("overview-figures")[0]
    assert "Acknowledge Sync conflict waits" not in said

    SyncConflict.objects.all().delete()
    assert "Sync conflict" not in attention(operator)


def test_a_conflict_with_an_alarm_stands_there_once(operator: Client, export_dir: Path) -> None:
    conflict(export_dir)
    SyncConflict.objects.create(config_id=TRADER, path="display_name", declared={}, file_sha256="x")
    AlarmWatch(export_dir).look()
    assert attention(operator).count("Sync conflicts that wait: ") == 1


def test_an_item_says_what_changed_before_it(operator: Client) -> None:
    alarms.raise_alarm(AlarmName.NO_LIVE_STOP, _("no stop"), traders=[TRADER])

    assert "changed before it: steady_long v3 just now , lee: wider book" in attention(operator)


def test_an_acknowledged_item_says_by_whom_until_when_and_why_and_comes_back(operator: Client) -> None:
    number = alarms.raise_alarm(AlarmName.NO_LIVE_STOP, _("no stop"), traders=[TRADER])
    answer = operator.post(
        f"/admin/trading/alarm/{number}/acknowledge/", {"hours": "4", "reason": "called them", "back": "overview"}
    )
    assert answer.headers["Location"] == PAGE

    until = timezone.localtime(Alarm.objects.get().acknowledged_until)
    said = attention(operator)
    # With its date where the end is on another day, and with the year where that is another one.
    assert re.search(rf"acknowledged by operator until ([\d-]+ )?{until:%H:%M}: called them", said)
    assert said.startswith("overview-attention") or "Nothing needs attention" in said
    assert "1 acknowledged" in said

    Alarm.objects.update(acknowledged_until=timezone.now() - timedelta(seconds=1))
    said = attention(operator)
    assert "Needs attention" in said
    assert "was acknowledged by operator until" in said


def test_an_item_that_changed_after_it_was_acknowledged_comes_back_at_once(operator: Client) -> None:
    number = alarms.raise_alarm(AlarmName.NO_LIVE_STOP, _("no stop"), traders=[TRADER])
    operator.post(f"/admin/trading/alarm/{number}/acknowledge/", {"hours": "24", "reason": "seen"})
    assert "Nothing needs attention" in attention(operator)

    alarms.raise_alarm(AlarmName.NO_LIVE_STOP, _("no stop"), traders=[TRADER, "quick_short"])
    assert "Needs attention" in attention(operator)


def test_an_item_names_the_traders_that_its_message_does_not(operator: Client) -> None:
    alarms.raise_alarm(AlarmName.REPORT_OVERDUE, _("silent"), traders=["a", "b", "c", "d", TRADER])

    assert "silent: a , b , c and 2 more" in attention(operator)


def test_pages_come_first_and_the_rest_is_a_link(operator: Client) -> None:
    for number in range(8):
        alarms.raise_alarm(AlarmName.MODEL_ERRORS, _("it fails"), subject=f"model-{number}", traders=[TRADER])
    alarms.raise_alarm(AlarmName.LIQUIDATION, _("liquidated"), subject="trade", traders=[TRADER])

    said = attention(operator)
    assert "and 3 more" in said
    assert said.index("Liquidation") < said.index("Errors of a model")


def test_without_a_watch_the_page_says_that_nothing_new_would_be_seen(operator: Client) -> None:
    assert "No process watches this site" in attention(operator)


def test_a_viewer_reads_and_acknowledges_nothing(traders: None) -> None:
    alarms.raise_alarm(AlarmName.GUARD_FIRED, _("it is wrong"), subject=f"{TRADER} x", traders=[TRADER])

    page = browser_of(Role.VIEWER).get(PAGE).content.decode()
    part = page[page.index('id="overview-attention"') :].partition("</section>")[0]
    assert "it is wrong" in part
    assert "<form" not in part
    assert "/control/resume/" not in part
