"""What all pages of one configuration share: its id, the permissions of the request, and its addresses."""

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
from traders.runtime.presentation import RuntimeShown, runtime_of
from traders.runtime.states import state_of_trader
from traders.schema.actors import AccountActor
from traders.schema.settings.declare import Setting
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import StoredConfig
from traders.schema.settings.trader import TraderSpec
from traders.versions.rules.proposal import settings_of

FLEET_OBJECT_ID = "1"
"""The id of the fleet settings in addresses: the key of their only row."""


def may_change_fleet(request: HttpRequest) -> bool:
    return request.user.has_perm("traders.change_managerconfig")


@dataclass(frozen=True)
class ConfigPage:
    """A request for a page of one configuration. `config_id` is empty for a trader that is being added."""

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
        """The fleet settings have a permission of their own."""
        return may_change_fleet(self.request)

    @property
    def may_add(self) -> bool:
        return self.admin.has_add_permission(self.request)

    @property
    def actor(self) -> str:
        """The account of the request, as history stores it. It has an id, because pages need a login."""
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
        """The id in addresses."""
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
        """The display name."""
        if self.is_fleet:
            return _("Fleet settings")
        return config.spec.detail.display_name if config and isinstance(config.spec, TraderSpec) else _("New trader")

    def render(self, template: str, title: str, *, tab: str = "", **context: Any) -> HttpResponse:
        """`template` is below templates/traders; `tab` is the current tab: edit, history or compare."""
        shared = {**self.admin.admin_site.each_context(self.request), "title": title, "desk": self, "tab": tab}
        shared |= self._observed()
        return TemplateResponse(self.request, f"traders/{template}", shared | context)

    def _observed(self) -> dict[str, Any]:
        """The state that an engine reported of this trader."""
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
        """(label, address) of the pages that the layer above adds for this trader."""
        if self.is_fleet or not self.config_id:
            return []
        return [link for links in seams.trader_links for link in links(self.request, self.config_id)]

    def beside_versions(self, versions: Sequence[int]) -> seams.Beside | None:
        """The columns that the layer above adds for these versions."""
        if self.is_fleet:
            return None
        found = (beside(self.request, self.config_id, versions) for beside in seams.beside_versions)
        return next((beside for beside in found if beside), None)

    def runtime(self) -> RuntimeShown | None:
        """All that an engine reported of this trader."""
        return runtime_of(self.config_id, timezone.now()) if self.config_id and not self.is_fleet else None

    def gone(self) -> HttpResponse:
        """Redirects to the list with a warning that there is no such trader."""
        messages.warning(self.request, _("There is no trader “%(id)s”.") % {"id": self.config_id})
        return HttpResponseRedirect(self.list_url)
