"""The page that explains the engine API: Swagger's, with what a phone needs and a way back to the site."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from ninja import NinjaAPI, Swagger


class DocsPage(Swagger):
    def render_page(self, request: HttpRequest, api: NinjaAPI, **kwargs: Any) -> HttpResponse:
        settings = {**self.settings, "url": self.get_openapi_url(api, kwargs)}
        # `<` would end the script element that holds the settings.
        context = {"swagger_settings": json.dumps(settings).replace("<", "\\u003c"), "api": api, "home": "/"}
        return render(request, "trading/api_docs.html", context)
