"""What each change did: the versions of a trader with their results, beside what BTC and the fleet did meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from django.core.paginator import Page
from django.utils import timezone

from traders.database.apart import TookTooLong, time_limit
from traders.pages.versions import VersionLine, page_of_history
from trading.analytics.intervals import Period
from trading.record.results import queries as results
from trading.record.results.queries import EntryVersionResult, VersionDrawdown
from trading.record.stored import prices
from trading.record.stored.prices import ReferenceReturn
from trading.trader_page import queries
from trading.trader_page.queries import LIMIT_MS, FleetReturn, VersionUse

PER_PAGE = 10
_Found = TypeVar("_Found")


@dataclass(frozen=True)
class VersionEffect:
    """A version from when it was saved until the next one. What is not known is None; `is_unsummed`: its decisions are
    too many for their use of the model to be summed here."""

    line: VersionLine
    period: Period
    result: EntryVersionResult | None
    fall: VersionDrawdown | None
    btc: ReferenceReturn | None
    fleet: FleetReturn | None
    use: VersionUse | None
    decisions: int
    is_unsummed: bool

    @property
    def win_rate_pct(self) -> Decimal | None:
        return self.result.win_rate_pct if self.result else None

    @property
    def drawdown_pct(self) -> Decimal | None:
        return self.fall.pct if self.fall else None

    @property
    def commission(self) -> Decimal | None:
        return self.result.commission if self.result else None

    @property
    def model_usd(self) -> Decimal | None:
        return self.use.cost_usd if self.use else None

    @property
    def prompt_tokens(self) -> int | None:
        return self.use.prompt_tokens if self.use else None

    @property
    def completion_tokens(self) -> int | None:
        return self.use.completion_tokens if self.use else None


@dataclass(frozen=True)
class VersionEffects:
    """A page of them, newest first. `late`: some figures took too long and are left out."""

    page: Page[Any]
    lines: list[VersionEffect]
    late: bool


def effects_of(trader_id: str, number: str | None, *, current: int) -> VersionEffects:
    page, lines = page_of_history(trader_id, number, current=current, per_page=PER_PAGE)
    now = timezone.now()
    periods = [Period(_ms(line.changed_at), _ms(line.until or now)) for line in lines]
    versions = [line.version for line in lines]
    known = results.of_trader(trader_id)
    late: list[bool] = []
    opened = [version for version in versions if version in known]
    falls = _in_time(lambda: results.drawdowns(trader_id, opened), late) or {}
    fleet = _in_time(lambda: queries.fleet_returns(periods), late) or [None] * len(periods)
    btc = _in_time(lambda: _btc(trader_id, periods), late) or [None] * len(periods)
    counts = queries.decision_counts(trader_id, versions)
    summed = _affordable(counts)
    uses = _in_time(lambda: queries.uses(trader_id, summed), late) or {}
    return VersionEffects(
        page,
        [
            VersionEffect(
                line=line,
                period=period,
                result=known.get(line.version),
                fall=falls.get(line.version),
                btc=of_btc,
                fleet=of_fleet,
                use=uses.get(line.version),
                decisions=counts.get(line.version, 0),
                is_unsummed=line.version in counts and line.version not in summed,
            )
            for line, period, of_btc, of_fleet in zip(lines, periods, btc, fleet, strict=True)
        ],
        late=bool(late),
    )


def _btc(trader_id: str, periods: Sequence[Period]) -> list[ReferenceReturn | None]:
    """By the prices of trades, else by those that the trader saw. One price at both ends says nothing."""
    found = [_moving(one) for one in prices.reference_returns(periods)]
    missing = [place for place, one in enumerate(found) if one is None]
    quoted = queries.quoted_returns(trader_id, [periods[place] for place in missing])
    for place, one in zip(missing, quoted, strict=True):
        found[place] = _moving(one)
    return found


def _moving(found: ReferenceReturn | None) -> ReferenceReturn | None:
    return found if found and found.from_ms < found.until_ms else None


def _affordable(counts: Mapping[int, int]) -> Sequence[int]:
    """The versions with the fewest decisions, as many as may be read whole for one page."""
    taken, left = [], queries.MOST_DECISIONS
    for version, count in sorted(counts.items(), key=lambda pair: pair[1]):
        if count > left:
            break
        taken.append(version)
        left -= count
    return taken


def _in_time(read: Callable[[], _Found], late: list[bool]) -> _Found | None:
    try:
        with time_limit(LIMIT_MS):
            return read()
    except TookTooLong:
        late.append(True)
        return None


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
