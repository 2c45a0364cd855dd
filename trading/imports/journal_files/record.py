"""The record of one cycle as engines write it -> a journal entry."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from traders.schema import jsonio, moments, strict_json
from traders.schema.messages import _, message_of
from traders.schema.problems import shown
from traders.schema.settings.trader import ID_PATTERN, ID_RULE
from trading.imports.journal_files import snapshot
from trading.imports.journal_files.fields import Fields
from trading.imports.journal_files.moments import RULE, parse_moment
from trading.record.rules.errors import InvalidRecord
from trading.replay.rules.parsing import parse_items
from trading.schema.common import Origin
from trading.schema.decision import Account, Decision, DecisionDetail, Engine, HeldPosition, ModelAnswer, Prompt

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
    """`record` is the file's JSON. Fields that are not known are kept under `detail.extra`. Raises InvalidRecord with
    the field, its value and what would be right."""
    aside: dict[str, Any] = {}
    fields = Fields("", record, FIELDS, aside)
    held, seen = _account(fields), fields.mapping("market_snap_digest")
    taken = fields.items("actions") or ()
    decisions, text = _decisions(fields)
    trace, error = fields.text("cot_trace"), fields.text("error_message") or None
    actions = tuple(snapshot.action(index, item, aside) for index, item in enumerate(taken))
    success = fields.flag("success")
    detail = DecisionDetail(
        prompt=Prompt(digest=digest) if (digest := fields.text("prompt_digest")) else None,
        answer=ModelAnswer(text=text, reasoning=trace or None) if text or trace else None,
        decisions=decisions,
        account=held,
        positions=_positions(fields, held),
        candidates=fields.symbols("candidates"),
        market=None if seen is None else tuple(snapshot.quote(name, value, aside) for name, value in seen.items()),
        actions=actions,
        error=error,
        engine=Engine(cycle=fields.whole("cycle_number"), written_at=fields.moment_text("timestamp")),
        origin=_origin(fields, record, file),
        extra=aside or None,
    )
    return Cycle(
        _trader_id(fields),
        fields.version("config_version") or None,
        _decided_at(fields),
        # An engine that does not say it has done what it could: every action, without an error.
        success if success is not None else error is None and all(action.ok for action in actions),
        detail,
    )


def _decided_at(fields: Fields) -> datetime:
    fields.required("timestamp", RULE)
    text = fields.moment_text("timestamp") or ""
    try:
        moment = parse_moment(text)
    except ValueError as error:
        raise InvalidRecord("timestamp", _("%(error)s, was %(value)s", error=error, value=shown(text))) from None
    if (found := moments.ahead("timestamp", moments.ms_of(moment), text)) is not None:
        raise InvalidRecord("timestamp", found.message)
    return moment


def _trader_id(fields: Fields) -> str:
    fields.required("trader_id", "a text")
    found = fields.text("trader_id") or ""
    if not ID_PATTERN.fullmatch(found):
        raise fields.wrong("trader_id", ID_RULE)
    return found


def _decisions(fields: Fields) -> tuple[tuple[Decision, ...], str | None]:
    """The decisions, as a JSON text or as JSON; and the text where it is none, which is then what the model said."""
    value = fields.json("decisions_json")
    if value is None:
        return (), None
    if isinstance(value, str):
        text = value.strip()
        if text in ("", "null"):  # how an engine writes a list that was never made
            return (), None
        if text[0] not in "[{":
            return (), text
        try:
            value = strict_json.loads(text, keep_no_numbers=True)
        except ValueError as error:
            raise InvalidRecord("decisions_json", message_of(error)) from None
    aside: dict[str, Any] = {}
    try:
        found = parse_items(value, None, aside=aside)
    except InvalidRecord as error:
        raise InvalidRecord(f"decisions_json{error.field}", error.reason) from None
    fields.aside |= {f"decisions_json{path}": inner for path, inner in aside.items()}
    return found, None


def _account(fields: Fields) -> Account | None:
    value = fields.mapping("account_snapshot")
    return None if value is None else snapshot.account(value, fields.aside)


def _positions(fields: Fields, account: Account | None) -> tuple[HeldPosition, ...] | None:
    """Null is how an engine writes an empty list, and how it would write one it could not ask for: the account's
    own count tells which."""
    items = fields.items("positions_snapshot")
    if items is None:
        return () if account and account.positions == 0 else None
    return tuple(snapshot.position(index, item, fields.aside) for index, item in enumerate(items))


def _origin(fields: Fields, record: Any, file: str) -> Origin:
    key = hashlib.sha256(jsonio.canonical(record).encode()).hexdigest()
    extra = fields.mapping("extra")
    return Origin(system=SYSTEM, key=key, file=file, fields={"extra": jsonio.dumps(extra)} if extra else None)
