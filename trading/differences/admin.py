"""Differences with exchanges in the admin: the list, and the page on which one is settled."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin import display
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.drafts import pages as drafts
from traders.pages.grid import ReadOnlyAdmin, TraderListFilter
from traders.schema.problems import InvalidConfig
from traders.templatetags.display import ago
from traders.versions.rules.errors import ConfigError
from traders.words import messages as texts
from traders.words.messages import listed, with_value
from trading.differences import rules, services
from trading.differences.forms import SettleForm
from trading.differences.models import UNSETTLED
from trading.differences.rules import NEEDS_PRICE, DifferenceKind, Settlement, UnknownDifference
from trading.models import ExchangeDifference
from trading.templatetags.record import price as shown_price
from trading.templatetags.record import quantity as shown_quantity

PERMISSION = "trading.settle_exchangedifference"


def open_differences() -> int:
    """For the menu."""
    return ExchangeDifference.objects.filter(UNSETTLED).count()


class DifferenceStateFilter(admin.SimpleListFilter):
    title = gettext_lazy("state")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("open", _("not settled")), *((one.value, _state_words()[one]) for one in Settlement)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[ExchangeDifference]) -> QuerySet[ExchangeDifference]:
        if self.value() == "open":
            return queryset.filter(UNSETTLED)
        return queryset.filter(settlement=self.value()) if self.value() else queryset


@admin.register(ExchangeDifference)
class DifferenceAdmin(ReadOnlyAdmin):
    change_list_template = "trading/differences.html"
    change_form_template = "trading/difference.html"
    list_display = ("what", "trader_shown", "ours", "theirs", "found", "state")
    list_display_links = ("what",)
    list_filter = (TraderListFilter, DifferenceStateFilter)
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("state", "trader_shown", "about", "ours", "theirs", "found", "seen", "reported_by")}),
    )
    readonly_fields = ("state", "trader_shown", "about", "ours", "theirs", "found", "seen", "reported_by")

    def get_urls(self) -> list[URLPattern]:
        settle = self.admin_site.admin_view(self.settle_view)
        return [path("<int:difference_id>/settle/", settle, name="trading_difference_settle"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def row_class(self, row: ExchangeDifference) -> str:
        return "is-differing" if _is_red(row) else ""

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row: Any = self.get_object(request, object_id)
        if row is None:
            return super().change_view(request, object_id, form_url, extra_context)
        context: dict[str, Any] = {"title": self.what(row), "row": row, "is_red": _is_red(row)}
        if row.settled_at is None and request.user.has_perm(PERMISSION):
            context["form"] = _form(row, None)
        return super().change_view(request, object_id, form_url, {**context, **(extra_context or {})})

    def settle_view(self, request: HttpRequest, difference_id: int) -> HttpResponseBase:
        """`step` preview shows what would be recorded, save does it."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        row = ExchangeDifference.objects.filter(UNSETTLED, pk=difference_id).first()
        if row is None:
            return self._gone(request, difference_id)
        form = _form(row, request.POST)
        shown: dict[str, Any] = {}
        if form.is_valid():
            try:
                if request.POST.get("step") == "save":
                    return self._settle(request, row, form)
                shown["preview"] = services.preview(row.pk, form.settlement, form.fill_price)
            except UnknownDifference:
                return self._gone(request, difference_id)
            except InvalidConfig as invalid:
                form.add_problems(invalid.problems)
            except ConfigError as refused:
                form.add_error(None, _("Not done: %(why)s.") % {"why": texts.why(refused)})
        return self.change_view(_as_get(request), str(row.pk), "", {"form": form, **shown})

    def _settle(self, request: HttpRequest, row: ExchangeDifference, form: SettleForm) -> HttpResponseBase:
        user: Any = request.user
        services.settle(
            row.pk,
            form.settlement,
            price=form.fill_price,
            reason=form.cleaned_data["reason"],
            actor=user.get_username(),
            account_id=user.pk,
        )
        left = ExchangeDifference.objects.filter(UNSETTLED, trader=row.trader_id).count()
        if left:
            said = _("Settled. %(trader)s has %(n)d more, and opens nothing meanwhile.")
            messages.success(request, said % {"trader": row.trader_id, "n": left})
        else:
            said = _("Settled. Nothing differs any more that bans entries of %(trader)s.")
            messages.success(request, said % {"trader": row.trader_id})
        there = reverse("admin:trading_exchangedifference_changelist") + "?state=open"
        return drafts.ended(request, HttpResponseRedirect(there))

    def _gone(self, request: HttpRequest, difference_id: int) -> HttpResponseBase:
        messages.warning(request, _("The difference %(id)s is settled already, or unknown.") % {"id": difference_id})
        return HttpResponseRedirect(reverse("admin:trading_exchangedifference_changelist"))

    @display(description=gettext_lazy("difference"))
    def what(self, row: ExchangeDifference) -> str:
        side = {"long": _("long"), "short": _("short")}.get(row.side or "")
        subject = f"{row.symbol} {side}" if row.symbol and side else row.subject
        return with_value(subject, self.about(row))

    @display(description=gettext_lazy("what it is"))
    def about(self, row: ExchangeDifference) -> str:
        return texts.translated(rules.words(DifferenceKind(row.kind)))

    @display(description=gettext_lazy("trader"))
    def trader_shown(self, row: ExchangeDifference) -> SafeString:
        url = reverse("admin:traders_traderconfig_overview", args=[row.trader_id])
        return format_html('<a href="{}"><code>{}</code></a>', url, row.trader_id)

    @display(description=gettext_lazy("recorded"), empty_value="")
    def ours(self, row: ExchangeDifference) -> str:
        return _values(row.detail.get("ours") or {})

    @display(description=gettext_lazy("at the exchange"), empty_value="")
    def theirs(self, row: ExchangeDifference) -> str:
        return _values({**(row.detail.get("theirs") or {}), **(row.detail.get("known") or {})})

    @display(description=gettext_lazy("found"))
    def found(self, row: ExchangeDifference) -> SafeString:
        return ago(row.found_at)

    @display(description=gettext_lazy("last seen"))
    def seen(self, row: ExchangeDifference) -> SafeString:
        if row.agreed_at is None:
            return ago(row.seen_at)
        said = format_html(_("a report without it came {ago}"), ago=ago(row.agreed_at))
        return format_html("{} · {}", ago(row.seen_at), said)

    @display(description=gettext_lazy("state"))
    def state(self, row: ExchangeDifference) -> SafeString:
        if row.settlement is None:
            return format_html('<span class="tag wrong">{}</span>', _("not settled"))
        words = _state_words()[Settlement(row.settlement)]
        stands = format_html(' <span class="tag wrong">{}</span>', _("still there")) if _is_red(row) else ""
        return format_html("{} · {} · {}{}", words, row.settled_by, row.reason, stands)


def _form(row: ExchangeDifference, data: Any) -> SettleForm:
    kind = DifferenceKind(row.kind)
    return SettleForm(
        data,
        takes_price=kind in NEEDS_PRICE,
        can_be_taken=kind is not DifferenceKind.SECOND_SIDE,
        price=services.suggested_price(row),
        is_preview=data is not None and data.get("step") != "save",
    )


def _is_red(row: ExchangeDifference) -> bool:
    return row.settled_at is None or (row.kind == DifferenceKind.SECOND_SIDE and row.agreed_at is None)


def _state_words() -> dict[Settlement, str]:
    return {Settlement.TAKEN: _("the exchange's was taken"), Settlement.DISMISSED: _("dismissed")}


def _values(found: dict[str, Any]) -> str:
    words: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "quantity": (_("quantity"), shown_quantity),
        "entry_price": (_("entry"), shown_price),
        "mark_price": (_("mark price"), shown_price),
        "price": (_("price"), shown_price),
        "equity_usd": (_("equity"), shown_price),
        "leverage": (_("leverage"), str),
        "order": (_("order"), str),
        "id": (_("id"), str),
    }
    return listed(f"{label} {shown(found[name])}" for name, (label, shown) in words.items() if name in found)


def _as_get(request: HttpRequest) -> HttpRequest:
    """The stock page of one object would save what is posted to it."""
    request.method = "GET"
    return request
