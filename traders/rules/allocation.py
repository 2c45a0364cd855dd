"""The fleet rule: the allocations of traders not retired add up to at most 100 % less the reserve."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from traders.schema.problems import Problem
from traders.schema.stored import Spec
from traders.schema.trader import TraderSpec

_NAMED = 10


@dataclass(frozen=True, slots=True)
class Share:
    """A trader's part of the fleet's sum; a retired trader's does not count."""

    allocation_pct: Decimal
    retired: bool


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
            changed[spec.id] = Share(spec.allocation_pct, spec.detail.retired)
        else:
            reserve_pct = spec.detail.manager.reserve_equity_pct
    return changed, Allocation(allocated_pct(changed), reserve_pct)


def allocated_pct(shares: Mapping[str, Share]) -> Decimal:
    return sum((share.allocation_pct for share in shares.values() if not share.retired), Decimal(0))


def fleet_rule(
    allocation: Allocation, *, shares: Mapping[str, Share], missing: Collection[str] = (), path: str = "allocation_pct"
) -> Problem | None:
    """The problem of a fleet that is given more than it has, else None.

    `missing` are traders that the synced file lacks: they still count, so they are named with their share.
    """
    if allocation.free_pct >= 0:
        return None
    message = (
        f"makes the fleet's sum {allocation.allocated_pct:f} %, {-allocation.free_pct:f} % above the "
        f"{100 - allocation.reserve_pct:f} % that a reserve of {allocation.reserve_pct:f} % leaves"
    )
    counted = {name: shares[name].allocation_pct for name in sorted(missing) if not shares[name].retired}
    counted = {name: pct for name, pct in counted.items() if pct}
    if counted:
        named = [f"{name} {pct:f} %" for name, pct in list(counted.items())[:_NAMED]]
        more = f" and {len(counted) - _NAMED} more" if len(counted) > _NAMED else ""
        message += (
            f"; {sum(counted.values()):f} % belong to traders that are stored but not in the file "
            f"({', '.join(named)}{more}): retire them with --retire-missing or put them back"
        )
    return Problem(path, message)
