"""Why a record is refused.

RecordError
├── UnknownTrader       no such trader
├── RetiredTrader       the trader was retired before
├── AlreadyOpen         another position of the trader in this symbol is open
├── NoOpenPosition      there is none to change or to close
├── InvalidRecord       a field of a record is wrong; says which one and what would be right
├── CannotBeRead        a stored row does not fit this release's declaration; says where and why
├── StrictImport        one record was refused, and the whole import with it, as was asked
├── RecordConflict      the id or key is taken by a record with other content
├── UnknownRecord       there is no such row to set aside
├── SetAside            what was asked for was set aside by an operator
├── RecordBusy          an import is writing; try again when it is done
└── ConcurrentRecord    another program recorded the same at the same moment; try again
"""

from __future__ import annotations

from collections.abc import Sequence

from traders.schema.messages import TranslatableText, _
from traders.versions.rules.errors import ConfigError
from trading.schema.unreadable import Unreadable

MOST_NAMES = 20


class RecordError(ConfigError):
    """Commands show it as they show what configurations refuse."""


class UnknownTrader(RecordError):
    def __init__(self, trader_id: str) -> None:
        super().__init__(_("there is no trader %(trader_id)s", trader_id=repr(trader_id)))


class RetiredTrader(RecordError):
    def __init__(self, trader_id: str) -> None:
        super().__init__(_("the trader %(trader_id)s was retired before this", trader_id=repr(trader_id)))


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

    def __init__(self, what: str, record_id: str, unreadable: str = "") -> None:
        self.record_id = record_id
        how = _("and cannot be read (%(why)s)", why=unreadable) if unreadable else _("with other content")
        super().__init__(
            _(
                "the %(what)s %(record_id)s is recorded already %(how)s; nothing was changed",
                what=what,
                record_id=record_id,
                how=how,
            )
        )


class UnknownRecord(RecordError):
    def __init__(self, names: Sequence[str]) -> None:
        shown = ", ".join(names[:MOST_NAMES])
        more = len(names) - MOST_NAMES
        super().__init__(
            _(
                "there is no %(names)s%(more)s in the record",
                names=shown,
                more=_(" and %(count)s more", count=f"{more:,}") if more > 0 else "",
            )
        )


class SetAside(RecordError):
    """`said` is who set it aside, when and why."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(_("%(what)s was set aside %(said)s; nothing was changed", what=what, said=said))


class RecordBusy(RecordError):
    def __init__(self) -> None:
        super().__init__(_("an import is writing to the record; nothing was changed, try again when it is done"))


class ConcurrentRecord(RecordError):
    pass
