"""Where alarms go, as the sender sees it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from trading.alarms.rules.catalogue import Severity

FLEET_CHANNEL = "alert_webhook"
"""The channel that the fleet's settings name (`monitoring.alert_webhook`)."""
FLEET_SECRET = "ALERT_WEBHOOK_SECRET"
"""Signs its messages, if it is set."""

WEBHOOK, SLACK, FEISHU, EMAIL = "webhook", "slack", "feishu", "email"
# Whose hosts take text in a form of their own.
_TEXT_HOSTS = {"hooks.slack.com": SLACK, "open.feishu.cn": FEISHU, "open.larksuite.com": FEISHU}


@dataclass(frozen=True, slots=True)
class Channel:
    """`address` may hold `${NAME}`; `secret` names the variable with the signing key, empty: none."""

    name: str
    kind: str
    address: str
    secret: str = ""
    pages_only: bool = False

    def takes(self, severity: str) -> bool:
        return severity == Severity.PAGE or (severity == Severity.NOTIFY and not self.pages_only)


def kind_at(channel: Channel, url: str) -> str:
    """The fleet's channel may be any webhook: its host tells which form of message it takes."""
    if channel.name != FLEET_CHANNEL:
        return channel.kind
    return _TEXT_HOSTS.get(urlsplit(url).hostname or "", WEBHOOK)
