"""Under which version a decision is to be decided again."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy

from traders.words.typed_fields import TypedIntegerField
from trading.record.browse.forms import LARGEST_VERSION


class ReplayForm(forms.Form):
    version = TypedIntegerField(
        label=gettext_lazy("Also under version"),
        required=False,
        min_value=1,
        max_value=LARGEST_VERSION,
    )
