"""Values that programs and people with bad intentions send, for every door."""

from __future__ import annotations

NESTED = 900
# No decimal digits of ASCII, though Python counts some of them as digits.
ODD_DIGITS = ("٣", "²", "１")
TEXTS = (
    *("\0", "a\0b", "\u202e", "\ufeff", "\U0010ffff", "'", '"', "\\", "%", "_3D", "../..", "$" + "{X}", "x" * 70_000),
    *("-1", "0", "1.5", "1e400", "1e-400", "1e999999999", "NaN", "Infinity", "-Infinity", "0x10", "1_000", *ODD_DIGITS),
    *("9" * 19, "9" * 40, "9" * 5000, "-" + "9" * 40),
    *("2026-99-99", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "24:00", "2026-01-01T00:00:00+99:99"),
    *(
        "[" * NESTED + "]" * NESTED,
        '{"a":' * NESTED + "1" + "}" * NESTED,
        "[" * 100_000,
        '{"a": 1, "a": 2}',
        '"\\ud800"',
    ),
    *("a: " * 50, "{a: " * NESTED, "- " * NESTED, "!!python/object:os.system x", "&a [*a]"),
)
# As they stand in an address or a form, where a text cannot hold them.
RAW = ("%FF", "%ED%A0%80", "%00", "%", "%zz", "%C0%80")
IDS = (
    *("-1", "0", "9" * 19, "9" * 40, "9" * 5000, "1.5", "1e400", "NaN", *ODD_DIGITS),
    *("x" * 5000, "'", "_00", "_ED_A0_80", "_3D", "..", "a|b|c", "\u202e", "@manager", "@", "a b"),
)
