"""The page that compares two traders as they are now."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _

from traders.models import TraderConfig
from traders.pages import seams
from traders.pages.changes import digests_in, rows
from traders.pages.config_page import ConfigPage
from traders.pages.versions import prompt_bodies
from traders.schema.paths import diff
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import StoredConfig
from traders.versions import services as configs
from traders.versions.bulk.chosen import TRADER
from traders.versions.history.admin import same_rows

OFFERED = 500
"""The most ids offered while typing; other ids can be typed as well."""


def compare_traders_view(page: ConfigPage) -> HttpResponse:
    """`?trader=a&trader=b`; with one or none the page asks for the rest."""
    asked = [name.replace("\0", "").strip() for name in page.request.GET.getlist(TRADER)]
    asked = [*dict.fromkeys(name for name in asked if name)][:2]
    found = {name: config for name in asked if name != FLEET_ID and (config := configs.stored(name))}
    return page.render(
        "compare_traders.html",
        _("Compare two traders"),
        names=[*asked, "", ""][:2],
        unknown=[name for name in asked if name not in found],
        offered=TraderConfig.objects.order_by("pk").values_list("pk", flat=True)[:OFFERED],
        all="all" in page.request.GET,
        **(_sides(page, *found.values()) if len(found) == 2 else {}),
    )


def _sides(page: ConfigPage, left: StoredConfig, right: StoredConfig) -> dict[str, Any]:
    changes = diff(left.flat, right.flat)
    kept = same_rows(left, right)
    return {
        "sides": [(ConfigPage(page.admin, page.request, side.config_id), side) for side in (left, right)],
        "results": [
            row for rows_of in seams.beside_traders for row in rows_of(page.request, [left.config_id, right.config_id])
        ],
        "left_label": left.config_id,
        "right_label": right.config_id,
        "rows": rows(left.config_id, changes, texts=prompt_bodies(digests_in(changes))),
        "same_rows": kept if "all" in page.request.GET else None,
        "same_count": len(kept),
    }
