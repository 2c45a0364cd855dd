from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.db.models.signals import post_migrate


class SiteConfig(AppConfig):
    name = "nof0site"

    def ready(self) -> None:
        from nof0site import checks  # noqa: F401  (importing registers the checks)
        from traders.repositories.roles import make_roles

        post_migrate.connect(make_roles, dispatch_uid="nof0site.roles")


class ControlAdminConfig(AdminConfig):
    """Django's admin with our site in the place of its own."""

    default_site = "nof0site.admin_site.ControlSite"
