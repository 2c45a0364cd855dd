"""Bulk edit: the same operations on many traders, one reason, one change set."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from traders.rules.bulk import Do, Operation, apply_operations
from traders.schema.catalogue import TRADER_SETTINGS
from traders.schema.paths import Flat
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.stored import SavedVersion, StoredConfig
from traders.services import names
from traders.services.edit import validated
from traders.services.many import Decide, FleetProposal, propose_many, save_many


def propose_bulk(*, trader_ids: Collection[str], operations: Sequence[Operation]) -> FleetProposal:
    """Writes nothing. Raises UnknownConfig, and InvalidConfig for values that no trader could take."""
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
