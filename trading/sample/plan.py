"""What is asked for: how many traders, how long, how many trades, up to which moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

US_PER_MS = 1000
MS_PER_MINUTE = 60_000
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 86_400_000
MOST_DAYS = 730
MOST_TRADERS = 5_000
TRADES_A_DAY = 4 / 3


@dataclass(frozen=True)
class SamplePlan:
    """`trades` is the number of closed ones, of all traders together. `end` is UTC; nothing is dated after it."""

    traders: int
    days: int
    trades: int
    seed: int
    end: datetime

    def __post_init__(self) -> None:
        if not 1 <= self.traders <= MOST_TRADERS:
            raise ValueError(f"traders must be 1 to {MOST_TRADERS:,}")
        if not 1 <= self.days <= MOST_DAYS:
            raise ValueError(f"days must be 1 to {MOST_DAYS}")
        if self.trades < 0:
            raise ValueError("trades must not be negative")

    @property
    def start(self) -> datetime:
        return self.end - timedelta(days=self.days)

    @property
    def start_ms(self) -> int:
        return moment_ms(self.start)

    @property
    def end_ms(self) -> int:
        return moment_ms(self.end)

    def trades_of(self, index: int) -> int:
        """The share of the trader with this number, the first being 0; the shares add up to `trades`."""
        share, rest = divmod(self.trades, self.traders)
        return share + (index < rest)


def usual_trades(traders: int, days: int) -> int:
    """About forty a trader and month."""
    return round(traders * days * TRADES_A_DAY)


def moment_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
