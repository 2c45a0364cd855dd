"""Sends what is in the outbox: one message at a time on each channel, so that a slow receiver holds up no other."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone
from standardwebhooks import Webhook

from trading.alarms import queries
from trading.alarms.rules.channels import EMAIL, FEISHU, FLEET_CHANNEL, WEBHOOK, Channel, kind_at
from trading.alarms.sending import messages, writer
from trading.alarms.sending.messages import NoSecret
from trading.alarms.sending.transport import NotSent, PrivateAddresses, ReceiverReply, send
from trading.alarms.sending.writer import TakenDelivery
from trading.models import Alarm

MOST_AT_ONCE = 8
_JSON = "application/json; charset=utf-8"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _InFlight:
    channel: str
    taken: TakenDelivery
    result: Future[None]


class Outbox:
    """Takes and notes deliveries in the thread that calls it; its own threads only speak to receivers."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="alarm")
        self._flying: list[_InFlight] = []
        self.sent = self.failed = 0

    def step(self, wait_seconds: float) -> bool:
        """Notes what has ended, takes what is due, and waits for the first answer. True: something is under way.

        Raises django.db.Error; what was taken then comes due again.
        """
        self._note_ended()
        for channel in queries.channels():
            if len(self._flying) < MOST_AT_ONCE and all(one.channel != channel.name for one in self._flying):
                self._start(channel)
        if self._flying and wait_seconds:
            wait([one.result for one in self._flying], timeout=wait_seconds, return_when=FIRST_COMPLETED)
        return bool(self._flying)

    def drain(self) -> None:
        """Until nothing is due any more. What failed waits for its next attempt."""
        while self.step(writer.LEASE_SECONDS):
            pass

    def close(self) -> None:
        """Waits for the messages under way, at most as long as a receiver may take, and notes them."""
        wait([one.result for one in self._flying], timeout=writer.LEASE_SECONDS)
        self._note_ended()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _start(self, channel: Channel) -> None:
        taken = writer.take(channel.name)
        if taken is None:
            return
        alarm = Alarm.objects.get(pk=taken.alarm_id)
        try:
            attempt = _attempt(channel, alarm, taken)
        except (NoSecret, NotSent, ValueError) as error:
            self._note_failed(taken, channel.name, str(error))
            return
        self._flying.append(_InFlight(channel.name, taken, self._pool.submit(attempt)))

    def _note_ended(self) -> None:
        for one in [one for one in self._flying if one.result.done()]:
            error = one.result.exception()
            if error is None:
                self.sent += 1
                writer.sent(one.taken)
            else:
                self._note_failed(one.taken, one.channel, _said(error))
            self._flying.remove(one)

    def _note_failed(self, taken: TakenDelivery, channel: str, why: str) -> None:
        self.failed += 1
        log.warning("Alarm %s could not be sent to %s: %s.", taken.alarm_id, channel, why)
        writer.not_sent(taken, why)


def _said(error: BaseException) -> str:
    """Of an unknown error only its kind: its text may hold the address."""
    return str(error) if isinstance(error, NotSent) else type(error).__name__


def _attempt(channel: Channel, alarm: Alarm, taken: TakenDelivery) -> Callable[[], None]:
    """What sends this message; it needs no database. Raises NoSecret, NotSent, ValueError for a key that is none."""
    if channel.kind == EMAIL:
        return partial(_mail, channel.address, alarm, taken)
    url = messages.expanded(channel.address)
    kind = kind_at(channel, url)
    body = messages.body_of(kind, alarm, taken.event)
    headers = {"Content-Type": _JSON, "webhook-id": taken.message_id}
    if kind == WEBHOOK:
        headers |= _signature(channel, taken.message_id, body)
    return partial(_post, kind, url, body, headers)


def _signature(channel: Channel, message_id: str, body: bytes) -> dict[str, str]:
    """By the Standard Webhooks scheme, with the moment of this attempt. The fleet's channel may have no key."""
    if not channel.secret or (channel.name == FLEET_CHANNEL and channel.secret not in settings.ALARM_SECRETS):
        return {}
    now = timezone.now()
    signature = Webhook(messages.secret(channel.secret)).sign(message_id, now, body.decode())
    return {"webhook-timestamp": str(int(now.timestamp())), "webhook-signature": signature}


def _post(kind: str, url: str, body: bytes, headers: dict[str, str]) -> None:
    reply = send("POST", url, private=_private(), body=body, headers=headers)
    if 300 <= reply.status < 400:
        raise NotSent(f"answered {reply.status}: redirects are not followed")
    if not 200 <= reply.status < 300:
        raise NotSent(f"answered {reply.status}")
    # A page of a proxy in between, or of a login. Receivers of one's own may answer what they like.
    if kind != WEBHOOK and reply.body.lstrip().startswith(b"<"):
        raise NotSent("answered with a page: it is not the address of a webhook")
    if kind == FEISHU and (code := _feishu_code(reply)):
        raise NotSent(f"answered code {code}")


def _feishu_code(reply: ReceiverReply) -> object:
    """Feishu answers 200 to what it refuses, with a code other than 0."""
    with suppress(ValueError):
        said = json.loads(reply.body)
        return said.get("code") or said.get("StatusCode") if isinstance(said, dict) else None
    return None


def _mail(recipients: str, alarm: Alarm, taken: TakenDelivery) -> None:
    message = EmailMessage(
        subject=messages.headline(alarm, taken.event),
        body=messages.text(alarm, taken.event),
        to=[one.strip() for one in recipients.split(",")],
        # The same at each attempt, so that a mail program recognises it.
        headers={"Message-ID": f"<{taken.message_id}@nof0-control>", "Auto-Submitted": "auto-generated"},
    )
    try:
        message.send()
    except OSError as error:
        raise NotSent(f"the mail server did not take it: {type(error).__name__}") from error


def call_heartbeat() -> None:
    """GET to ALARM_HEARTBEAT_URL. Raises NotSent."""
    reply = send("GET", settings.ALARM_HEARTBEAT_URL, private=_private(), headers={})
    if not 200 <= reply.status < 300:
        raise NotSent(f"answered {reply.status}")


def _private() -> PrivateAddresses:
    return PrivateAddresses.of(settings.ALARM_PRIVATE_ADDRESSES)
