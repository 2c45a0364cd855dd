"""The fleet rule: the allocations of traders that are not retired, or hold something still, add up to at most 100 %
less the reserve."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from traders.schema.messages import TranslatableText, _, joined, verbatim
from traders.schema.problems import Problem
from traders.schema.settings.stored import Spec
from traders.schema.settings.trader import TraderSpec

ALLOCATION_PATH = "allocation_pct"
RESERVE_PATH = "detail.manager.reserve_equity_pct"
RETIRE_OPTION = "--retire-missing"
_NAMED = 10


@dataclass(frozen=True, slots=True)
class Share:
    """A trader's part of the fleet's sum. Of a pinned trader the larger allocation of pinned and newest counts, of a
    retired one (`is_flat`) what it holds until it is flat, then nothing."""

    allocation_pct: Decimal
    retired: bool
    pinned_pct: Decimal = Decimal(0)
    is_flat: bool = True

    @property
    def counted_pct(self) -> Decimal:
        return Decimal(0) if self.retired and self.is_flat else max(self.allocation_pct, self.pinned_pct)

    def moved(self, allocation_pct: Decimal, *, retired: bool) -> Share:
        """The share with another configuration; the share itself where nothing of it changes."""
        if allocation_pct == self.allocation_pct and retired == self.retired:
            return self
        return replace(self, allocation_pct=allocation_pct, retired=retired)


@dataclass(frozen=True, slots=True)
class Allocation:
    """The fleet's capital in % of its equity."""

    allocated_pct: Decimal
    reserve_pct: Decimal

    @property
    def free_pct(self) -> Decimal:
        return 100 - self.reserve_pct - self.allocated_pct


def after(
    shares: Mapping[str, Share], reserve_pct: Decimal, specs: Iterable[Spec]
) -> tuple[dict[str, Share], Allocation]:
    """The shares and the allocation as they would be with these configurations in place."""
    changed = dict(shares)
    for spec in specs:
        if isinstance(spec, TraderSpec):
            before = changed.get(spec.id, Share(spec.allocation_pct, spec.detail.retired))
            changed[spec.id] = before.moved(spec.allocation_pct, retired=spec.detail.retired)
        else:
            reserve_pct = spec.detail.manager.reserve_equity_pct
    return changed, Allocation(allocated_pct(changed), reserve_pct)


def allocated_pct(shares: Mapping[str, Share]) -> Decimal:
    return sum((share.counted_pct for share in shares.values()), Decimal(0))


def fleet_rule(
    allocation: Allocation,
    *,
    shares: Mapping[str, Share],
    changed: Collection[str] = (),
    missing: Collection[str] = (),
    path: str = ALLOCATION_PATH,
) -> Problem | None:
    """The problem of a fleet that is given more than it has, else None.

    `changed` are the traders that are about to be written; the message says what would fit. `missing` are traders
    that the synced file lacks: they still count, so they are named with their share.
    """
    if allocation.free_pct >= 0:
        return None
    parts = [
        _(
            "makes the fleet's sum %(sum)s %%, %(excess)s %% above the %(most)s %% that a reserve of "
            "%(reserve)s %% leaves",
            sum=f"{allocation.allocated_pct:f}",
            excess=f"{-allocation.free_pct:f}",
            most=f"{100 - allocation.reserve_pct:f}",
            reserve=f"{allocation.reserve_pct:f}",
        )
    ]
    if counted := _counted(shares, missing):
        parts.append(
            _(
                "; %(sum)s %% belong to traders that are stored but not in the file (%(names)s): "
                "retire them with %(option)s or put them back",
                sum=f"{sum(counted.values()):f}",
                names=_named(counted),
                option=RETIRE_OPTION,
            )
        )
    elif path == RESERVE_PATH and allocation.allocated_pct <= 100:
        parts.append(_("; a reserve of at most %(most)s %% fits", most=f"{100 - allocation.allocated_pct:f}"))
    elif own := _counted(shares, changed):
        parts.append(_what_fits(own, excess=-allocation.free_pct))
    return Problem(path, joined("", parts))


def _counted(shares: Mapping[str, Share], trader_ids: Collection[str]) -> dict[str, Decimal]:
    """Those that take part in the sum, in order of id."""
    return {name: shares[name].counted_pct for name in sorted(trader_ids) if shares[name].counted_pct}


def _what_fits(own: Mapping[str, Decimal], *, excess: Decimal) -> TranslatableText:
    if len(own) > 1:
        return _("; lower some of %(names)s", names=_named(dict(sorted(own.items(), key=lambda item: -item[1]))))
    (pct,) = own.values()
    return _("; at most %(most)s %% fits", most=f"{pct - excess:f}") if pct > excess else _("; nothing is left for it")


def _named(pcts: Mapping[str, Decimal]) -> TranslatableText:
    named = ", ".join(f"{name} {pct:f} %" for name, pct in list(pcts.items())[:_NAMED])
    if len(pcts) <= _NAMED:
        return verbatim(named)
    return _("%(names)s and %(more)s more", names=named, more=len(pcts) - _NAMED)
