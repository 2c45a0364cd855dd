"""Raising, acknowledging and ending alarms: one alarm for a cause, in the transaction of what caused it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.at_once import at_once
from tests.factories import make_trader, save_edit, sync_traders
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from trading.alarms import services as alarms
from trading.alarms.queries import is_unacknowledged
from trading.alarms.rules.catalogue import AlarmName, Severity
from trading.models import Alarm, AlarmChannel, AlarmDelivery, AlarmRuleChange

pytestmark = pytest.mark.django_db

LOSS = _("%(trader)s lost %(loss)s USD today", trader="steady_long", loss=Decimal("120.50"))


@pytest.fixture
def channels() -> None:
    AlarmChannel.objects.create(name="office", kind="email", address="office@example.org")
    AlarmChannel.objects.create(name="phone", kind="email", address="phone@example.org", pages_only=True)
    AlarmChannel.objects.create(name="asleep", kind="email", address="asleep@example.org", is_on=False)


def fired(subject: str = "steady_long daily_loss") -> int | None:
    return alarms.raise_alarm(
        AlarmName.GUARD_FIRED, LOSS, subject=subject, traders=["steady_long"], figures={"loss_usd": Decimal("120.50")}
    )


def sent_to(event: str = "raised") -> list[str]:
    return sorted(AlarmDelivery.objects.filter(event=event).values_list("channel", flat=True))


def test_an_alarm_says_what_happened_with_its_figures() -> None:
    fired()

    alarm = Alarm.objects.get()
    assert alarms.message_of(alarm) == "steady_long lost 120.50 USD today"
    assert alarm.figures == {"loss_usd": Decimal("120.5")}
    assert (alarm.severity, alarm.traders, alarm.count) == (Severity.PAGE, ["steady_long"], 1)


def test_a_cause_that_comes_again_is_counted_in_its_alarm() -> None:
    assert fired() == fired()

    alarm = Alarm.objects.get()
    assert alarm.count == 2
    assert alarm.last_at > alarm.first_at


def test_other_subjects_and_an_ended_alarm_have_alarms_of_their_own() -> None:
    first = fired()
    assert fired("quick_short daily_loss") != first
    assert alarms.end_alarm(AlarmName.GUARD_FIRED, "steady_long daily_loss")
    assert not alarms.end_alarm(AlarmName.GUARD_FIRED, "steady_long daily_loss")
    assert fired() != first


def test_one_alarm_lists_all_traders_of_its_cause() -> None:
    for trader in ("b", "a", "b"):
        alarms.raise_alarm(AlarmName.MODEL_ERRORS, _("errors"), subject="openai", traders=[trader], adds_traders=True)

    assert Alarm.objects.get().traders == ["a", "b"]


def test_a_new_alarm_waits_for_each_channel_that_takes_it(channels: None) -> None:
    fired()
    fired()
    assert sent_to() == ["office", "phone"]

    alarms.raise_alarm(AlarmName.BUDGET, _("used up"))
    assert sent_to() == ["office", "office", "phone"]


def test_the_webhook_of_the_fleets_settings_is_a_channel() -> None:
    sync_traders(make_trader())
    save_edit(FLEET_ID, detail__monitoring__alert_webhook="https://alerts.example.org/${ALERT_TOKEN}")

    fired()

    assert sent_to() == ["alert_webhook"]


def test_an_alarm_is_there_only_if_its_transaction_commits(channels: None) -> None:
    with transaction.atomic():
        fired()
        transaction.set_rollback(True)

    assert not Alarm.objects.exists()
    assert not AlarmDelivery.objects.exists()


def test_a_rule_can_be_switched_off_or_made_a_page(channels: None) -> None:
    AlarmRuleChange.objects.create(rule=AlarmName.GUARD_FIRED, severity="off")
    AlarmRuleChange.objects.create(rule=AlarmName.BUDGET, severity="page")

    assert fired() is None
    alarms.raise_alarm(AlarmName.BUDGET, _("used up"))

    assert [alarm.severity for alarm in Alarm.objects.all()] == ["page"]
    assert sent_to() == ["office", "phone"]


def test_secrets_are_taken_out_of_what_an_alarm_says() -> None:
    said = "401: Authorization: Bearer abcdefghijklmnop1234567890"
    alarms.raise_alarm(AlarmName.MODEL_ERRORS, _("the model said %(said)s", said=said), figures={"said": said})

    alarm = Alarm.objects.get()
    assert "abcdefghijklmnop" not in f"{alarm.parameters} {alarm.figures}"
    assert "redacted" in alarms.message_of(alarm)


def test_an_acknowledged_alarm_names_who_and_stays_open_while_its_cause_lasts() -> None:
    found = alarms.acknowledge(fired() or 0, by=" mei ")

    assert (found.acknowledged_by, found.ended_at) == ("mei", None)
    fired()
    assert Alarm.objects.get().acknowledged_by == "mei"


def test_a_changed_cause_comes_back_at_once() -> None:
    def silent(*traders: str, positions: int = 1) -> Alarm:
        figures = {"positions": positions, "oldest_s": 10 * positions}
        alarms.raise_alarm(
            AlarmName.NO_LIVE_STOP, _("no stop"), traders=traders, figures=figures, grows_by=("positions",)
        )
        return Alarm.objects.get()

    def is_open() -> bool:
        return Alarm.objects.filter(is_unacknowledged(timezone.now())).exists()

    until = timezone.now() + timedelta(hours=4)
    alarms.acknowledge(silent("steady_long", "quick_short").pk, by="mei", until=until, reason="looks at it")
    silent("steady_long")
    assert not is_open()

    silent("quick_short")
    assert is_open()
    changed = Alarm.objects.get()
    assert (changed.acknowledged_by, changed.acknowledged_reason) == ("mei", "looks at it")

    alarms.acknowledge(changed.pk, by="lee")
    silent("quick_short", positions=1)
    assert not is_open()
    silent("quick_short", positions=2)
    assert is_open()


def test_what_is_only_shown_is_sent_nowhere(channels: None) -> None:
    AlarmRuleChange.objects.create(rule=AlarmName.GUARD_FIRED, severity="show")

    assert fired() is not None
    assert sent_to() == []


@pytest.mark.parametrize("reason", ["x" * 1001, "a\x07b", "sk-ant-REDACTED-not-a-key-0123456789abcdefghij"])
def test_a_reason_that_cannot_be_shown_is_refused(reason: str) -> None:
    with pytest.raises(InvalidConfig, match="reason"):
        alarms.acknowledge(fired() or 0, by="mei", reason=reason)
    assert Alarm.objects.get().acknowledged_by is None


def test_an_alarm_about_what_happened_ends_when_it_is_acknowledged(channels: None) -> None:
    opened = alarms.raise_alarm(AlarmName.AGAINST_CONTROL, _("opened BTC under a ban"), subject="steady_long|BTC")

    found = alarms.acknowledge(opened or 0, by="mei")

    assert found.ended_by == "mei"
    assert sent_to("ended") == ["office", "phone"]


def test_an_acknowledgement_may_last_until_a_moment() -> None:
    until = timezone.now() + timedelta(hours=1)
    opened = alarms.raise_alarm(AlarmName.AGAINST_CONTROL, _("opened BTC under a ban")) or 0

    found = alarms.acknowledge(opened, by="mei", until=until)

    assert (found.acknowledged_until, found.ended_at) == (until, None)


@pytest.mark.parametrize("by", ["", " ", "x" * 151, "a\x07b"])
def test_an_acknowledgement_needs_a_name(by: str) -> None:
    with pytest.raises(InvalidConfig, match="must be a name of 1 to 150 characters"):
        alarms.acknowledge(fired() or 0, by=by)


def test_an_acknowledgement_cannot_end_in_the_past() -> None:
    with pytest.raises(InvalidConfig, match="must be in the future"):
        alarms.acknowledge(fired() or 0, by="mei", until=timezone.now() - timedelta(seconds=1))


def test_an_alarm_that_is_not_there_cannot_be_acknowledged() -> None:
    with pytest.raises(alarms.UnknownAlarm, match="no alarm 7"):
        alarms.acknowledge(7, by="mei")


def test_alarms_are_never_deleted() -> None:
    fired()
    with pytest.raises(IntegrityError, match="DELETE of alarms refused"), transaction.atomic():
        Alarm.objects.all().delete()


@pytest.mark.django_db(transaction=True)
def test_many_who_see_one_cause_at_once_raise_one_alarm(channels: None) -> None:
    found = at_once(*[lambda: fired("fleet")] * 8)

    assert len(set(found)) == 1
    assert Alarm.objects.get().count == 8
    assert sent_to() == ["office", "phone"]
