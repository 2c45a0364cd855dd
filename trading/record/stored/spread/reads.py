"""Statements of several traders that look at each of them: for its last rows, or at moments of its own.

Plain PostgreSQL answers them in one statement, with a look at an index for each trader. Citus refuses that for several
traders, and sends a statement of one trader to the server that has its rows: there it is one statement a trader.

Such a statement has the traders in `unnest(%(traders)s::text[], ...)`, and says `= wanted.id`, or `= x.trader_id` with
any one letter, wherever it looks at a table of the record.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from traders.database import sql
from trading.record.stored.spread.form import was_spread

Record = TypeVar("Record")
Parameters = Mapping[str, Any]
_OF_TRADER = re.compile(r"= (?:wanted\.id|[a-z]\.trader_id)\b")


class Those(str):
    """The traders as a statement of their ids, with the parameters of the same call: one statement with it, where the
    record is not spread."""


FLEET = Those("SELECT id FROM trader_config ORDER BY id")
_UNNESTED = "unnest(%(traders)s::text[])"


def rows(statement: str, parameters: Parameters, *, beside: Sequence[str] = ()) -> list[Any]:
    """As `sql.rows`. `parameters["traders"]` are the traders, or `Those`; `beside` are lists that have an item for each
    of them. In the order of the statement; where the record is spread, of one trader after the other in order of id."""
    return [row for text, given in _statements(statement, parameters, beside) for row in sql.rows(text, given)]


def rows_as(kind: type[Record], statement: str, parameters: Parameters, *, beside: Sequence[str] = ()) -> list[Record]:
    """As `sql.rows_as`, otherwise as `rows`."""
    found = _statements(statement, parameters, beside)
    return [row for text, given in found for row in sql.rows_as(kind, text, given)]


def execute(statement: str, parameters: Parameters) -> int:
    """As `sql.execute`, otherwise as `rows`."""
    return sum(sql.execute(text, given) for text, given in _statements(statement, parameters, ()))


def _statements(statement: str, parameters: Parameters, beside: Sequence[str]) -> Iterator[tuple[str, Parameters]]:
    those = parameters["traders"]
    if not was_spread():
        yield (statement.replace(_UNNESTED, f"({those})") if isinstance(those, Those) else statement), parameters
        return
    if isinstance(those, Those):
        parameters = {**parameters, "traders": sql.values(those, parameters)}
    # The servers are chosen by what a condition says in plain words, not by what a join comes to.
    one = _OF_TRADER.sub("= %(trader)s::text", statement)
    for trader, lists in _by_trader(parameters, beside).items():
        yield one, {**parameters, **lists, "trader": trader}


def _by_trader(parameters: Parameters, beside: Sequence[str]) -> dict[str, dict[str, list[Any]]]:
    names = ("traders", *beside)
    traders: Collection[str] = parameters["traders"]
    found: dict[str, dict[str, list[Any]]] = {trader: {name: [] for name in names} for trader in sorted(set(traders))}
    for items in zip(*(parameters[name] for name in names), strict=True):
        for name, item in zip(names, items, strict=True):
            found[items[0]][name].append(item)
    return found
