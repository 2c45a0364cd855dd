from __future__ import annotations

from collections.abc import Sequence

from traders.schema.messages import _
from traders.versions.rules.errors import ConfigError

_NAMED = 3


class TradersExist(ConfigError):
    """A sample fleet is not mixed into traders of the same names."""

    def __init__(self, ids: Sequence[str]) -> None:
        more = _(" and %(count)s more", count=f"{len(ids) - _NAMED:,}") if len(ids) > _NAMED else ""
        super().__init__(
            _(
                "the database holds %(names)s%(more)s already, and nothing was made; `make "
                "demo-fresh` deletes the demo and begins again",
                names=", ".join(ids[:_NAMED]),
                more=more,
            )
        )
