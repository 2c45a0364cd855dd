"""Pages of the versions of one configuration: list, comparison of two, one version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext as _

from traders.pages.changes import ChangeLine, digests_in, rows
from traders.pages.config_page import ConfigPage
from traders.pages.versions import page_of_history, prompt_bodies
from traders.schema.paths import ABSENT, EXTRA, Change, Flat, diff, same
from traders.schema.settings.declare import Setting, SettingGroup
from traders.schema.settings.stored import StoredConfig
from traders.templatetags.display import cells_of
from traders.versions import services as configs
from traders.versions.rules.errors import UnknownVersion
from traders.words import settings as words


@dataclass(frozen=True)
class ValueGroup:
    """The settings of one group with their values, as (path, label, value)."""

    title: str
    lines: list[tuple[str, str, str]]


def history_view(page: ConfigPage, current: StoredConfig) -> HttpResponse:
    shown, lines = page_of_history(page.config_id, page.request.GET.get("page"), current=current.version)
    return page.render(
        "history.html",
        page.name(current),
        tab="history",
        page=shown,
        pages=shown.paginator.get_elided_page_range(shown.number),
        lines=lines,
        beside=page.beside_versions([line.version for line in lines]),
        current=current,
    )


def compare_view(page: ConfigPage, current: StoredConfig) -> HttpResponse:
    """`?a=3&b=5`; without them, the latest version and the one before."""
    try:
        b = _number(page, "b", current.version)
        a = _number(page, "a", max(1, b - 1))
        left, right = (configs.version(page.config_id, number) for number in sorted((a, b)))
    except (ValueError, UnknownVersion):
        messages.warning(page.request, _("There is no such version: choose two of these."))
        return HttpResponseRedirect(page.history_url)
    changes, kept = diff(left.flat, right.flat), same_rows(left, right)
    return page.render(
        "compare.html",
        page.name(current),
        tab="compare",
        left=left,
        right=right,
        sides=(left, right),
        current=current,
        results=_results(page, (left.version, right.version)),
        rows=rows(page.config_id, changes, texts=prompt_bodies(digests_in(changes))),
        left_label=f"v{left.version}",
        right_label=f"v{right.version}",
        same_rows=kept if "all" in page.request.GET else None,
        same_count=len(kept),
    )


def _results(page: ConfigPage, versions: Sequence[int]) -> list[tuple[str, list[Any]]]:
    """(label, a cell for each version): what they earned, beside what they say."""
    beside = page.beside_versions(versions)
    if beside is None:
        return []
    sides = [dict(cells_of(beside, version)) for version in versions]
    return [(head, [side[head] for side in sides]) for head in beside.heads]


def version_view(page: ConfigPage, current: StoredConfig, number: int) -> HttpResponse:
    """One version as a whole."""
    try:
        shown = configs.version(page.config_id, number)
    except UnknownVersion:
        messages.warning(page.request, _("There is no version %(n)d: choose one of these.") % {"n": number})
        return HttpResponseRedirect(page.history_url)
    return whole_page(page, current, shown, tab="history")


def whole_page(page: ConfigPage, current: StoredConfig, shown: StoredConfig, *, tab: str) -> HttpResponse:
    return page.render(
        *("version.html", page.name(current)),
        tab=tab,
        shown=shown,
        current=current,
        groups=whole(page.settings, shown.flat),
    )


def whole(settings: Mapping[str, Setting], flat: Flat) -> list[ValueGroup]:
    """Every setting of a configuration by group, extension keys last."""
    grouped: dict[str, list[tuple[str, str, str]]] = {str(group): [] for group in SettingGroup}
    for path, value in flat.items():
        setting = settings.get(path)
        group = setting.group if setting else SettingGroup.EXTRA
        label = _(setting.label) if setting else path.removeprefix(EXTRA + ".")
        grouped[str(group)].append((path, label, words.value(setting, value)))
    return [ValueGroup(_(title), lines) for title, lines in grouped.items() if lines]


def _number(page: ConfigPage, name: str, otherwise: int) -> int:
    text = page.request.GET.get(name, "")
    return int(text) if text else otherwise


def same_rows(left: StoredConfig, right: StoredConfig) -> list[ChangeLine]:
    """What two configurations have in common."""
    kept: list[Any] = [
        Change(path, value, value) for path, value in left.flat.items() if same(value, right.flat.get(path, ABSENT))
    ]
    return rows(left.config_id, kept)
