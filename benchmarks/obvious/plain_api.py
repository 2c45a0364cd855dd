"""The obvious read API: a Django view that queries and serializes at every request. Served by the benchmarks only."""

from __future__ import annotations

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "benchmarks.settings")

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path

ROWS = 230


def trades(request: HttpRequest) -> JsonResponse:
    from trading.export.documents.trades import trade_object
    from trading.models import Trade
    from trading.record.stored import rows

    found = [trade_object(rows.trade(row)) for row in Trade.objects.order_by("-close_ts_ms", "id")[:ROWS]]
    return JsonResponse({"trades": found})


urlpatterns = [path("api/trades", trades)]
settings.ROOT_URLCONF = __name__
application = get_wsgi_application()
