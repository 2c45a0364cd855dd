"""Bulk edit: the same operations on many traders, one reason, one change set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from traders.schema.paths import Flat
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.stored import SavedVersion, StoredConfig
from traders.schema.settings.together import judged_with
from traders.schema.settings.trader import TraderSpec
from traders.versions import queries as configs
from traders.versions.bulk.proposal import (
    Decide,
    FleetProposal,
    ProposalPart,
    part_of,
    proposal_of_parts,
    propose_for_traders,
    require_known,
    save_for_traders,
)
from traders.versions.bulk.queries import alike
from traders.versions.bulk.rounding import Rounding
from traders.versions.bulk.rules import BulkVerb, Operation, apply_operations
from traders.versions.edit import names
from traders.versions.edit.services import validated
from traders.versions.rules.allocation import Allocation, allocated_pct

# What a trader adds to the fleet's sum, and what must be 0 beside it.
_OF_THE_SUM = ("allocation_pct", "detail.retired", "detail.paper_capital_usd")


def propose_bulk(*, trader_ids: Collection[str], operations: Sequence[Operation]) -> FleetProposal:
    """Writes nothing. Raises UnknownConfig, and InvalidConfig for values that no trader could take.

    Traders with equal values in all paths that the operations and their checks read are judged once: of ten thousand
    traders a few are read. The save judges each trader.
    """
    _require_known_names(operations)
    groups = alike(trader_ids, dict.fromkeys((*_OF_THE_SUM, *(judged_with(one.path) for one in operations))))
    require_known(trader_ids, {name for group in groups for name in group})
    samples = configs.current_traders([next(iter(group)) for group in groups])
    shares, reserve = configs.shares(), configs.reserve_pct(configs.current_fleet())
    parts, moved, rounded = [], dict(shares), Counter[Rounding]()
    for group, sample in zip(groups, samples.values(), strict=True):
        flat, roundings = apply_operations(sample.flat, operations, TRADER_SETTINGS)
        rounded.update(dict.fromkeys(roundings, len(group)))
        part, spec = part_of(sample, flat)
        parts += [_same_for(part, name, version) for name, version in group.items()]
        if isinstance(spec, TraderSpec):
            for name in group:
                moved[name] = shares[name].moved(spec.allocation_pct, retired=spec.detail.retired)
    parts.sort(key=lambda part: part.config_id)
    proposal = proposal_of_parts(parts, shares, reserve, (moved, Allocation(allocated_pct(moved), reserve)))
    return replace(proposal, roundings=_counted(rounded))


def propose_one_by_one(*, trader_ids: Collection[str], operations: Sequence[Operation]) -> FleetProposal:
    """As `propose_bulk`, each trader judged as the save does, also by older values that would be refused today."""
    _require_known_names(operations)
    rounded = Counter[Rounding]()
    proposal = propose_for_traders(config_ids=trader_ids, decide=_decide(operations, rounded))
    return replace(proposal, roundings=_counted(rounded))


def save_bulk(
    *,
    trader_ids: Collection[str],
    operations: Sequence[Operation],
    seen: Mapping[str, int],
    reason: str,
    actor: str,
) -> list[SavedVersion]:
    """As `save_for_traders`."""
    _require_known_names(operations)
    return save_for_traders(
        config_ids=trader_ids, decide=_decide(operations), seen=seen, reason=reason, actor=actor, source="bulk"
    )


def _same_for(part: ProposalPart, trader_id: str, version: int) -> ProposalPart:
    problems = tuple([replace(problem, trader_id=trader_id) for problem in part.problems])
    return ProposalPart(trader_id, version, part.changes, part.riskier, problems)


def _require_known_names(operations: Sequence[Operation]) -> None:
    values = {operation.path: operation.value for operation in operations if operation.do is BulkVerb.SET}
    if problems := names.unknown_values(values):
        raise InvalidConfig(problems)


def value_problems(*, operations: Sequence[Operation], sample: StoredConfig) -> list[Problem]:
    """Problems of the values themselves, found with one trader, at the path of each operation with a value."""
    problems = []
    for operation in operations:
        if operation.do in (BulkVerb.SET, BulkVerb.CAP, BulkVerb.FLOOR):
            flat = sample.flat | {operation.path: operation.value}
            problems += [p for p in _problems_of(sample.config_id, flat) if p.path == operation.path]
    return [replace(problem, trader_id="") for problem in problems]


def _problems_of(config_id: str, flat: Flat) -> list[Problem]:
    try:
        validated(config_id, flat)
    except InvalidConfig as invalid:
        return invalid.problems
    return []


def _decide(operations: Sequence[Operation], rounded: Counter[Rounding] | None = None) -> Decide:
    """`rounded` counts what was rounded."""

    def decide(current: StoredConfig) -> Flat:
        flat, roundings = apply_operations(current.flat, operations, TRADER_SETTINGS)
        if rounded is not None:
            rounded.update(roundings)
        return flat

    return decide


def _counted(rounded: Counter[Rounding]) -> tuple[tuple[Rounding, int], ...]:
    """The most frequent first, those of one frequency in order of setting and value."""
    return tuple(sorted(rounded.items(), key=lambda one: (-one[1], one[0].path, one[0].exact, str(one[0].old))))
