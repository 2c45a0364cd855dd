from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TradersConfig(AppConfig):
    name = "traders"
    verbose_name = _("Traders")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.conf import settings
        from django.db.models.signals import post_migrate

        from traders import versioned
        from traders.accounts.usernames import watch_usernames
        from traders.controls import retiring
        from traders.schema import moments
        from traders.versions import lock
        from traders.versions.changelog.writer import after_migrate
        from traders.versions.edit import saver

        moments.allow(settings.CLOCK_AHEAD_SECONDS)
        versioned.connect(saver)
        lock.on_retirement(retiring.drain)
        watch_usernames()
        post_migrate.connect(after_migrate, sender=self)
