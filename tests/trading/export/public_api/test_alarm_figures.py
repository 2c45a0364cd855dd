"""What `GET /metrics` says of alarms, from the last status of their sender and the board of `make run`."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from trading.export.public_api.health import metrics
from trading.export.status import alarms as alarm_status
from trading.export.status import board as boards
from trading.export.status.alarms import AlarmStatus
from trading.export.status.board import RESTARTING, Board, Supervision


def test_metrics_say_how_alarms_are(tmp_path: Path) -> None:
    told = AlarmStatus(
        at=time.time() - 30, open_pages=2, unacknowledged=1, open_notices=3, waiting=4, sent=5, failed=6, is_well=False
    )
    alarm_status.write(tmp_path, told)
    text = metrics(None, tmp_path).decode()

    for line in (
        'nof0_alarms_open{severity="page"} 2.0',
        'nof0_alarms_open{severity="notify"} 3.0',
        "nof0_alarms_unacknowledged 1.0",
        "nof0_alarm_deliveries_waiting 4.0",
        "nof0_alarm_deliveries_total 5.0",
        "nof0_alarm_failures_total 6.0",
        "nof0_alarms_well 0.0",
    ):
        assert line in text


def test_metrics_say_nothing_of_alarms_without_a_sender(tmp_path: Path) -> None:
    assert "nof0_alarm" not in metrics(None, tmp_path).decode()


def test_metrics_say_that_the_sender_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    board = Board()
    monkeypatch.setattr(boards, "_board", board)
    board.alarm_supervision.write(Supervision(RESTARTING, time.time(), restarts=2))
    text = metrics(None, tmp_path).decode()

    assert "nof0_alarm_sender_up 0.0" in text
    assert "nof0_alarm_sender_restarts_total 2.0" in text
