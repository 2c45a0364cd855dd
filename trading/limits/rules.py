"""Which open positions lie beyond a trader's limits. The checks before an entry read the same settings; here they are
asked about what is held already, which no limit closes."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from traders.schema.paths import Flat
from traders.schema.symbols import folded
from trading.replay.rules.checks.capital import is_major

COUNT = "detail.risk.max_positions"
SIZE = "detail.risk.max_position_size_usd"
MAJOR, ALTCOIN = "detail.risk.major_coin_leverage", "detail.risk.altcoin_leverage"
MARGIN = "detail.risk.max_margin_usage_pct"
BANDS = {
    True: "detail.exec_guards.btceth_position_value_max_equity_multiple",
    False: "detail.exec_guards.alt_position_value_max_equity_multiple",
}
SYMBOLS = "detail.exec_guards.allowed_symbols"
# A limit that a guard checks holds while the guard is on.
SWITCHES = {
    MARGIN: "detail.exec_guards.enable_margin_usage_guard",
    **dict.fromkeys(BANDS.values(), "detail.exec_guards.enable_value_band_guard"),
}
LIMITS = (COUNT, SIZE, MAJOR, ALTCOIN, MARGIN, *BANDS.values(), SYMBOLS)
PATHS = frozenset({*LIMITS, *SWITCHES.values()})


@dataclass(frozen=True, slots=True)
class LimitedPosition:
    """`notional_usd` is at the entry price. None: it cannot be read, or was not recorded."""

    symbol: str
    side: str
    notional_usd: Decimal | None
    leverage: Decimal | None

    @property
    def margin_usd(self) -> Decimal | None:
        if self.notional_usd is None or not self.leverage:
            return None
        return self.notional_usd / max(self.leverage, Decimal(1))


@dataclass(frozen=True, slots=True)
class BeyondLimit:
    """One limit: `beyond` of the `held` open positions to which it applies exceed it; of max positions, so many are
    too many. `unknown` cannot be checked, for want of their figures or of the equity. `used` is the value of what is
    limited as a whole: positions, or % of the equity as margin."""

    path: str
    limit: Any
    held: int
    beyond: tuple[LimitedPosition, ...] = ()
    unknown: tuple[LimitedPosition, ...] = ()
    used: Decimal | int | None = None
    without_equity: bool = False

    @property
    def is_beyond(self) -> bool:
        return bool(self.beyond) or self.used is not None


def touched(paths: Iterable[str]) -> list[str]:
    """The limits that a change of these paths moves, or switches on or off."""
    return list(_touched(tuple(paths)))


# A bulk edit changes the same paths of ten thousand traders.
@lru_cache(maxsize=64)
def _touched(paths: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(path for path in LIMITS if path in paths or SWITCHES.get(path) in paths)


def beyond_limits(
    flat: Flat, limits: Collection[str], held: Sequence[LimitedPosition], equity_usd: Decimal | None
) -> list[BeyondLimit]:
    """What of `held` lies beyond these limits of `flat`, or cannot be checked. `flat` holds the values after the change
    of the paths in `PATHS`; a limit that it lacks, that is 0 where 0 is none, or whose guard is off, holds nobody."""
    found = []
    for path in limits:
        limit, switch = flat.get(path), SWITCHES.get(path)
        if not limit or (switch is not None and not flat.get(switch)):
            continue
        one = _CHECKS[path](path, limit, held, equity_usd)
        if one.is_beyond or one.unknown:
            found.append(one)
    return found


def _count(path: str, limit: Any, held: Sequence[LimitedPosition], _equity: Decimal | None) -> BeyondLimit:
    return BeyondLimit(path, limit, len(held), used=len(held) if len(held) > limit else None)


def _size(path: str, limit: Any, held: Sequence[LimitedPosition], _equity: Decimal | None) -> BeyondLimit:
    return _each(path, limit, held, lambda one: one.notional_usd, most=Decimal(limit))


def _leverage(path: str, limit: Any, held: Sequence[LimitedPosition], _equity: Decimal | None) -> BeyondLimit:
    meant = [one for one in held if is_major(one.symbol) is (path == MAJOR)]
    return _each(path, limit, meant, lambda one: one.leverage, most=Decimal(limit))


def _band(path: str, limit: Any, held: Sequence[LimitedPosition], equity: Decimal | None) -> BeyondLimit:
    meant = [one for one in held if path == BANDS[is_major(one.symbol)]]
    if equity is None:
        return BeyondLimit(path, limit, len(meant), unknown=tuple(meant), without_equity=True)
    return _each(path, limit, meant, lambda one: one.notional_usd, most=limit * equity)


def _symbols(path: str, limit: Any, held: Sequence[LimitedPosition], _equity: Decimal | None) -> BeyondLimit:
    allowed = {folded(symbol) for symbol in limit}
    return BeyondLimit(path, limit, len(held), tuple(one for one in held if folded(one.symbol) not in allowed))


def _margin(path: str, limit: Any, held: Sequence[LimitedPosition], equity: Decimal | None) -> BeyondLimit:
    """What is known suffices to say that the whole exceeds the limit, never that it does not."""
    if equity is None:
        return BeyondLimit(path, limit, len(held), unknown=tuple(held), without_equity=True)
    known = [margin for one in held if (margin := one.margin_usd) is not None]
    unknown = tuple(one for one in held if one.margin_usd is None)
    used = sum(known, Decimal(0)) * 100 / equity if equity > 0 else Decimal("Infinity")
    return BeyondLimit(path, limit, len(held), unknown=unknown, used=used if known and used > limit else None)


def _each(
    path: str,
    limit: Any,
    held: Sequence[LimitedPosition],
    figure: Callable[[LimitedPosition], Decimal | None],
    *,
    most: Decimal,
) -> BeyondLimit:
    figures = [(one, figure(one)) for one in held]
    return BeyondLimit(
        path,
        limit,
        len(held),
        beyond=tuple(one for one, value in figures if value is not None and value > most),
        unknown=tuple(one for one, value in figures if value is None),
    )


_Check = Callable[[str, Any, Sequence[LimitedPosition], Decimal | None], BeyondLimit]
_CHECKS: Mapping[str, _Check] = {
    COUNT: _count,
    SIZE: _size,
    MAJOR: _leverage,
    ALTCOIN: _leverage,
    MARGIN: _margin,
    **dict.fromkeys(BANDS.values(), _band),
    SYMBOLS: _symbols,
}
