"""What the pages of one configuration share: whose it is, what may be done, where its pages are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from traders.models import TraderConfig
from traders.pages import seams
from traders.runtime.presentation import Runtime, runtime_of
from traders.runtime.states import state_of_trader
from traders.schema.actors import AccountActor
from traders.schema.settings.declare import Setting
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import StoredConfig
from traders.schema.settings.trader import TraderSpec
from traders.versions.rules.proposal import settings_of

FLEET_OBJECT_ID = "1"
"""The fleet's settings in an address: the key of their only row."""


def may_change_fleet(request: HttpRequest) -> bool:
    return request.user.has_perm("traders.change_managerconfig")


@dataclass(frozen=True)
class Desk:
    """One configuration's place in the admin. `config_id` is empty for a trader that is about to be added."""

    admin: ModelAdmin[Any]
    request: HttpRequest
    config_id: str

    @property
    def settings(self) -> Mapping[str, Setting]:
        return settings_of(self.config_id)

    @property
    def is_fleet(self) -> bool:
        return self.config_id == FLEET_ID

    @property
    def may_change(self) -> bool:
        return self.admin.has_change_permission(self.request)

    @property
    def may_change_fleet(self) -> bool:
        """The fleet's own settings are for fewer people than its traders."""
        return may_change_fleet(self.request)

    @property
    def may_add(self) -> bool:
        return self.admin.has_add_permission(self.request)

    @property
    def actor(self) -> str:
        """The account that uses the page. Pages are only for accounts, so it has an id."""
        return AccountActor(self.request.user.get_username(), int(str(self.request.user.pk)))

    @property
    def list_url(self) -> str:
        return reverse("admin:index" if self.is_fleet else "admin:traders_traderconfig_changelist")

    @property
    def change_url(self) -> str:
        return self._url("change")

    @property
    def history_url(self) -> str:
        return self._url("history")

    @property
    def compare_url(self) -> str:
        return self._url("compare")

    @property
    def object_id(self) -> str:
        """What stands in the addresses."""
        return FLEET_OBJECT_ID if self.is_fleet else self.config_id

    @property
    def version_name(self) -> str:
        return self._route("version")

    @property
    def restore_name(self) -> str:
        return self._route("restore")

    def _route(self, page: str) -> str:
        return f"admin:traders_{'managerconfig' if self.is_fleet else 'traderconfig'}_{page}"

    def _url(self, page: str) -> str:
        return reverse(self._route(page), args=[self.object_id])

    def name(self, config: StoredConfig | None) -> str:
        """What people call it."""
        if self.is_fleet:
            return _("Fleet settings")
        return config.spec.detail.display_name if config and isinstance(config.spec, TraderSpec) else _("New trader")

    def render(self, template: str, title: str, *, tab: str = "", **context: Any) -> HttpResponse:
        """`tab` is the page's place among those of a configuration: edit, history or compare."""
        shared = {**self.admin.admin_site.each_context(self.request), "title": title, "desk": self, "tab": tab}
        shared |= self._observed()
        return TemplateResponse(self.request, f"traders/{template}", shared | context)

    def _observed(self) -> dict[str, Any]:
        """What an engine said of this trader."""
        trader = (
            None
            if self.is_fleet
            else TraderConfig.objects.select_related("runtime_state").filter(pk=self.config_id).first()
        )
        if trader is None:
            return {}
        return {
            "state": state_of_trader(trader, timezone.now()),
            "active_version": trader.runtime_state.active_config_version,
        }

    def links(self) -> list[tuple[str, str]]:
        """(words, address) of this trader's pages in the layer above."""
        if self.is_fleet or not self.config_id:
            return []
        return [link for links in seams.trader_links for link in links(self.request, self.config_id)]

    def beside_versions(self, versions: Sequence[int]) -> seams.Beside | None:
        """What the layer above knows of these versions."""
        if self.is_fleet:
            return None
        found = (beside(self.request, self.config_id, versions) for beside in seams.beside_versions)
        return next((beside for beside in found if beside), None)

    def runtime(self) -> Runtime | None:
        """What an engine reported of this trader, in full."""
        return runtime_of(self.config_id, timezone.now()) if self.config_id and not self.is_fleet else None

    def gone(self) -> HttpResponse:
        """Back to the list, saying that there is no such thing."""
        messages.warning(self.request, _("There is no trader “%(id)s”.") % {"id": self.config_id})
        return HttpResponseRedirect(self.list_url)
