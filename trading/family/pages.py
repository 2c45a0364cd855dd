"""The page that compares a family, and the link to it on the pages of its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from traders.pages import seams
from traders.pages.config_page import trader_head
from traders.schema.paths import EXTRA
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.stored import StoredConfig
from traders.versions import services as configs
from traders.versions.edit.forms.config import REASON, VERSION, ConfigForm, posted
from traders.versions.edit.names import choices
from trading.family import services
from trading.family.chart import chart_of
from trading.family.rules import FamilyComparison, FamilyLine, FamilyTrader
from trading.record.pages import RecordPage
from trading.record.results.beside_traders import SMALL_SAMPLE
from trading.record.rules.errors import UnknownTrader
from trading.templatetags.record import moment_of

# What makes a variant another trader, and no better one.
ITS_OWN = frozenset(
    {
        *("exchange_provider", "market_provider", "allocation_pct"),
        *("detail.display_name", "detail.description", "detail.auto_start", "detail.retired"),
        *("detail.paper_capital_usd", "detail.cloned_from"),
    }
)


@dataclass(frozen=True)
class ShownFamilyLine:
    """Figures that are not known are None."""

    line: FamilyLine

    @property
    def return_pct(self) -> Decimal | None:
        return _figure(self.line.return_pct)

    @property
    def win_rate_pct(self) -> Decimal | None:
        return _figure(self.line.performance.win_rate_pct)

    @property
    def drawdown_pct(self) -> Decimal | None:
        fall = self.line.performance.max_drawdown
        return _figure(fall.depth_pct if fall else None)

    @property
    def in_market_pct(self) -> Decimal | None:
        return _figure(self.line.performance.exposure_pct)


@dataclass(frozen=True)
class TakenSettings:
    """A form that opens the preview of an edit: `fields` are posted to `address`."""

    member: FamilyTrader
    address: str
    fields: Sequence[tuple[str, str]]


def family_view(page: RecordPage, trader_id: str) -> HttpResponse:
    try:
        found = services.compare(trader_id)
    except UnknownTrader:
        return page.gone(trader_id)
    original = found.members[0]
    return page.render(
        "family.html",
        _("Versions side by side"),
        original=original,
        head=trader_head(page.request, trader_id),
        asked=trader_id,
        found=found,
        lines=[ShownFamilyLine(line) for line in found.lines],
        chart=chart_of(found.curves),
        ends=(moment_of(found.period.from_ms), moment_of(found.period.to_ms)) if found.period else None,
        idle=_idle(found),
        taken=_takeable(page.request, found),
        may_add=page.request.user.has_perm("traders.add_traderconfig"),
        small_sample=SMALL_SAMPLE,
        is_small=any(line.performance.is_small for line in found.lines),
    )


def links(request: HttpRequest, trader_id: str) -> list[tuple[str, str, str]]:
    if not request.user.has_perm("trading.view_trade"):
        return []
    return [("family", _("Side by side"), reverse("admin:trading_trade_family", args=[trader_id]))]


def _figure(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(f"{value:.4f}")


def _idle(found: FamilyComparison) -> list[FamilyTrader]:
    """Members of which nothing is in the period."""
    seen = {line.member.trader_id for line in found.lines}
    return [member for member in found.members if member.trader_id not in seen]


def _takeable(request: HttpRequest, found: FamilyComparison) -> list[TakenSettings]:
    """Of each clone whose settings differ from the original's."""
    if len(found.members) < 2 or not request.user.has_perm("traders.change_traderconfig"):
        return []
    original = configs.stored(found.members[0].trader_id)
    if original is None:
        return []
    made = []
    form = ConfigForm(settings=TRADER_SETTINGS, base=original.flat, known=choices())
    for member in found.members[1:]:
        clone = configs.stored(member.trader_id)
        if clone is not None and _taken(original, clone) != original.flat:
            made.append(_form_of(form, original, clone, member))
    return made


def _form_of(form: ConfigForm, original: StoredConfig, clone: StoredConfig, member: FamilyTrader) -> TakenSettings:
    data: dict[str, Any] = posted(form, _taken(original, clone))
    # History keeps it: in English whatever the language of the page.
    reason = f"Settings of {clone.config_id} v{clone.version}"
    data |= {REASON: reason, VERSION: str(original.version), "step": "preview"}
    fields = [
        (name, str(one))
        for name, value in data.items()
        for one in (value if isinstance(value, list | tuple) else [value])
    ]
    return TakenSettings(member, reverse("admin:traders_traderconfig_change", args=[original.config_id]), fields)


def _taken(original: StoredConfig, clone: StoredConfig) -> dict[str, Any]:
    extra = f"{EXTRA}."
    shared = {path: value for path, value in original.flat.items() if not path.startswith(extra)}
    taken = {path: value if path in ITS_OWN else clone.flat.get(path) for path, value in shared.items()}
    return taken | {path: value for path, value in clone.flat.items() if path.startswith(extra)}


seams.trader_links.append(links)
