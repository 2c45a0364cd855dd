from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TradingConfig(AppConfig):
    """The layer above `traders`: records what traders did, and shows configs together with their results."""

    name = "trading"
    verbose_name = _("Trading")

    def ready(self) -> None:
        from traders.controls import facts
        from traders.runtime import spelling
        from trading.differences import queries as differences
        from trading.guards import services as guards
        from trading.live.migration import modes
        from trading.record import followers
        from trading.record.stored import held, symbols

        modes.register()
        spelling.register(symbols.spelled)
        facts.register(held.open_positions, held.equity_moments, held.holding, differences.unsettled_counts)
        followers.register(guards.after)
