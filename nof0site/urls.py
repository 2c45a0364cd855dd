"""URLs of the site: the admin and the engine API."""

from __future__ import annotations

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, path
from django.views.generic import RedirectView

from traders.accounts.preferences.pages import language_view
from trading.alarms.link_page import acknowledge_by_link
from trading.api.application import api

urlpatterns: list[URLPattern | URLResolver] = []
if settings.SERVE_ADMIN:
    urlpatterns += [
        path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
        path("admin/", admin.site.urls),
        path("language/", language_view, name="set_language"),
        path("alarms/<str:token>/", acknowledge_by_link, name="acknowledge_alarm"),
    ]
if settings.SERVE_ENGINE_API:
    urlpatterns += [path("api/v1/", api.urls)]

handler400 = "nof0site.errors.pages.bad_request"
handler403 = "nof0site.errors.pages.forbidden"
handler404 = "nof0site.errors.pages.not_found"
handler500 = "nof0site.errors.server_errors.server_error"
