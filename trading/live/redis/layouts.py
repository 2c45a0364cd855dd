"""The layouts that exist, and the layouts that each mode writes.

The present layout alone is the mode PRESENT. A package that brings a former layout registers its modes when the
application starts (`trading/apps.py`); nothing else here knows of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from traders.schema.messages import _
from trading.live.keys import Key
from trading.live.redis.layout import FormerLayout, Layout
from trading.live.redis.new_layout import NewLayout
from trading.live.redis.writes import StoreWrites
from trading.record.rules.errors import RecordError

# As stored in the control hash.
PRESENT = "hash"

_new = NewLayout()
_modes: dict[str, tuple[Layout, ...]] = {PRESENT: (_new,)}
_former: list[FormerLayout] = []


class UnknownMode(RecordError):
    """The mode stored in Redis is none of this version."""

    def __init__(self, mode: str) -> None:
        super().__init__(
            _(
                "The live store's mode is %(mode)s; this version knows %(modes)s.",
                mode=repr(mode),
                modes=", ".join(sorted(_modes)),
            )
        )


def register(modes: Mapping[str, tuple[Layout, ...]], former: FormerLayout) -> None:
    """Adds modes beside PRESENT: the layouts that each of them writes, in this order. A second call changes nothing."""
    _modes.update(modes)
    _former[:] = [former]


def former() -> tuple[FormerLayout, ...]:
    return tuple(_former)


def active(mode: str) -> tuple[Layout, ...]:
    """The layouts that the mode writes, in order; its reads go to the first, the last, or by shares to both.

    Raises UnknownMode.
    """
    try:
        return _modes[mode]
    except KeyError:
        raise UnknownMode(mode) from None


def keeping(mode: str, key: Key) -> tuple[Layout, ...]:
    """The active layouts that keep the key; the present layout for a key that only it keeps."""
    found = active(mode)
    return found if all(layout.keeps(key) for layout in found) else (_new,)


def parts(mode: str, writes: StoreWrites) -> Iterator[tuple[Layout, StoreWrites]]:
    """What to write to each layout, in order; values that no active one keeps go to the present layout."""
    found = active(mode)
    for layout in found:
        yield layout, writes
    rest = {
        (key, part): values
        for (key, part), values in writes.values.items()
        if not any(layout.keeps(key) for layout in found)
    }
    if rest:
        yield _new, StoreWrites(values=rest)
