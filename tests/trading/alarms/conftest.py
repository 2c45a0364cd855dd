from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from tests.trading.alarms.receivers import Receiver, receiving

KEY = "whsec_" + base64.b64encode(b"a key of 24 bytes at most").decode()


@pytest.fixture
def receiver(settings: Any) -> Iterator[Receiver]:
    """On this machine, which the settings allow."""
    settings.ALARM_PRIVATE_ADDRESSES = ["127.0.0.0/8"]
    settings.ALARM_SECRETS = {"ALARM_KEY": KEY, "ALARM_PATH": "path-with-a-token"}
    with receiving() as server:
        yield server
