"""The page of one change set: the changes of each configuration."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.pages import seams
from traders.pages.changes import ChangeLine, digests_in, rows
from traders.pages.config_page import ConfigPage
from traders.pages.versions import prompt_bodies
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import StoredConfig
from traders.versions.bulk.chosen import LIST
from traders.versions.changelog import services as changelog
from traders.versions.changelog.forms import MOST
from traders.versions.changelog.services import ChangedConfig
from traders.versions.rules.errors import UnknownChangeSet

PER_PAGE = 25


@dataclass(frozen=True)
class ChangeSetBlock:
    """One configuration and its changes; `created`: it is the first version, without changes."""

    page: ConfigPage
    title: str
    config: StoredConfig
    rows: list[ChangeLine]
    created: bool


def change_set_view(page: ConfigPage, change_set: int) -> HttpResponse:
    """`?config=` shows one of its configurations, `?after=` those after one."""
    only, after = (page.request.GET.get(name, "").replace("\0", "") for name in ("config", "after"))
    try:
        line = changelog.line_of(min(change_set, MOST))
        shown = changelog.opened(change_set, ids=[only] if only else None, after=after, limit=PER_PAGE + 1)
    except UnknownChangeSet:
        messages.warning(
            page.request,
            _("There is no change set %(n)d, or none with this configuration: choose one of these.")
            % {"n": change_set},
        )
        return HttpResponseRedirect(reverse("admin:traders_changelog"))
    blocks = _blocks(page, shown[:PER_PAGE])
    came_from = page.request.GET.get(LIST, "")
    return page.render(
        "change_set.html",
        _("Change set %(n)d") % {"n": change_set},
        line=line,
        may_undo=page.may_change and (page.may_change_fleet or line.config_ids != (FLEET_ID,)),
        just_before=line.changed_at - timedelta(microseconds=1),
        blocks=blocks,
        only=only,
        back_url=f"{page.list_url}?{came_from}" if came_from else "",
        after=blocks[-1].config.config_id if len(shown) > PER_PAGE else "",
        beginning=bool(after),
        folded=len(blocks) > 10,
        links=[link for links in seams.change_set_links for link in links(page.request, change_set)],
    )


def _blocks(page: ConfigPage, shown: list[ChangedConfig]) -> list[ChangeSetBlock]:
    texts = prompt_bodies({digest for changed in shown for digest in digests_in(changed.changes)})
    blocks = []
    for changed in shown:
        config_id = changed.after.config_id
        at = ConfigPage(page.admin, page.request, config_id)
        title = _("Fleet settings") if config_id == FLEET_ID else config_id
        found = rows(config_id, changed.changes, texts=texts)
        blocks.append(ChangeSetBlock(at, title, changed.after, found, created=changed.before is None))
    return blocks
