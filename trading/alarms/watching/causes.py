"""What a look at the site finds: causes of alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from traders.schema.messages import TranslatableText, _, joined
from trading.alarms.rules.catalogue import FLEET
from trading.export.status.board import Supervision
from trading.export.status.file import ExportStatus
from trading.schema.common import Side


@dataclass(frozen=True, slots=True)
class Cause:
    """`figures` are by name; `subject` tells the causes of one rule apart. What happened is told once, and again where
    one of the figures named in `grows_by` is larger than it was; what lasts is acknowledged no more then."""

    message: TranslatableText
    subject: str = FLEET
    traders: Sequence[str] = ()
    figures: Mapping[str, Any] = field(default_factory=dict)
    grows_by: Sequence[str] = ()


def positions_words(rows: Sequence[Any]) -> TranslatableText:
    """`steady BTC long, quick ETH short`, of rows that have a trader_id, a symbol and a side."""
    return joined(
        ", ",
        [
            _("%(trader)s %(symbol)s %(side)s", trader=row.trader_id, symbol=row.symbol, side=Side(row.side).words)
            for row in rows
        ],
    )


@dataclass(frozen=True, slots=True)
class WatchOutage:
    """The last time in which this site, or its database, did not run, or was not watched. `since` None: not known."""

    until: datetime
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class AlarmLook:
    """The moment of a look, what this site wants of the rule, and what the exporter last said of itself."""

    now: datetime
    threshold: float
    paths: tuple[str, ...]
    export_dir: Path
    status: ExportStatus | None
    supervision: Supervision | None
    outage: WatchOutage | None = None

    def ago(self, seconds: float) -> datetime:
        return self.now - timedelta(seconds=seconds)

    def is_overdue(self, last: datetime, allowed_seconds: float) -> bool:
        """Whether something should have been heard again since `last`. After an outage all of the time is allowed once
        more, because nothing could reach the site meanwhile; what was overdue before it stays so."""
        if last >= self.ago(allowed_seconds):
            return False
        outage = self.outage
        if outage is None or last >= outage.until or outage.until < self.ago(allowed_seconds):
            return True
        return outage.since is not None and last < outage.since - timedelta(seconds=allowed_seconds)

    @property
    def status_age_seconds(self) -> float:
        """Of the exporter's last word; endless if there is none."""
        return self.now.timestamp() - self.status.at if self.status else float("inf")
