"""The dictionaries with which values are compressed: what most values share, so that no small one has to repeat it.

A frame names its dictionary. A dictionary never changes, since stored values need it: a better one gets the next
number, and the former ones stay readable.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

# Made by `python -m benchmarks.live_dictionary`.
NEWEST = 1
_DIRECTORY = Path(__file__).resolve().parent


@cache
def dictionary(number: int) -> zstd.ZstdDict:
    """Raises ValueError for the number of a later release, or of another program."""
    if not 0 < number <= NEWEST:
        raise ValueError(f"compressed with dictionary {number}, which this release does not have")
    return zstd.ZstdDict(path(number).read_bytes())


def path(number: int) -> Path:
    return _DIRECTORY / f"values-{number}.zdict"
