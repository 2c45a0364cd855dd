"""Why a record is refused.

RecordError
├── UnknownTrader       no such trader
├── AlreadyOpen         another position of the trader in this symbol is open
├── NoOpenPosition      there is none to change or to close
├── InvalidRecord       a field of a record is wrong; says which one and what would be right
├── CannotBeRead        a stored row does not fit this release's declaration; says where and why
├── StrictImport        one record was refused, and the whole import with it, as was asked
├── RecordConflict      the id or key is taken by a record with other content
├── UnknownRecord       there is no such row to set aside
├── SetAside            what was asked for was set aside by an operator
├── CountedInPlace      a correction counts in place of the row
├── RecordBusy          an import is writing; try again when it is done
└── ConcurrentRecord    another program recorded the same at the same moment; try again
"""

from __future__ import annotations

from collections.abc import Sequence

from traders.schema.messages import TranslatableText, _, joined
from traders.versions.rules.errors import ConfigError
from trading.schema.exclusion import RECORD_WORDS, RecordKey
from trading.schema.unreadable import Unreadable

MOST_NAMES = 20


class RecordError(ConfigError):
    """Commands show it as they show what configurations refuse."""


class UnknownTrader(RecordError):
    def __init__(self, trader_id: str) -> None:
        super().__init__(_("there is no trader %(trader_id)s", trader_id=repr(trader_id)))


class AlreadyOpen(RecordError):
    """`held` and `asked` are the sides, where they are known."""

    def __init__(self, trader_id: str, symbol: str, held: str = "", asked: str = "") -> None:
        message = _("%(trader_id)s holds an open position in %(symbol)s already", trader_id=trader_id, symbol=symbol)
        if held and asked and held != asked:
            message = _(
                "%(message)s: it is %(held)s. Long and short at once (hedge mode) is not recorded: close it first",
                message=message,
                held=held,
            )
        super().__init__(message)


class NoOpenPosition(RecordError):
    def __init__(self, trader_id: str, symbol: str) -> None:
        super().__init__(_("%(trader_id)s holds no open position in %(symbol)s", trader_id=trader_id, symbol=symbol))


class NoDecision(RecordError):
    def __init__(self, trader_id: str, decision_id: int) -> None:
        super().__init__(
            _("%(trader_id)s has no decision %(decision_id)s", trader_id=trader_id, decision_id=decision_id)
        )


class InvalidRecord(RecordError):
    """`field` is dotted and may be empty; `message` completes '<field> ...'."""

    def __init__(self, field: str, reason: TranslatableText) -> None:
        self.field, self.reason = field, reason
        super().__init__(_("%(field)s %(reason)s", field=field, reason=reason) if field else reason)


class CannotBeRead(RecordError):
    def __init__(self, row: Unreadable) -> None:
        self.row = row
        super().__init__(
            _(
                "%(table)s %(id)s cannot be read: %(path)s %(reason)s",
                table=row.table,
                id=row.id,
                path=row.path,
                reason=row.reason,
            )
        )


class StrictImport(RecordError):
    def __init__(self, first: str) -> None:
        super().__init__(_("%(first)s\nNothing was written: --strict takes all or nothing.", first=first))


class RecordConflict(RecordError):
    """`unreadable` says why the one that is recorded cannot be read, if it cannot."""

    def __init__(self, what: TranslatableText, record_id: str, unreadable: str = "") -> None:
        self.record_id = record_id
        super().__init__(
            _(
                "the %(what)s %(record_id)s is recorded already and cannot be read (%(why)s); nothing was changed",
                what=what,
                record_id=record_id,
                why=unreadable,
            )
            if unreadable
            else _(
                "the %(what)s %(record_id)s is recorded already with other content; nothing was changed",
                what=what,
                record_id=record_id,
            )
        )


class InitialTransferConflict(RecordConflict):
    def __init__(self, trader_id: str) -> None:
        self.record_id = trader_id
        RecordError.__init__(
            self,
            _(
                "the initial transfer of %(trader_id)s is recorded already with other content; nothing was changed",
                trader_id=trader_id,
            ),
        )


class UnknownRecord(RecordError):
    def __init__(self, keys: Sequence[RecordKey]) -> None:
        names = joined(
            ", ", [_("%(kind)s %(id)s", kind=RECORD_WORDS[key.kind], id=key.id) for key in keys[:MOST_NAMES]]
        )
        more = len(keys) - MOST_NAMES
        super().__init__(
            _("there is no %(names)s and %(count)s more in the record", names=names, count=f"{more:,}")
            if more > 0
            else _("there is no %(names)s in the record", names=names)
        )


class SetAside(RecordError):
    """`said` is who set it aside, when and why."""

    def __init__(self, position_id: str, said: str) -> None:
        super().__init__(
            _("the position %(id)s was set aside %(said)s; nothing was changed", id=position_id, said=said)
        )


class OpenPositionSetAside(SetAside):
    def __init__(self, trader_id: str, symbol: str, said: str) -> None:
        RecordError.__init__(
            self,
            _(
                "the open position of %(trader_id)s in %(symbol)s was set aside %(said)s; nothing was changed",
                trader_id=trader_id,
                symbol=symbol,
                said=said,
            ),
        )


class CountedInPlace(RecordError):
    def __init__(self, record_id: str, counted: str) -> None:
        super().__init__(
            _("%(counted)s counts in place of %(id)s; set that one aside first", counted=counted, id=record_id)
        )


class RecordBusy(RecordError):
    def __init__(self) -> None:
        super().__init__(_("an import is writing to the record; nothing was changed, try again when it is done"))


class ConcurrentRecord(RecordError):
    pass
