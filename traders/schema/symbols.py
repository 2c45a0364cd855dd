"""Symbols: the names that exchanges give to the instruments that they trade.

Case-sensitive and kept as it came: `kPEPE`, `BTC/USDT:USDT`, `1000PEPE`, names in Chinese letters. The same pattern
stands in the CHECK constraints of the database.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from traders.schema.messages import _

LONGEST_SYMBOL = 64
# White space, control characters, what is not drawn (Unicode's Default_Ignorable_Code_Point and invisible formats),
# signs without ink (Braille, hieroglyphs, Khitan, music), and `|`, which separates the parts of an id.
_NOT_ALLOWED = (
    r"|\u0001-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f"
    r"\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U00013430-\U00013442"
    r"\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
# Python and PostgreSQL read this expression alike.
SYMBOL_FORM = rf"^[^{_NOT_ALLOWED}]{{1,{LONGEST_SYMBOL}}}$"
# PostgreSQL's text cannot hold it.
_PATTERN = re.compile(rf"[^{_NOT_ALLOWED}\u0000\ud800-\udfff]{{1,{LONGEST_SYMBOL}}}")
SYMBOL_RULE = _(
    "1 to %(most)s characters as the exchange writes them, without white space, control characters or '|'",
    most=LONGEST_SYMBOL,
)


def is_symbol(text: str) -> bool:
    return _PATTERN.fullmatch(text) is not None


def folded(symbol: str) -> str:
    """The key for comparing names of one provider: an exchange has no two names that differ only in case."""
    return symbol.lower()


def _symbol(text: str) -> str:
    if not is_symbol(text):
        raise ValueError(_("must be %(right)s", right=SYMBOL_RULE))
    return text


Symbol = Annotated[str, AfterValidator(_symbol)]

_QUOTES = "USDT|USDC|BUSD|FDUSD|USD|EUR|PERP|SWAP"
_PAIR = re.compile(rf"(.+?)(?:/.*|[-_](?:{_QUOTES}|\d).*)")
_JOINED = re.compile(r"(.+?)(?:USDT|USDC|BUSD|FDUSD|USD)")
_LISTED_BY = re.compile(r"[^:]+:(.+)")
_MULTIPLE = re.compile(r"(?:10{3,}|1M|k)(?=[A-Z])(.+)")


def base_asset(symbol: str) -> str:
    """The base asset, in capitals: BTC of `BTC`, `BTC/USDT:USDT`, `BTC-PERP` and `BTCUSDT`, PEPE of `kPEPE` and
    `1000PEPE`, SP500 of `xyz:SP500`."""
    name = symbol
    for form in (_PAIR, _LISTED_BY, _JOINED, _MULTIPLE):
        if found := form.fullmatch(name):
            name = found[1]
    return name.upper()
