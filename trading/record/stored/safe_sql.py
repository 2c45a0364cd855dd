"""SQL that reads a leaf of a stored `detail` without ever failing: what is of another type, or beyond bounds, is NULL.

A plain cast ends the whole statement because of one row. Each function takes SQL and gives SQL.
"""

from __future__ import annotations

from traders.schema.moments import EARLIEST_MS, LATEST_MS
from trading.schema.leaf import LARGEST
from trading.schema.unreadable import EARLIEST, LATEST

_LARGEST_INT = 2**31 - 1
FIRST_MOMENT, LAST_MOMENT = (f"'{moment.isoformat()}'::timestamptz" for moment in (EARLIEST, LATEST))


def number(detail: str, path: str) -> str:
    """numeric, at most `leaf.LARGEST` either way. `path` is dotted below `detail`."""
    return _leaf(detail, path, f"@ >= -{LARGEST} && @ <= {LARGEST}", "numeric")


def whole(detail: str, path: str) -> str:
    """bigint."""
    return _leaf(detail, path, f"@ >= -{LARGEST} && @ <= {LARGEST} && @ == @.floor()", "bigint")


def version(detail: str, path: str) -> str:
    """integer from 1 on."""
    return _leaf(detail, path, f"@ >= 1 && @ <= {_LARGEST_INT} && @ == @.floor()", "integer")


def moment_ms(detail: str, path: str) -> str:
    """bigint: milliseconds since 1970, of a year from 2010 to 2099."""
    return _leaf(detail, path, f"@ >= {EARLIEST_MS} && @ <= {LATEST_MS} && @ == @.floor()", "bigint")


def is_funding_unknown(detail: str) -> str:
    """Whether the P&L of a trade is without funding that was due; NULL without the leaf. As its index has it."""
    return f"(({detail} #> '{{pnl,is_funding_unknown}}') = 'true'::jsonb)"


def has_own_capital(detail: str) -> str:
    """Whether this is the configuration of a paper variant: its capital is none of the fleet's."""
    return f"(coalesce({number(detail, 'paper_capital_usd')}, 0) > 0)"


def items(detail: str, name: str) -> str:
    """The list `detail.name` as jsonb, empty where there is none."""
    return f"CASE WHEN jsonb_typeof({detail} -> '{name}') = 'array' THEN {detail} -> '{name}' ELSE '[]'::jsonb END"


def is_bounded(column: str) -> str:
    """Whether a numeric column holds a number that can be worked with: not NULL, NaN, Infinity or beyond measure."""
    return f"(abs({column}) <= {LARGEST}) IS TRUE"


def bounded(column: str) -> str:
    return f"CASE WHEN {is_bounded(column)} THEN {column} END"


def is_moment_ms(column: str) -> str:
    return f"({column} BETWEEN {EARLIEST_MS} AND {LATEST_MS})"


def is_moment(column: str) -> str:
    """Whether Python can hold the timestamp."""
    return f"({column} BETWEEN {FIRST_MOMENT} AND {LAST_MOMENT})"


def epoch_ms(column: str) -> str:
    """A timestamp as bigint milliseconds since 1970; NULL for one that Python cannot hold."""
    return f"CASE WHEN {is_moment(column)} THEN floor(extract(epoch FROM {column}) * 1000)::bigint END"


EQUITY_IS_READABLE = f"{is_bounded('equity_usd')} AND {is_moment_ms('ts_ms')}"
# Neither set aside nor suspect: `EQUITY_COUNTED` of `trading.columns` says the same to the ORM.
EQUITY_IS_GOOD = "exclusion_id IS NULL AND NOT is_suspect"
EQUITY_COUNTS = f"{EQUITY_IS_GOOD} AND {EQUITY_IS_READABLE}"


def _leaf(detail: str, path: str, test: str, kind: str) -> str:
    """Strict, for lax mode looks into lists by itself; silent, for a missing key is no error."""
    found = f'strict $.{path} ? (@.type() == "number" && {test})'
    return f"jsonb_path_query_first({detail}, '{found}', '{{}}', true)::{kind}"
