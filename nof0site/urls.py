"""URLs of the site: the admin is the application."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path
from django.views.generic import RedirectView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", admin.site.urls),
]

handler400 = "nof0site.errors.bad_request"
handler403 = "nof0site.errors.forbidden"
handler404 = "nof0site.errors.not_found"
handler500 = "nof0site.broken.server_error"
