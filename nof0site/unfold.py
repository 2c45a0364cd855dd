"""Settings of the admin theme (django-unfold)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy
from django.utils.functional import lazy
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _


def _entry(title: Any, icon: str, url_name: str, permission: str = "") -> dict[str, Any]:
    """One line of the menu, hidden from accounts without the permission. The right to change includes looking."""
    may_change = permission.replace(".view_", ".change_")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(url_name),
        "permission": lambda request: (
            not permission or request.user.has_perm(permission) or request.user.has_perm(may_change)
        ),
    }


def _is_at(url_name: str, *but: str) -> Any:
    """Whether a page belongs to the entry: below its address, and not to one of the entries that lie below it too."""

    def is_at(request: Any) -> bool:
        path = str(request.path)
        return path.startswith(reverse(url_name)) and not any(path.startswith(reverse(name)) for name in but)

    return is_at


def _number(function: str) -> Any:
    """The number beside a menu entry, read at every page. The theme would show an empty mark for 0."""
    return lazy(lambda: import_string(function)(), int)()


def environment(request: Any) -> list[Any] | None:
    """A mark in the header of the demo, so that it is not mistaken for the real site."""
    return [_("Demo"), "warning"] if settings.DEMO else None


UNFOLD: dict[str, Any] = {
    "ENVIRONMENT": "nof0site.unfold.environment",
    "SITE_TITLE": "NOF0 Control",
    "SITE_HEADER": "NOF0 Control",
    "SITE_SUBHEADER": _("The trader fleet"),
    "SITE_SYMBOL": "tune",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("nof0site/favicon.svg")},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "STYLES": [
        lambda request: static("traders/control.css"),
        lambda request: static("traders/past.css"),
        lambda request: static("traders/actions.css"),
        lambda request: static("traders/prompts.css"),
        lambda request: static("traders/tokens.css"),
        lambda request: static("trading/record.css"),
    ],
    "SCRIPTS": [
        lambda request: static("traders/control.js"),
        lambda request: static("traders/actions.js"),
        lambda request: static("traders/tokens.js"),
    ],
    "DASHBOARD_CALLBACK": "traders.fleet.overview.add_overview",
    "COLORS": {
        # A calm blue, dark enough for white letters on it.
        "primary": {
            "50": "#eff5fb",
            "100": "#dbe8f6",
            "200": "#bcd4ee",
            "300": "#8fb8e2",
            "400": "#5c96d3",
            "500": "#3a7bc0",
            "600": "#2563a8",
            "700": "#205088",
            "800": "#1e446f",
            "900": "#1d3a5d",
            "950": "#13253e",
        },
    },
    "SIDEBAR": {
        "navigation": [
            {
                "items": [
                    _entry(_("Overview"), "space_dashboard", "admin:index"),
                    {
                        **_entry(
                            *(_("Traders"), "smart_toy"),
                            *("admin:traders_traderconfig_changelist", "traders.view_traderconfig"),
                        ),
                        "active": _is_at(
                            "admin:traders_traderconfig_changelist",
                            "admin:traders_conflicts",
                            "admin:traders_changelog",
                        ),
                    },
                    _entry(
                        _("Fleet settings"),
                        "tune",
                        "admin:traders_managerconfig_changelist",
                        "traders.view_managerconfig",
                    ),
                    {
                        **_entry(
                            _("Sync conflicts"), "call_split", "admin:traders_conflicts", "traders.view_traderconfig"
                        ),
                        "badge": _number("traders.fleet.overview.open_conflicts"),
                        "badge_variant": "warning",
                    },
                    _entry(_("Change log"), "history", "admin:traders_changelog", "traders.view_traderconfig"),
                    _entry(
                        _("Prompt texts"), "article", "admin:traders_prompttext_changelist", "traders.view_prompttext"
                    ),
                ],
            },
            {
                "title": _("Record"),
                "separator": True,
                "items": [
                    _entry(_("Live"), "bolt", "admin:trading_position_live", "trading.view_position"),
                    {
                        **_entry(
                            _("Positions"), "stacks", "admin:trading_position_changelist", "trading.view_position"
                        ),
                        "active": _is_at("admin:trading_position_changelist", "admin:trading_position_live"),
                    },
                    {
                        **_entry(_("Trades"), "swap_vert", "admin:trading_trade_changelist", "trading.view_trade"),
                        "active": _is_at(
                            "admin:trading_trade_changelist",
                            "admin:trading_trade_outcomes",
                            "admin:trading_trade_unreadable",
                        ),
                    },
                    _entry(
                        _("Decisions"),
                        "psychology",
                        "admin:trading_decisionjournal_changelist",
                        "trading.view_decisionjournal",
                    ),
                    _entry(
                        _("Transfers"),
                        "payments",
                        "admin:trading_equitytransfer_changelist",
                        "trading.view_equitytransfer",
                    ),
                    _entry(
                        _("Set aside"),
                        "playlist_remove",
                        "admin:trading_recordexclusion_changelist",
                        "trading.view_recordexclusion",
                    ),
                    _entry(
                        _("Changes by outcome"), "leaderboard", "admin:trading_trade_outcomes", "trading.view_trade"
                    ),
                    {
                        **_entry(
                            _("Unreadable rows"), "report", "admin:trading_trade_unreadable", "trading.view_trade"
                        ),
                        "badge": _number("trading.record.check.admin.unreadable_count"),
                        "badge_variant": "warning",
                    },
                ],
            },
            {
                "title": _("Accounts"),
                "separator": True,
                "items": [
                    _entry(_("Users"), "person", "admin:auth_user_changelist", "auth.view_user"),
                    _entry(_("Groups"), "group", "admin:auth_group_changelist", "auth.view_group"),
                    _entry(_("API tokens"), "key", "admin:traders_apitoken_changelist", "traders.view_apitoken"),
                ],
            },
        ],
    },
}
