"""`python -m benchmarks.live_dictionary NUMBER`: trains a dictionary for the values of the live store, from fleets with
other names, numbers and moments than those that the benchmarks measure."""

from __future__ import annotations

import os
import sys

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.settings"

import django

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Larger ones save no more.
SIZE = 4096
# Traders, trades of each, and how they are called.
FLEETS = (
    *((63, 1, "alpha-{}"), (64, 2, "fund{}.swing"), (65, 3, "scalper_{}_usdt"), (66, 4, "grid-{}-v2")),
    *((67, 7, "mean_reversion_{}"), (33, 12, "T{}"), (34, 3, "breakout-{}"), (35, 5, "llm_{}_cautious")),
)


def main() -> None:
    [number] = map(int, sys.argv[1:])
    django.setup()
    from trading.live import dictionaries

    path = dictionaries.path(number)
    if path.exists():
        raise SystemExit(f"{path} is there: a dictionary never changes.")
    path.write_bytes(_numbered(zstd.train_dict(_samples(), SIZE).dict_content, number))


def _samples() -> list[bytes]:
    from benchmarks import live_values
    from trading.live.redis import codec

    found = []
    for traders, trades, called in FLEETS:
        writes = live_values.fleet(traders, as_written=True, trades=trades, called=called)
        for values in writes.values.values():
            found += [codec.encode(value, None) for value in values.values()]
        found += [codec.encode(items[0], None) for items in writes.conversations.values()]
    return found


def _numbered(content: bytes, number: int) -> bytes:
    """With a number of one byte, since each frame repeats it. It stands after the four bytes that mark a dictionary."""
    return content[:4] + number.to_bytes(4, "little") + content[8:]


if __name__ == "__main__":
    main()
