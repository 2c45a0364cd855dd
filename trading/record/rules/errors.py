"""Why a record is refused.

RecordError
├── UnknownTrader       no such trader
├── RetiredTrader       the trader was retired before
├── AlreadyOpen         another position of the trader in this symbol is open
├── NoOpenPosition      there is none to change or to close
├── InvalidRecord       what was read is no such record; says which field and what would be right
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

from traders.versions.rules.errors import ConfigError
from trading.schema.unreadable import Unreadable

MOST_NAMES = 20


class RecordError(ConfigError):
    """Commands show it as they show what configurations refuse."""


class UnknownTrader(RecordError):
    def __init__(self, trader_id: str) -> None:
        super().__init__(f"there is no trader {trader_id!r}")


class RetiredTrader(RecordError):
    def __init__(self, trader_id: str) -> None:
        super().__init__(f"the trader {trader_id!r} was retired before this")


class AlreadyOpen(RecordError):
    def __init__(self, trader_id: str, symbol: str) -> None:
        super().__init__(f"{trader_id} holds an open position in {symbol} already")


class NoOpenPosition(RecordError):
    def __init__(self, trader_id: str, symbol: str) -> None:
        super().__init__(f"{trader_id} holds no open position in {symbol}")


class InvalidRecord(RecordError):
    """`field` is dotted and may be empty; `message` completes '<field> ...'."""

    def __init__(self, field: str, message: str) -> None:
        self.field, self.message = field, message
        super().__init__(f"{field} {message}".lstrip())


class CannotBeRead(RecordError):
    def __init__(self, row: Unreadable) -> None:
        self.row = row
        super().__init__(f"{row.table} {row.id} cannot be read: {row.path} {row.reason}")


class StrictImport(RecordError):
    def __init__(self, first: str) -> None:
        super().__init__(f"{first}\nNothing was written: --strict takes all or nothing.")


class RecordConflict(RecordError):
    """`unreadable` says why the one that is recorded cannot be read, if it cannot."""

    def __init__(self, what: str, record_id: str, unreadable: str = "") -> None:
        self.record_id = record_id
        how = f"and cannot be read ({unreadable})" if unreadable else "with other content"
        super().__init__(f"the {what} {record_id} is recorded already {how}; nothing was changed")


class UnknownRecord(RecordError):
    def __init__(self, names: Sequence[str]) -> None:
        shown = ", ".join(names[:MOST_NAMES])
        more = len(names) - MOST_NAMES
        super().__init__(f"there is no {shown}{f' and {more:,} more' if more > 0 else ''} in the record")


class SetAside(RecordError):
    """`said` is who set it aside, when and why."""

    def __init__(self, what: str, said: str) -> None:
        super().__init__(f"{what} was set aside {said}; nothing was changed")


class RecordBusy(RecordError):
    def __init__(self) -> None:
        super().__init__("an import is writing to the record; nothing was changed, try again when it is done")


class ConcurrentRecord(RecordError):
    pass
