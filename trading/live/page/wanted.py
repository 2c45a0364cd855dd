"""What is wanted of the fleet's traders beside what their engines reported."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.utils import timezone

from traders.controls.words import ControlShown, shown_of
from traders.models import TraderConfig

# A longer table cannot be read, and each row is sent again every few seconds.
MOST_SHOWN, MOST_ASKED = 100, 1000


@dataclass(frozen=True, slots=True)
class WantedLine:
    trader_id: str
    control: ControlShown


def wanted_lines(holding: Collection[str]) -> tuple[list[WantedLine], int]:
    """Of the traders that an engine runs or that hold something, retired ones with them: first what needs attention,
    then what is banned or pinned, then the others. With how many more there are."""
    holders = sorted(holding)[:MOST_ASKED]
    running = TraderConfig.objects.filter(retired=False, runtime_state__is_running=True).exclude(pk__in=holders)
    found = [*holders, *running.order_by("pk").values_list("pk", flat=True)[: MOST_ASKED - len(holders)]]
    shown = shown_of(found, timezone.now())
    lines = [WantedLine(name, control) for name, control in shown.items()]
    lines.sort(key=lambda line: (not line.control.warnings, line.control.is_plain, line.trader_id))
    return lines[:MOST_SHOWN], max(0, len(lines) - MOST_SHOWN)
