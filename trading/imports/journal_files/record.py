"""The record of one cycle as engines write it -> a journal entry."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from traders.schema import jsonio
from traders.schema.messages import _
from traders.schema.problems import shown
from traders.schema.settings.trader import ID_PATTERN, ID_RULE
from trading.imports.journal_files import snapshot
from trading.imports.journal_files.fields import Fields, symbol
from trading.imports.journal_files.moments import RULE, parse_moment
from trading.record.rules.errors import InvalidRecord
from trading.replay.rules.parsing import parse_decisions
from trading.schema.common import Origin
from trading.schema.decision import Account, Answer, Decision, DecisionDetail, Engine, HeldPosition, Prompt, Quote

SYSTEM = "engine's cycle files"
FIELDS = (
    *("timestamp", "trader_id", "config_version", "cycle_number", "prompt_digest", "cot_trace", "decisions_json"),
    *("account_snapshot", "positions_snapshot", "candidates", "market_snap_digest", "actions"),
    *("success", "error_message", "extra"),
)


@dataclass(frozen=True)
class Cycle:
    """What a file says. `version` None: it names none, and the time decides."""

    trader_id: str
    version: int | None
    decided_at: datetime
    success: bool
    detail: DecisionDetail


def read_cycle(record: Any, file: str) -> Cycle:
    """`record` is the file's JSON. Raises InvalidRecord with the field, its value and what would be right."""
    fields = Fields("", record, FIELDS)
    held, seen = _account(fields), fields.mapping("market_snap_digest")
    candidates = fields.items("candidates")
    fields.required("success", "true or false")
    detail = DecisionDetail(
        prompt=Prompt(digest=digest) if (digest := fields.text("prompt_digest")) else None,
        answer=Answer(reasoning=trace) if (trace := fields.text("cot_trace")) else None,
        decisions=_decisions(fields),
        account=held,
        positions=_positions(fields, held),
        candidates=None if candidates is None else tuple(symbol("candidates", name) for name in candidates),
        market=None if seen is None else _market(seen),
        actions=tuple(snapshot.action(index, item) for index, item in enumerate(fields.items("actions") or ())),
        error=fields.text("error_message") or None,
        engine=Engine(cycle=fields.whole("cycle_number"), written_at=fields.text("timestamp")),
        origin=_origin(fields, record, file),
    )
    moment = _decided_at(fields)
    return Cycle(
        _trader_id(fields), fields.whole("config_version") or None, moment, bool(fields.flag("success")), detail
    )


def _decided_at(fields: Fields) -> datetime:
    fields.required("timestamp", RULE)
    text = fields.text("timestamp") or ""
    try:
        return parse_moment(text)
    except ValueError as error:
        raise InvalidRecord("timestamp", _("%(error)s, was %(value)s", error=error, value=shown(text))) from None


def _trader_id(fields: Fields) -> str:
    fields.required("trader_id", "a text")
    found = fields.text("trader_id") or ""
    if not ID_PATTERN.fullmatch(found):
        raise fields.wrong("trader_id", ID_RULE)
    return found


def _decisions(fields: Fields) -> tuple[Decision, ...]:
    text = (fields.text("decisions_json") or "").strip()
    if text in ("", "null"):  # how an engine writes a list that was never made
        return ()
    try:
        return parse_decisions(text)
    except InvalidRecord as error:
        raise InvalidRecord(f"decisions_json{error.field}", error.reason) from None


def _account(fields: Fields) -> Account | None:
    value = fields.mapping("account_snapshot")
    return None if value is None else snapshot.account(value)


def _positions(fields: Fields, account: Account | None) -> tuple[HeldPosition, ...] | None:
    """Null is how an engine writes an empty list, and how it would write one it could not ask for: the account's
    own count tells which."""
    items = fields.items("positions_snapshot")
    if items is None:
        return () if account and account.positions == 0 else None
    return tuple(snapshot.position(index, item) for index, item in enumerate(items))


def _market(seen: dict[str, Any]) -> tuple[Quote, ...]:
    return tuple(snapshot.quote(name, value) for name, value in seen.items())


def _origin(fields: Fields, record: Any, file: str) -> Origin:
    key = hashlib.sha256(jsonio.canonical(record).encode()).hexdigest()
    extra = fields.mapping("extra")
    return Origin(system=SYSTEM, key=key, file=file, fields={"extra": jsonio.dumps(extra)} if extra else None)
