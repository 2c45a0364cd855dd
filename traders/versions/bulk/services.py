"""Bulk edit: the same operations on many traders, one reason, one change set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from traders.schema.paths import Flat
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.schema.settings.together import judged_with
from traders.schema.settings.trader import TraderSpec
from traders.versions import queries as configs
from traders.versions.bulk.many import (
    Decide,
    FleetProposal,
    ProposalPart,
    part_of,
    propose_many,
    require_known,
    save_many,
    whole,
)
from traders.versions.bulk.queries import alike
from traders.versions.bulk.rules import Do, Operation, apply_operations
from traders.versions.edit import names
from traders.versions.edit.services import validated
from traders.versions.rules.allocation import Allocation, Share, allocated_pct

# What a trader adds to the fleet's sum.
_OF_THE_SUM = ("allocation_pct", "detail.retired")


def propose_bulk(*, trader_ids: Collection[str], operations: Sequence[Operation]) -> FleetProposal:
    """Writes nothing. Raises UnknownConfig, and InvalidConfig for values that no trader could take.

    Traders that stand alike in all that the operations read and their values are judged with are judged once: of ten
    thousand traders a few are read. Saving judges each.
    """
    _require_known_names(operations)
    groups = alike(trader_ids, dict.fromkeys((*_OF_THE_SUM, *(judged_with(one.path) for one in operations))))
    require_known(trader_ids, {name for group in groups for name in group})
    samples = configs.current_traders([next(iter(group)) for group in groups])
    shares, reserve = configs.shares(), configs.reserve_pct(configs.current_fleet())
    parts, moved, decide = [], dict(shares), _decide(operations)
    for group, sample in zip(groups, samples.values(), strict=True):
        part, spec = part_of(sample, decide(sample))
        parts += [_same_for(part, name, version) for name, version in group.items()]
        if isinstance(spec, TraderSpec):
            moved |= dict.fromkeys(group, Share(spec.allocation_pct, spec.detail.retired))
    parts.sort(key=lambda part: part.config_id)
    return whole(parts, shares, reserve, (moved, Allocation(allocated_pct(moved), reserve)))


def propose_one_by_one(*, trader_ids: Collection[str], operations: Sequence[Operation]) -> FleetProposal:
    """As `propose_bulk`, each trader judged as saving does: also by what stood before and would be refused today."""
    _require_known_names(operations)
    return propose_many(config_ids=trader_ids, decide=_decide(operations))


def save_bulk(
    *,
    trader_ids: Collection[str],
    operations: Sequence[Operation],
    seen: Mapping[str, int],
    reason: str,
    actor: str,
) -> list[SavedVersion]:
    """As `many.save_many`."""
    _require_known_names(operations)
    return save_many(
        config_ids=trader_ids, decide=_decide(operations), seen=seen, reason=reason, actor=actor, source="bulk"
    )


def _same_for(part: ProposalPart, trader_id: str, version: int) -> ProposalPart:
    problems = tuple(replace(problem, trader_id=trader_id) for problem in part.problems)
    return replace(part, config_id=trader_id, version=version, problems=problems)


def _require_known_names(operations: Sequence[Operation]) -> None:
    values = {operation.path: operation.value for operation in operations if operation.do is Do.SET}
    if problems := names.unknown_values(values):
        raise InvalidConfig(problems)


def value_problems(*, operations: Sequence[Operation], sample: StoredConfig) -> list[Problem]:
    """What is wrong with the values themselves, told by one trader: at the path of each operation that gives one."""
    problems = []
    for operation in operations:
        if operation.do in (Do.SET, Do.CAP, Do.FLOOR):
            flat = sample.flat | {operation.path: operation.value}
            problems += [p for p in _problems_of(sample.config_id, flat) if p.path == operation.path]
    return [replace(problem, trader_id="") for problem in problems]


def _problems_of(config_id: str, flat: Flat) -> list[Problem]:
    try:
        validated(config_id, flat)
    except InvalidConfig as invalid:
        return invalid.problems
    return []


def _decide(operations: Sequence[Operation]) -> Decide:
    def decide(current: StoredConfig) -> Flat:
        return apply_operations(current.flat, operations, TRADER_SETTINGS)

    return decide
