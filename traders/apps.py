from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TradersConfig(AppConfig):
    name = "traders"
    verbose_name = _("Traders")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings

        from traders import versioned
        from traders.accounts.usernames import watch_usernames
        from traders.schema import moments
        from traders.versions.edit import saver

        moments.allow(settings.CLOCK_AHEAD_SECONDS)
        versioned.connect(saver)
        watch_usernames()
