"""Transfers in the browser: the list, and the form that adds one. Nothing changes or deletes one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.contrib.admin import display
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from traders.models import TraderConfig
from traders.schema.moments import EARLIEST_MS, LATEST_MS
from traders.schema.problems import InvalidConfig
from trading.models import EquityTransfer
from trading.record.rules.errors import RecordError
from trading.record.transfers import services as transfers
from trading.schema.facts import Transfer, TransferKind
from trading.schema.leaf import LARGEST
from trading.templatetags.record import gain

MS_PER_SECOND = 1000
KINDS = [
    (TransferKind.INITIAL.value, _("initial")),
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
    amount_usd = forms.DecimalField(
        label=_("Amount, USD"),
        max_value=LARGEST,
        min_value=-LARGEST,
        help_text=_("Above 0. Only a correction may be below 0."),
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    at = forms.DateTimeField(
        label=_("Moment (UTC)"),
        required=False,
        help_text=_("Such as 2026-11-01 12:00. Empty: now."),
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
    )
    reason = forms.CharField(label=_("Reason"), max_length=1000, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = EquityTransfer
        fields: list[str] = []

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
            raise forms.ValidationError(str(refused)) from refused
        return given


class TransferAdmin(ModelAdmin):
    form = TransferForm
    list_display = ["moment", "trader", "kind", "amount", "reason", "actor"]
    list_filter = ["kind"]
    search_fields = ["trader__id", "reason", "actor"]
    ordering = ["-ts_ms", "-id"]
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        kind = super().get_form(request, obj, change, **kwargs)
        return type(kind.__name__, (kind,), {"request": request})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """The form has recorded it."""
        made: Transfer = form.made
        obj.pk = EquityTransfer.objects.get(transfer_id=made.transfer_id, trader=made.trader_id).pk
        obj.refresh_from_db()

    @display(description=_("Moment (UTC)"), ordering="ts_ms")
    def moment(self, row: EquityTransfer) -> str:
        return f"{datetime.fromtimestamp(row.ts_ms / MS_PER_SECOND, UTC):%Y-%m-%d %H:%M:%S}"

    @display(description=_("USD"), ordering="amount_usd")
    def amount(self, row: EquityTransfer) -> Any:
        return gain(row.amount_usd)
