"""Metrics of alarms, from the last status of their sender."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from trading.export.status.alarms import AlarmStatus
from trading.export.status.board import RUNNING, Supervision


class AlarmFigures(Collector):
    """`process` is None where another process than `make run` runs the sender."""

    def __init__(self, status: AlarmStatus | None, process: Supervision | None) -> None:
        self._status, self._process = status, process

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        if self._process:
            is_running = float(self._process.state == RUNNING)
            yield GaugeMetricFamily("nof0_alarm_sender_up", "1: the sender that `make run` started runs", is_running)
            yield CounterMetricFamily("nof0_alarm_sender_restarts", "Restarts of that sender", self._process.restarts)
        status = self._status
        if status is None:
            return
        opened = GaugeMetricFamily("nof0_alarms_open", "Open alarms", labels=["severity"])
        opened.add_metric(["page"], status.open_pages)
        opened.add_metric(["notify"], status.open_notices)
        yield opened
        for name, help_, figure in (
            ("nof0_alarms_unacknowledged", "Open pages that nobody has acknowledged", status.unacknowledged),
            ("nof0_alarm_deliveries_waiting", "Messages of alarms that wait", status.waiting),
            ("nof0_alarm_oldest_waiting_seconds", "How long the oldest of them waits", status.oldest_waiting_seconds),
            ("nof0_alarm_look_age_seconds", "Since alarms were last looked for", max(0.0, time.time() - status.at)),
            ("nof0_alarms_well", "1: all rules could be asked and no page waits for long", float(status.is_well)),
        ):
            yield GaugeMetricFamily(name, help_, figure)
        yield CounterMetricFamily("nof0_alarm_deliveries", "Messages sent since the sender began", status.sent)
        yield CounterMetricFamily("nof0_alarm_failures", "Attempts that failed since then", status.failed)
