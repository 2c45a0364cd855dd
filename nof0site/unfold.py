"""Settings of the admin theme (django-unfold)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import NoReverseMatch, reverse, reverse_lazy
from django.utils.functional import lazy
from django.utils.html import format_html, format_html_join
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from traders.pages import seams


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


def _api_reference() -> str:
    """Empty where this process does not serve the API (SERVE_ENGINE_API)."""
    try:
        return reverse("engine_api:openapi-view")
    except NoReverseMatch:
        return ""


def _number(function: str) -> Any:
    """The number beside a menu entry, read at every page. The theme would show an empty mark for 0."""
    return lazy(lambda: import_string(function)(), int)()


DEMO_MARK = _("Demo, simulated prices")


def environment(request: Any) -> list[Any] | None:
    """What the theme shows in the top bar of every page: a mark of the demo, so that it is not mistaken for the real
    site, and the parts of `traders.pages.seams`."""
    parts = [shown for part in seams.top_bar if (shown := part(request))]
    if not parts:
        return [DEMO_MARK, "warning"] if settings.DEMO else None
    if settings.DEMO:
        parts.insert(0, str(DEMO_MARK))
    shown = format_html_join(" ", "{}", ((part,) for part in parts))
    return [format_html('<span class="page top-bar">{}</span>', shown), "warning" if settings.DEMO else "default"]


UNFOLD: dict[str, Any] = {
    "ENVIRONMENT": "nof0site.unfold.environment",
    "SITE_TITLE": "NOF0 Control",
    "ACCOUNT": {
        "navigation": [
            {"title": _("Preferences"), "link": reverse_lazy("admin:preferences")},
            {"title": _("Change password"), "link": reverse_lazy("admin:password_change")},
            {"title": _("Second factor"), "link": reverse_lazy("admin:second_factor")},
            {"title": _("Your sessions"), "link": reverse_lazy("admin:sessions")},
        ],
    },
    # In the menu of the account.
    "SHOW_LANGUAGES": True,
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
        lambda request: static("traders/controls.css"),
        lambda request: static("traders/prompts.css"),
        lambda request: static("traders/tokens.css"),
        lambda request: static("trading/record.css"),
        lambda request: static("trading/alarms.css"),
    ],
    "SCRIPTS": [
        lambda request: static("traders/control.js"),
        lambda request: static("traders/actions.js"),
        lambda request: static("traders/moments.js"),
        lambda request: static("traders/find.js"),
        lambda request: static("traders/tokens.js"),
        lambda request: static("traders/drafts.js"),
        lambda request: static("traders/lists.js"),
    ],
    "DASHBOARD_CALLBACK": "trading.overview.pages.add_overview",
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
                        "badge": _number("traders.fleet.services.open_conflicts"),
                        "badge_variant": "warning",
                    },
                    _entry(
                        *(_("Controls"), "front_hand", "admin:traders_tradercontrol_changelist"),
                        "traders.view_tradercontrol",
                    ),
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
                    _entry(_("Acceptance"), "check_circle", "admin:acceptance", "traders.change_managerconfig"),
                    _entry(
                        *(_("Performance"), "monitoring", "admin:trading_trade_performance", "trading.view_trade"),
                    ),
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
                            "admin:trading_trade_performance",
                        ),
                    },
                    _entry(
                        _("Decisions"),
                        "psychology",
                        "admin:trading_decisionjournal_changelist",
                        "trading.view_decisionjournal",
                    ),
                    {
                        **_entry(
                            *(_("Differences"), "difference"),
                            *("admin:trading_exchangedifference_changelist", "trading.view_exchangedifference"),
                        ),
                        "badge": _number("trading.differences.admin.open_differences"),
                        "badge_variant": "danger",
                    },
                    {
                        **_entry(
                            *(_("Alarms"), "notifications"),
                            *("admin:trading_alarm_changelist", "trading.view_alarm"),
                        ),
                        "active": _is_at("admin:trading_alarm_changelist"),
                    },
                    _entry(
                        _("Alarm channels"),
                        "send",
                        "admin:trading_alarmchannel_changelist",
                        "trading.view_alarmchannel",
                    ),
                    _entry(
                        _("Alarm rules"),
                        "rule",
                        "admin:trading_alarmrulechange_changelist",
                        "trading.view_alarmrulechange",
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
                    _entry(_("Changes by result"), "leaderboard", "admin:trading_trade_outcomes", "trading.view_trade"),
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
                    {
                        "title": _("API reference"),
                        "icon": "data_object",
                        "link": lazy(_api_reference, str)(),
                        "active": lambda request: False,
                        "permission": lambda request: request.user.is_authenticated and bool(_api_reference()),
                    },
                    _entry(
                        *(_("Audit of access"), "policy"),
                        *("admin:traders_auditentry_changelist", "traders.view_auditentry"),
                    ),
                    _entry(_("Moving in"), "input", "admin:trading_movein_changelist", "trading.view_movein"),
                ],
            },
        ],
    },
}
