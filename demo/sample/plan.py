"""The plan of a sample: how many traders, days and trades, and its end."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

US_PER_MS = 1000
MS_PER_MINUTE = 60_000
MS_PER_HOUR = 3_600_000
MS_PER_DAY = 86_400_000
MOST_DAYS = 730
MOST_TRADERS = 5_000
TRADES_A_DAY = 4 / 3
TRADERS, DAYS, SEED = 6, 30, 1
"""The plan of the demo."""
MOST_ALLOCATION_PCT = Decimal("12.5")
RESERVE_PCT = Decimal(15)
_SMALLEST_PCT = Decimal("0.01")


@dataclass(frozen=True)
class SamplePlan:
    """`trades` is the number of closed ones, of all traders together. `end` is UTC; nothing is dated after it.
    `capital_pct` is the share of the fleet's equity that the traders may have together. Raises ValueError."""

    traders: int
    days: int
    trades: int
    seed: int
    end: datetime
    capital_pct: Decimal = 100 - RESERVE_PCT

    def __post_init__(self) -> None:
        if not 1 <= self.traders <= MOST_TRADERS:
            raise ValueError(f"traders must be 1 to {MOST_TRADERS:,}")
        if not 1 <= self.days <= MOST_DAYS:
            raise ValueError(f"days must be 1 to {MOST_DAYS}")
        if self.trades < 0:
            raise ValueError("trades must not be negative")
        if self.allocation_pct < _SMALLEST_PCT:
            raise ValueError(
                f"{self.traders:,} traders do not fit into the {self.capital_pct} % of the equity that are free: each "
                f"needs {_SMALLEST_PCT} % at least"
            )

    @property
    def allocation_pct(self) -> Decimal:
        """Allocation of each trader, % of the fleet's equity: equal shares with two decimals."""
        return min(MOST_ALLOCATION_PCT, (self.capital_pct / self.traders).quantize(_SMALLEST_PCT, ROUND_DOWN))

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
        """Trades of the trader with this number (from 0). They add up to `trades`."""
        share, rest = divmod(self.trades, self.traders)
        return share + (index < rest)


def usual_plan(now: datetime) -> SamplePlan:
    """The demo: six traders, and thirty days up to the last full hour."""
    return SamplePlan(TRADERS, DAYS, usual_trades(TRADERS, DAYS), SEED, whole_hour(now))


def whole_hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def usual_trades(traders: int, days: int) -> int:
    """About forty trades per trader and month."""
    return round(traders * days * TRADES_A_DAY)


def moment_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
