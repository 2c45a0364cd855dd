from __future__ import annotations

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate, pre_migrate


class SiteConfig(AppConfig):
    name = "nof0site"

    def ready(self) -> None:
        from nof0site import checks  # noqa: F401  (importing registers the checks)
        from nof0site.guards.backward import refuse_to_drop_rows
        from nof0site.postgresql.role_limits import keep_role_limits
        from traders.accounts.writer import make_roles

        # Runs once for each migrate: this app has no models, so it gets no signal of its own.
        traders = apps.get_app_config("traders")
        pre_migrate.connect(refuse_to_drop_rows, sender=traders, dispatch_uid="nof0site.rows")
        post_migrate.connect(keep_role_limits, sender=traders, dispatch_uid="nof0site.role_limits")
        post_migrate.connect(make_roles, dispatch_uid="nof0site.roles")


class ControlAdminConfig(AdminConfig):
    """Django's admin, with our admin site."""

    default_site = "nof0site.admin_site.ControlSite"
