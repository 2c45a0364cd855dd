"""What a page says after a save: links to the change and its undo, and that a pinned trader does not run it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _

from traders.controls import queries
from traders.schema.paths import Change
from traders.schema.settings.stored import SavedVersion

NAMED = 10


def pinned_words(config_ids: Collection[str]) -> str:
    """`Pinned to v5: will not run (a). Pinned to v1: will not run (b).`; empty where none of them is pinned."""
    pins = sorted(queries.pinned_versions(config_ids).items()) if config_ids else []
    said = [_("Pinned to v%(n)d: will not run (%(id)s).") % {"n": n, "id": name} for name, n in pins[:NAMED]]
    return " ".join([*said, *(["…"] if len(pins) > NAMED else [])])


def waits_for_unpin(changes: Iterable[Change]) -> bool:
    """Whether a pin keeps some of these from running: a retirement holds whatever is pinned."""
    return any(change.path != "detail.retired" for change in changes)


def say_saved(
    request: HttpRequest,
    said: str,
    saved: Sequence[SavedVersion],
    *,
    warns_of_pins: bool = True,
    is_shown: bool = False,
) -> None:
    """On the next page. `saved` has at least one version; all are of one change set.

    `is_shown`: the next page is that of the change set. Undo leads to its preview, for those who may.
    """
    one = [saved[0].change_set]
    links = [] if is_shown else [(reverse("admin:traders_changeset", args=one), _("Show the change"))]
    if request.user.has_perm("traders.change_traderconfig"):
        links.append((reverse("admin:traders_undo", args=one), _("Undo")))
    shown = format_html_join("", ' <a href="{}">{}</a>', links)
    messages.success(request, format_html('<span class="said">{}{}</span>', said, shown))
    if warns_of_pins and (pinned := pinned_words([version.config_id for version in saved])):
        messages.warning(request, pinned)
