from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TradingConfig(AppConfig):
    """The layer above `traders`: records what traders did, and shows configs together with their results."""

    name = "trading"
    verbose_name = _("Trading")

    def ready(self) -> None:
        from traders.runtime import spelling
        from trading.live.migration import modes
        from trading.record.stored import symbols

        modes.register()
        spelling.register(symbols.spelled)
