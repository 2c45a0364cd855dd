"""The form that settles a difference."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from traders.pages.reason_form import ReasonForm
from traders.words.typed_fields import TypedDecimalField
from trading.differences.rules import Settlement
from trading.schema.leaf import LARGEST

CHOICES = [
    (Settlement.TAKEN.value, gettext_lazy("Take the exchange's: the record is brought to what the exchange says")),
    (Settlement.DISMISSED.value, gettext_lazy("Dismiss: the record stays as it is, and this comes up no more")),
]


class SettleForm(ReasonForm):
    """`takes_price`: taking records a fill, for which the exchange may have given no price.
    `is_preview`: the reason may come later."""

    how = forms.ChoiceField(label=gettext_lazy("How"), choices=CHOICES, widget=forms.RadioSelect)
    price = TypedDecimalField(
        label=gettext_lazy("Price of the fill, USD"),
        required=False,
        min_value=0,
        max_value=LARGEST,
        help_text=gettext_lazy("As the exchange's statement says it."),
        widget=forms.TextInput(attrs={"class": "figure", "inputmode": "decimal", "autocomplete": "off"}),
    )

    def __init__(
        self, data: Any, *, takes_price: bool, can_be_taken: bool, price: Decimal | None, is_preview: bool
    ) -> None:
        super().__init__(data)
        self.fields["reason"].required = not is_preview
        self.order_fields(["how", "price", "reason"])
        if not takes_price:
            del self.fields["price"]
        elif price is not None:
            self.initial["price"] = f"{price.normalize():f}"
        if not can_be_taken:
            self.fields["how"].choices = CHOICES[1:]  # type: ignore[attr-defined]
        self.initial["how"] = Settlement.TAKEN.value if can_be_taken else Settlement.DISMISSED.value

    @property
    def settlement(self) -> Settlement:
        """Of a valid form."""
        return Settlement(self.cleaned_data["how"])

    @property
    def fill_price(self) -> Decimal | None:
        """Of a valid form."""
        found: Decimal | None = self.cleaned_data.get("price")
        return found
