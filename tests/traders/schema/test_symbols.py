"""A symbol is the exchange's own name, whatever its letters."""

from __future__ import annotations

import pytest
from django.db import connection
from pydantic import TypeAdapter, ValidationError

from traders.schema.symbols import SYMBOL_FORM, Symbol, base_asset

GOOD = (
    *(
        "BTC",
        "kPEPE",
        "1000PEPE",
        "BTC/USDT:USDT",
        "BTC-PERP",
        "BTC-27DEC24-100000-C",
        "xyz:SP500",
        "@107",
        "PURR/USDC",
    ),
    *("币安人生USDT", "BTC_USDT", "btcusdt", "$WIF", "x" * 64, "ETH.P", "é"),
)
BAD = ("", "x" * 65, "A B", " A", "A\t", "A\n", "A\u00a0B", "A\u3000", "A|B", "A\x7f", "A\u200b", "\u202eA", "\ufeffA")


@pytest.mark.parametrize("name", GOOD)
def test_names_of_exchanges_are_symbols(name: str) -> None:
    assert TypeAdapter(Symbol).validate_python(name) == name


@pytest.mark.parametrize("name", [*BAD, "A\0", "A\ud800"])
def test_other_texts_are_none(name: str) -> None:
    with pytest.raises(ValidationError, match="must be 1 to 64 characters"):
        TypeAdapter(Symbol).validate_python(name)


@pytest.mark.django_db
@pytest.mark.parametrize(("names", "is_symbol"), [(GOOD, True), (BAD, False)])
def test_the_database_understands_the_rule_alike(names: tuple[str, ...], is_symbol: bool) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM unnest(%s::text[]) AS name WHERE name ~ %s", [list(names), SYMBOL_FORM])
        found = {name for (name,) in cursor.fetchall()}
    assert found == (set(names) if is_symbol else set())


@pytest.mark.parametrize(
    ("name", "asset"),
    [
        *(("BTC", "BTC"), ("BTC/USDT:USDT", "BTC"), ("BTC-PERP", "BTC"), ("BTCUSDT", "BTC"), ("BTC_USDT", "BTC")),
        *(("kPEPE", "PEPE"), ("1000PEPE", "PEPE"), ("1000PEPEUSDT", "PEPE"), ("PEPE", "PEPE"), ("1INCH", "1INCH")),
        *(
            ("币安人生USDT", "币安人生"),
            ("xyz:SP500", "SP500"),
            ("BTC-27DEC24", "BTC"),
            ("USDT", "USDT"),
            ("@107", "@107"),
        ),
    ],
)
def test_names_of_one_underlying_are_grouped(name: str, asset: str) -> None:
    assert base_asset(name) == asset
