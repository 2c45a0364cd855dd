from __future__ import annotations

from collections.abc import Sequence

from traders.versions.rules.errors import ConfigError

_NAMED = 3


class TradersExist(ConfigError):
    """A sample fleet is not mixed into traders of the same names."""

    def __init__(self, ids: Sequence[str]) -> None:
        more = f" and {len(ids) - _NAMED:,} more" if len(ids) > _NAMED else ""
        super().__init__(
            f"the database holds {', '.join(ids[:_NAMED])}{more} already, and nothing was made; "
            "`make demo-fresh` deletes the demo and begins again"
        )
