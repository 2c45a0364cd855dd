"""What is in the outbox reaches its channel, at least once and in order, whatever the receiver does."""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from standardwebhooks import Webhook

from tests.at_once import at_once
from tests.platform.processes import wait_for
from tests.trading.alarms.conftest import KEY
from tests.trading.alarms.receivers import Receiver
from traders.schema.messages import _
from trading.alarms import queries
from trading.alarms import services as alarms
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.rules.channels import FLEET_CHANNEL, Channel, kind_at
from trading.alarms.sending import transport, writer
from trading.alarms.sending.services import Outbox
from trading.models import Alarm, AlarmChannel, AlarmDelivery

pytestmark = pytest.mark.django_db


def channel(receiver: Receiver, name: str = "ops", kind: str = "webhook", path: str = "/hook") -> AlarmChannel:
    secret = "ALARM_KEY" if kind == "webhook" else ""
    return AlarmChannel.objects.create(name=name, kind=kind, address=receiver.url + path, secret=secret)


def raised() -> int:
    message = _("%(trader)s lost <120> & more", trader="steady_long")
    return alarms.raise_alarm(AlarmName.GUARD_FIRED, message, subject="steady_long", traders=["steady_long"]) or 0


def deliver() -> None:
    outbox = Outbox()
    outbox.drain()
    outbox.close()


def make_due() -> None:
    AlarmDelivery.objects.filter(status="waiting").update(next_at=timezone.now())


def outcomes() -> list[tuple[str, str, int, str | None]]:
    found = AlarmDelivery.objects.order_by("pk")
    return [(one.event, one.status, one.attempts, one.error) for one in found]


def test_a_webhook_is_signed_by_the_standard_scheme(receiver: Receiver) -> None:
    channel(receiver, path="/hook?a=1")
    alarm_id = raised()
    deliver()

    [(path, headers, body)] = receiver.requests
    said = Webhook(KEY).verify(body, headers)
    assert path == "/hook?a=1"
    assert said["type"] == "alarm.raised"
    assert said["data"]["id"] == alarm_id
    assert said["data"]["message"] == "steady_long lost <120> & more"
    assert outcomes() == [("raised", "sent", 1, None)]


def test_slack_and_feishu_get_text(receiver: Receiver) -> None:
    channel(receiver, "slack", "slack")
    channel(receiver, "feishu", "feishu")
    raised()
    deliver()

    slack, feishu = sorted(receiver.bodies(), key=lambda body: "msg_type" in body)
    assert slack["text"].startswith("[PAGE] Guard fired: steady_long\nsteady_long lost &lt;120&gt; &amp; more\nSince ")
    assert feishu["msg_type"] == "text"
    assert "steady_long lost <120> & more" in feishu["content"]["text"]


def test_feishu_refuses_with_status_200(receiver: Receiver) -> None:
    receiver.answer = b'{"code": 19001, "msg": "param invalid"}'
    channel(receiver, "feishu", "feishu")
    raised()
    deliver()

    assert outcomes() == [("raised", "waiting", 1, "answered code 19001")]


@pytest.mark.parametrize("kind", ["slack", "feishu"])
def test_a_page_is_no_receipt(receiver: Receiver, kind: str) -> None:
    """As a proxy in between answers, or a login."""
    receiver.answer = b"\n<!DOCTYPE html><html><body>Sign in</body></html>"
    channel(receiver, kind, kind)
    raised()
    deliver()

    assert outcomes() == [("raised", "waiting", 1, "answered with a page: it is not the address of a webhook")]


def test_a_loopback_address_of_ipv6_is_taken_where_it_is_allowed() -> None:
    private = transport.PrivateAddresses.of(["::1"])
    with pytest.raises(transport.NotSent, match="no connection|no answer"):
        transport.send("POST", "http://[::1]:9/", private=private, headers={})


def test_mail_goes_to_each_of_the_addresses() -> None:
    AlarmChannel.objects.create(name="mail", kind="email", address="mei@example.org, lee@example.org")
    raised()
    deliver()

    [message] = mail.outbox
    assert (message.subject, message.to) == ("[PAGE] Guard fired: steady_long", ["mei@example.org", "lee@example.org"])
    assert "What" not in message.subject
    assert "then press “Resume”" in message.body


def test_the_webhook_of_manager_yaml_takes_the_form_of_its_host() -> None:
    fleets = Channel(FLEET_CHANNEL, "webhook", "${ALERT_URL}")

    assert kind_at(fleets, "https://hooks.slack.com/services/T/B/x") == "slack"
    assert kind_at(fleets, "https://open.feishu.cn/open-apis/bot/v2/hook/x") == "feishu"
    assert kind_at(fleets, "https://alerts.example.org/") == "webhook"


def test_a_secret_in_an_address_comes_from_the_environment_and_stands_nowhere(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    channel(receiver, path="/${ALARM_PATH}")
    receiver.manner = "error"
    raised()
    deliver()

    assert receiver.requests[0][0] == "/path-with-a-token"
    assert "path-with-a-token" not in f"{outcomes()} {caplog.text} {list(AlarmChannel.objects.values())}"


@pytest.mark.parametrize("name", ["SECRET_KEY", "DATABASE_URL", "ALARM_NOT_SET"])
def test_no_address_can_send_another_secret_out(receiver: Receiver, name: str) -> None:
    channel(receiver, path="/${" + name + "}")
    raised()
    deliver()

    assert receiver.requests == []
    assert name in (outcomes()[0][3] or "")


@pytest.mark.parametrize(
    ("manner", "error"),
    [
        ("error", "answered 500"),
        ("redirect", "answered 302: redirects are not followed"),
        ("close", "no answer: RemoteDisconnected"),
        ("silent", "no answer within 1 s"),
        ("trickle", "no answer within 1 s"),
    ],
)
def test_a_receiver_that_fails_gets_the_same_message_again(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch, manner: str, error: str
) -> None:
    if error.endswith("within 1 s"):
        monkeypatch.setattr(transport, "DEADLINE_SECONDS", 1.0)
    channel(receiver)
    raised()
    receiver.manner = manner
    deliver()
    assert outcomes() == [("raised", "waiting", 1, error)]
    assert AlarmDelivery.objects.get().next_at > timezone.now() + timedelta(seconds=2)

    receiver.manner = "ok"
    make_due()
    deliver()

    assert outcomes() == [("raised", "sent", 2, None)]
    assert len(set(receiver.ids)) == 1
    assert {path for path, _headers, _body in receiver.requests} == {"/hook"}


def test_a_receiver_that_is_slow_holds_up_no_other(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "DEADLINE_SECONDS", 30.0)
    receiver.manner = "silent"
    channel(receiver, "slow")
    AlarmChannel.objects.create(name="mail", kind="email", address="mei@example.org")
    raised()
    outbox = Outbox()

    def is_mail_sent() -> bool:
        return outbox.step(0.1) and AlarmDelivery.objects.get(channel="mail").status == "sent"

    wait_for(is_mail_sent, seconds=20)
    assert [one.channel for one in outbox._flying] == ["slow"]
    assert AlarmDelivery.objects.get(channel="slow").status == "waiting"
    receiver.released.set()
    outbox.close()


def test_what_cannot_be_sent_for_a_day_has_failed(receiver: Receiver) -> None:
    receiver.manner = "error"
    channel(receiver)
    raised()
    AlarmDelivery.objects.update(created_at=timezone.now() - timedelta(days=1))
    deliver()

    assert outcomes() == [("raised", "failed", 1, "answered 500")]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://10.1.2.3/",
        "https://192.168.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[2002:a00:1::]/",
        "https://[::10.0.0.1]/",
        "https://[fe80::1]/",
        "https://0.0.0.0/",
        "https://0x7f000001/",
        "https://2130706433/",
        "https://224.0.0.1/",
    ],
)
def test_no_message_goes_into_the_own_network(url: str) -> None:
    with pytest.raises(transport.NotSent, match=r"private address|cannot be resolved"):
        transport.send("POST", url, private=transport.PrivateAddresses.of([]), headers={})


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "example.org",
        "https://",
        "https://mei:pw@example.org/",
        "https://example.org:99999/",
        "https:///x",
    ],
)
def test_an_address_that_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(transport.NotSent, match="the address"):
        transport.send("POST", url, private=transport.PrivateAddresses.of([]), headers={})


def test_plain_http_is_for_allowed_private_addresses_alone() -> None:
    with pytest.raises(transport.NotSent, match="must begin with https"):
        transport.send("POST", "http://1.1.1.1/", private=transport.PrivateAddresses.of([]), headers={})


def test_a_name_is_resolved_once_and_its_address_is_the_one_connected_to(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that changes its address between the check and the connection leads nowhere else."""
    answers = [[(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", receiver.server_port))]]
    asked: list[str] = []
    real = socket.getaddrinfo

    def once(host: str, *arguments: Any, **options: Any) -> Any:
        asked.append(host)
        return answers.pop() if host == "alerts.example.org" else real(host, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", once)
    private = transport.PrivateAddresses.of(["alerts.example.org"])
    url = f"http://alerts.example.org:{receiver.server_port}/hook"

    assert transport.send("POST", url, private=private, headers={}).status == 200
    assert asked.count("alerts.example.org") == 1
    assert receiver.requests[0][1]["host"] == f"alerts.example.org:{receiver.server_port}"


def test_messages_of_an_alarm_keep_their_order(receiver: Receiver) -> None:
    channel(receiver)
    raised()
    receiver.manner = "error"
    deliver()
    alarms.end_alarm(AlarmName.GUARD_FIRED, "steady_long")
    receiver.manner = "ok"
    deliver()
    assert [event for event, status, *_rest in outcomes() if status == "sent"] == []

    make_due()
    deliver()

    assert [body["type"] for body in receiver.bodies()[1:]] == ["alarm.raised", "alarm.ended"]


def test_a_page_is_repeated_until_somebody_acknowledges_it(receiver: Receiver, settings: Any) -> None:
    channel(receiver)
    alarm_id = raised()
    deliver()
    assert writer.repeat_pages(queries.channels()) == 0

    ten_minutes_pass()
    assert writer.repeat_pages(queries.channels()) == 1
    assert writer.repeat_pages(queries.channels()) == 0
    deliver()
    ten_minutes_pass()
    writer.repeat_pages(queries.channels())
    alarms.acknowledge(alarm_id, by="mei")
    ten_minutes_pass()

    assert writer.repeat_pages(queries.channels()) == 0
    assert [(event, status) for event, status, *_rest in outcomes()] == [
        ("raised", "sent"),
        ("repeated", "sent"),
        ("repeated", "cancelled"),
    ]
    assert len(set(receiver.ids)) == 2


def test_a_page_is_repeated_once_its_acknowledgement_is_over(receiver: Receiver) -> None:
    channel(receiver)
    alarm_id = raised()
    deliver()
    alarms.acknowledge(alarm_id, by="mei", until=timezone.now() + timedelta(hours=1))
    ten_minutes_pass()
    assert writer.repeat_pages(queries.channels()) == 0

    Alarm.objects.update(acknowledged_until=timezone.now() - timedelta(seconds=1))

    assert writer.repeat_pages(queries.channels()) == 1


def ten_minutes_pass() -> None:
    earlier = timezone.now() - timedelta(minutes=11)
    Alarm.objects.update(first_at=earlier)
    AlarmDelivery.objects.exclude(status="waiting").update(created_at=earlier)


def test_what_waits_for_a_channel_that_is_off_is_cancelled(receiver: Receiver) -> None:
    made = channel(receiver)
    raised()
    made.delete()

    assert writer.cancel_for_others(queries.channels()) == 1
    assert outcomes() == [("raised", "cancelled", 0, "the channel is off or was deleted")]


def test_a_notice_about_what_happened_ends_after_a_day() -> None:
    alarms.raise_alarm(AlarmName.CONFIG_CHANGED, _("a change"), subject="12")
    alarms.raise_alarm(AlarmName.LIQUIDATION, _("a page"), subject="steady_long|BTC")
    assert writer.end_old_notices() == 0
    Alarm.objects.update(last_at=timezone.now() - timedelta(days=2))

    assert writer.end_old_notices() == 1
    assert Alarm.objects.get(ended_at__isnull=True).rule == AlarmName.LIQUIDATION


@pytest.mark.django_db(transaction=True)
def test_two_senders_at_once_send_each_message_once(receiver: Receiver) -> None:
    channel(receiver)
    for number in range(10):
        alarms.raise_alarm(AlarmName.GUARD_FIRED, _("fired"), subject=str(number))

    at_once(deliver, deliver, deliver)
    deliver()

    assert sorted(receiver.ids) == sorted(AlarmDelivery.objects.values_list("message_id", flat=True))
    assert set(AlarmDelivery.objects.values_list("status", flat=True)) == {"sent"}
