"""A symbol is the exchange's own name, whatever its letters."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from django.db import connection
from pydantic import TypeAdapter, ValidationError

from traders.schema.symbols import SYMBOL_FORM, Symbol, base_asset, is_symbol

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
# Unicode 16, Default_Ignorable_Code_Point.
IGNORABLE = (
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x2010)),
    *(*range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0),
    *(*range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)),
)
# Without ink: the empty Braille pattern, blanks of hieroglyphs, a filler of Khitan, a note without head.
WITHOUT_INK = (0x2800, 0x13441, 0x13442, 0x16FE4, 0x1D159)
# Signs of Arabic, Syriac and Kaithi numbers have the category of formats, and ink.
FORMATS_WITH_INK = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}
INVISIBLE = sorted(
    {
        *(IGNORABLE + WITHOUT_INK),
        *(
            code
            for code in range(1, sys.maxunicode + 1)
            if unicodedata.category(chr(code)) in {"Cc", "Cf", "Zs", "Zl", "Zp"} and code not in FORMATS_WITH_INK
        ),
    }
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


def test_no_character_that_looks_blank_is_in_a_symbol() -> None:
    assert [f"U+{code:04X}" for code in INVISIBLE if is_symbol(f"A{chr(code)}B")] == []


@pytest.mark.django_db
def test_the_database_knows_the_characters_that_look_blank() -> None:
    names = [f"A{chr(code)}" for code in INVISIBLE]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM unnest(%s::text[]) AS name WHERE name ~ %s", [names, SYMBOL_FORM])
        assert [ascii(name) for (name,) in cursor.fetchall()] == []


@pytest.mark.django_db
def test_letters_of_every_script_are_in_symbols_for_both() -> None:
    names = [chr(code) for code in range(0x21, 0x20000) if unicodedata.category(chr(code)) in {"Lu", "Ll", "Lo", "Nd"}]
    names = [name for name in names if ord(name) not in INVISIBLE]
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM unnest(%s::text[]) AS name WHERE name !~ %s", [names, SYMBOL_FORM])
        assert [ascii(name) for (name,) in cursor.fetchall()] == []
    assert [ascii(name) for name in names if not is_symbol(name)] == []


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
