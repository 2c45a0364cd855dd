"""Transfers in the browser: the list, and the form that adds one. Nothing changes or deletes one."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from traders.models import TraderConfig
from traders.pages.grid import ReadOnlyAdmin, TraderListFilter
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from traders.schema.problems import InvalidConfig
from traders.templatetags.display import ago
from traders.words.messages import why
from traders.words.moments import LONGEST_TYPED, MomentField
from traders.words.reasons import reason_words
from traders.words.typed_fields import TypedDecimalField
from trading.models import EquityTransfer
from trading.record.rules.errors import RecordError
from trading.record.transfers import services as transfers
from trading.schema.facts import Transfer, TransferKind
from trading.schema.leaf import LARGEST
from trading.templatetags.record import exact_moment, moment_of, money, trader_link

MS_PER_SECOND = 1000
KINDS = [
    (TransferKind.INITIAL.value, pgettext_lazy("transfer", "initial")),
    (TransferKind.DEPOSIT.value, _("deposit")),
    (TransferKind.WITHDRAWAL.value, _("withdrawal")),
    (TransferKind.INTERNAL.value, _("to another trader")),
    (TransferKind.CORRECTION.value, _("correction")),
]


class TransferForm(forms.ModelForm):  # type: ignore[type-arg]
    """Records the transfer as the last step of its checks, so that a refusal stands in the form."""

    request: HttpRequest
    made: Transfer

    trader = forms.ModelChoiceField(
        TraderConfig.objects.order_by("pk"), label=_("Trader"), widget=UnfoldAdminSelectWidget
    )
    kind = forms.ChoiceField(choices=KINDS, label=_("Kind"), widget=UnfoldAdminSelectWidget)
    to_trader = forms.ModelChoiceField(
        TraderConfig.objects.order_by("pk"),
        label=_("To trader"),
        required=False,
        help_text=_("The receiving trader of a transfer to another trader."),
        widget=UnfoldAdminSelectWidget,
    )
    amount_usd = TypedDecimalField(
        label=_("Amount, USD"),
        max_value=LARGEST,
        min_value=-LARGEST,
        help_text=_("Above 0. Only a correction may be below 0."),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    at = MomentField(
        label=_("Moment"),
        required=False,
        may_lie_ahead=True,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "maxlength": LONGEST_TYPED}),
    )
    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = EquityTransfer
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone_name()
        self.fields["at"].help_text = gettext("Such as 2026-11-01 12:00, in %(zone)s. Empty: now.") % {"zone": zone}

    def clean_at(self) -> datetime:
        at: datetime = self.cleaned_data["at"] or timezone.now()
        if not EARLIEST_MS <= at.timestamp() * MS_PER_SECOND <= LATEST_MS:
            raise forms.ValidationError(_("Must be a moment of the years 2010 to 2099."))
        return at

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        if self.errors:
            return given
        user: Any = self.request.user
        try:
            self.made = transfers.transfer(
                trader_id=given["trader"].pk,
                kind=TransferKind(given["kind"]),
                amount=given["amount_usd"],
                ts_ms=round(given["at"].timestamp() * MS_PER_SECOND),
                reason=given["reason"],
                actor=user.get_username(),
                to_trader_id=given["to_trader"].pk if given["to_trader"] else "",
                account_id=user.pk,
            )
        except (InvalidConfig, RecordError) as refused:
            raise forms.ValidationError(why(refused)) from refused
        return given


class KindFilter(admin.SimpleListFilter):
    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return KINDS

    def queryset(self, request: HttpRequest, queryset: QuerySet[EquityTransfer]) -> QuerySet[EquityTransfer]:
        return queryset.filter(kind=self.value()) if self.value() else queryset


class TransferAdmin(ReadOnlyAdmin):
    form = TransferForm
    change_list_template = "trading/transfers.html"
    add_form_template = "traders/form_page.html"
    list_display = ("when", "trader_shown", "kind_shown", "amount", "reason_shown", "made_by")
    list_display_links = ("when",)
    list_filter = (TraderListFilter, KindFilter)
    search_fields = ("reason", "actor")
    figures = frozenset({"amount"})
    ordering = ("-ts_ms", "-id")
    leaves = ("when", "trader_shown", "kind_shown", "amount", "reason_shown", "made_by", "id_shown", "noted")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """A recorded transfer is read; the form is of a new one."""
        return ((None, {"fields": self.leaves}),) if obj else super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.leaves if obj else ()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kind = super().get_form(request, obj, change, **kwargs)
        return type(kind.__name__, (kind,), {"request": request})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form has recorded it."""
        made: Transfer = form.made
        obj.pk = EquityTransfer.objects.get(transfer_id=made.transfer_id, trader=made.trader_id).pk
        obj.refresh_from_db()

    @admin.display(description=_("when"))
    def when(self, row: EquityTransfer) -> SafeString:
        return exact_moment(moment_of(row.ts_ms))

    @admin.display(description=_("trader"))
    def trader_shown(self, row: EquityTransfer) -> SafeString:
        return trader_link(row.trader_id)

    @admin.display(description=_("kind"))
    def kind_shown(self, row: EquityTransfer) -> str:
        return str(dict(KINDS).get(row.kind, row.kind))

    @admin.display(description=_("amount, USD"))
    def amount(self, row: EquityTransfer) -> Any:
        return money(row.amount_usd)

    @admin.display(description=_("reason"))
    def reason_shown(self, row: EquityTransfer) -> str:
        return reason_words(row.reason)

    @admin.display(description=_("actor"))
    def made_by(self, row: EquityTransfer) -> str:
        return row.actor

    @admin.display(description=_("transfer id"))
    def id_shown(self, row: EquityTransfer) -> str:
        return row.transfer_id

    @admin.display(description=_("recorded"))
    def noted(self, row: EquityTransfer) -> SafeString:
        return ago(row.created_at)
