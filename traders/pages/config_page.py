"""What all pages of one configuration share: its id, the permissions of the request, and its addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin, site
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from traders.controls import queries
from traders.controls.words import ControlShown, control_words, shown_of_rows
from traders.models import TraderConfig
from traders.pages import seams
from traders.runtime.presentation import RuntimeShown, runtime_of
from traders.runtime.states import state_of_trader
from traders.schema.actors import AccountActor
from traders.schema.controls.rows import Control
from traders.schema.paths import Change
from traders.schema.settings.declare import Setting
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import StoredConfig
from traders.schema.settings.trader import TraderSpec
from traders.versions import services as configs
from traders.versions.rules.proposal import settings_of
from traders.words.moments import read_moment

AT = "at"
"""The parameter of an address that names a moment."""

ASKED_SHOWN = 10
"""Controls beside the versions of a trader; the log has them all."""

FLEET_OBJECT_ID = "1"
"""The id of the fleet settings in addresses: the key of their only row."""


def may_change_fleet(request: HttpRequest) -> bool:
    return request.user.has_perm("traders.change_managerconfig")


def may_stop(request: HttpRequest) -> bool:
    """Whether the account may stop, drain and pause: who changes traders, and by a setting who sees them."""
    user = request.user
    is_for_viewers = settings.STOP_FOR_VIEWERS and user.has_perm("traders.view_traderconfig")
    return bool(is_for_viewers) or user.has_perm("traders.change_traderconfig")


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
    def may_stop(self) -> bool:
        return may_stop(self.request)

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
    def overview_url(self) -> str:
        """The page that one reads; the fleet's settings have none but their form."""
        return self.change_url if self.is_fleet else self._url("overview")

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
        """`template` is below templates/traders; `tab` is the current tab: overview, edit, history or compare."""
        shared = {**self.admin.admin_site.each_context(self.request), "title": title, "config_page": self, "tab": tab}
        shared |= self.observed
        return TemplateResponse(self.request, f"traders/{template}", shared | context)

    @cached_property
    def observed(self) -> dict[str, Any]:
        """The state that an engine reported of this trader; empty where there is no such trader."""
        trader = self.trader
        if trader is None:
            return {}
        return {
            "state": state_of_trader(trader, timezone.now()),
            "active_version": trader.runtime_state.active_config_version,
        }

    @cached_property
    def trader(self) -> TraderConfig | None:
        """The trader's row as `queries.watched` reads it; None for the fleet and where there is no such trader."""
        return None if self.is_fleet else queries.watched([self.config_id]).first()

    @cached_property
    def current(self) -> StoredConfig | None:
        """What stands now."""
        return configs.stored(self.config_id)

    def tabs(self) -> list[tuple[str, str, str]]:
        """(key, label, address) of the pages of this configuration, those of the layer above with them."""
        log = f"{reverse('admin:traders_changelog')}?{urlencode({'config': self.config_id})}"
        form = ("edit", _("Edit") if self.may_change else _("Settings"), self.change_url)
        versions = [("history", _("History"), self.history_url), ("compare", _("Compare"), self.compare_url)]
        changes = ("changes", _("All changes"), log)
        controls = f"{reverse('admin:traders_tradercontrol_changelist')}?{urlencode({'trader': self.config_id})}"
        if self.is_fleet:
            return [form, *versions, changes]
        added = [link for links in seams.trader_links for link in links(self.request, self.config_id)]
        return [
            ("overview", _("Overview"), self.overview_url),
            form,
            *versions,
            *added,
            ("controls", _("Controls"), controls),
            changes,
        ]

    def sections(self) -> list[SafeString | str]:
        """What the layer above shows of this configuration on its settings page."""
        if not self.config_id:
            return []
        found = (section(self) for section in seams.config_sections)
        return [section for section in found if section]

    def beside_versions(self, versions: Sequence[int]) -> seams.Beside | None:
        """The columns that the layer above adds for these versions."""
        if self.is_fleet:
            return None
        found = (beside(self.request, self.config_id, versions) for beside in seams.beside_versions)
        return next((beside for beside in found if beside), None)

    def positions_beyond(self, changes: Mapping[str, Sequence[Change]]) -> list[SafeString | str]:
        """What the layer above says of open positions, where these changes of traders move limits."""
        found = (beyond(self.request, changes) for beyond in seams.positions_beyond)
        return [said for said in found if said]

    def runtime(self) -> RuntimeShown | None:
        """All that an engine reported of this trader."""
        return runtime_of(self.trader, timezone.now()) if self.trader else None

    @cached_property
    def pinned_version(self) -> int | None:
        """What runs instead of the newest version."""
        if self.is_fleet or not self.config_id:
            return None
        if (control := self.__dict__.get("control")) is not None:
            found: int | None = control.state.pinned_version
            return found
        return queries.pinned_versions([self.config_id]).get(self.config_id)

    @cached_property
    def control(self) -> ControlShown | None:
        """What is wanted of this trader beside what is observed."""
        return shown_of_rows([self.trader], timezone.now())[self.trader.pk] if self.trader else None

    def asked_lately(self) -> list[tuple[Control, str]]:
        """The newest controls of this trader and of the fleet, with what each asks."""
        if self.is_fleet or not self.config_id:
            return []
        found = queries.about(self.config_id, limit=ASKED_SHOWN)
        fleet = _("the fleet")
        return [(row, control_words(row) if row.trader_id else f"{fleet}: {control_words(row)}") for row in found]

    def gone(self) -> HttpResponse:
        """Redirects to the list with a warning that there is no such trader."""
        messages.warning(self.request, _("There is no trader “%(id)s”.") % {"id": self.config_id})
        return HttpResponseRedirect(self.list_url)


def trader_head(request: HttpRequest, trader_id: str) -> ConfigPage | None:
    """For the head and the tabs of a trader on a list that is narrowed to it; None where there is no such trader, or
    the account may not look at traders."""
    admin = site.get_model_admin(TraderConfig)
    if not trader_id or not admin.has_view_permission(request):
        return None
    page = ConfigPage(admin, request, trader_id)
    return page if page.observed else None


def asked_moment(page: ConfigPage) -> datetime | None:
    """`?at=2026-11-01T12:00`, without a zone in that of the viewer. None with a warning to the user if it is no moment
    of the past."""
    try:
        return read_moment(page.request.GET.get(AT, ""))
    except ValidationError as wrong:
        messages.warning(page.request, " ".join(wrong.messages))
        return None
