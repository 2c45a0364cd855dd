"""Rows of `trader_config_history` as the versions that a trader had.

The engine of the second generation compared the texts of two JSON documents, which PostgreSQL writes in another way, so
each of its starts made a version that changed nothing. Such a version keeps its number, because decisions name it; its
reason says what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from traders.manager_yaml.json_entry import read_entry
from traders.schema.actors import is_reserved, problem_with
from traders.schema.messages import _
from traders.schema.paths import diff
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import flat_of
from traders.schema.settings.trader import TraderSpec
from trading.imports.adopt.readers import values
from trading.imports.adopt.readers.values import Row
from trading.imports.arena.unreadable_file import shown
from trading.record.rules.errors import InvalidRecord

ENGINE = "earlier engine"
PHANTOM = "phantom: the earlier engine made this version when it started; nothing was changed"
LONGEST_REASON = 900


@dataclass(frozen=True, slots=True)
class EarlierVersion:
    """`changed` are the dotted paths of settings; none in version 1, and in a phantom."""

    number: int
    spec: TraderSpec
    at: datetime
    changed: tuple[str, ...]
    reason: str
    actor: str
    is_phantom: bool


def read_history(
    trader_id: str, rows: Sequence[Row], *, first: int = 1, before: TraderSpec | None = None
) -> list[EarlierVersion]:
    """Of one trader, in order of the numbers, from `first` on. `before` is the version before it. Raises InvalidRecord
    for the first row that cannot be a version: numbers must follow each other, and so must moments."""
    found: list[EarlierVersion] = []
    for number, row in enumerate(rows, first):
        if row.get("version") != number:
            raise InvalidRecord(
                "version", _("must be %(number)s, was %(value)s", number=number, value=shown(row.get("version")))
            )
        spec, at = _spec(trader_id, row), _at(row)
        if found and at <= found[-1].at:
            raise InvalidRecord("changed_at", _("must be later than that of the version before"))
        old = found[-1].spec if found else before
        changed = () if old is None else tuple(change.path for change in diff(flat_of(old), flat_of(spec)))
        is_phantom = old is not None and not changed
        found.append(EarlierVersion(number, spec, at, changed, _reason(row, is_phantom), _actor(row), is_phantom))
    return found


def _spec(trader_id: str, row: Row) -> TraderSpec:
    snapshot = values.given(row, "config_snapshot")
    if not isinstance(snapshot, dict):
        raise InvalidRecord("config_snapshot", _("must be an object, was %(value)s", value=shown(snapshot)))
    try:
        return read_entry(trader_id, snapshot)
    except InvalidConfig as error:
        first = error.problems[0]
        raise InvalidRecord(f"config_snapshot.{first.path}".rstrip("."), first.message) from None


def _at(row: Row) -> datetime:
    found = values.moment(row, "changed_at")
    if found is None:
        raise InvalidRecord("changed_at", _("must be a moment, was %(value)s", value=shown(str(row.get("changed_at")))))
    return found


def _reason(row: Row, is_phantom: bool) -> str:
    said = (values.text_or_none(row, "change_reason") or "no reason was given")[:LONGEST_REASON]
    return f"{said} ({PHANTOM})" if is_phantom else said


def _actor(row: Row) -> str:
    """Names that only this program may write are those of the engine."""
    said = (values.text_or_none(row, "changed_by") or "").strip()
    return said if said and not is_reserved(said) and problem_with(said) is None else ENGINE
