"""The forms of a clone (id, display name and reason: all other settings come from the source) and of a retirement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.controls.pages.forms import CLOSE_WORD, TypedWordField
from traders.pages.reason_form import ReasonForm
from traders.schema.problems import Problem
from traders.schema.settings.trader import ID_RULE
from traders.words import messages
from traders.words.messages import translated
from traders.words.typed_fields import TypedDecimalField

_FIELD_OF = {
    "id": "new_id",
    "detail.display_name": "display_name",
    "exchange_provider": "exchange_provider",
    "detail.paper_capital_usd": "paper_capital_usd",
}


class CloneForm(ReasonForm):
    def __init__(self, data: Any, *, display_name: str) -> None:
        super().__init__(data)
        self.fields["new_id"] = forms.CharField(
            label=_("Id"),
            help_text=_("%(rule)s. It stays for good.") % {"rule": capfirst(translated(ID_RULE))},
            error_messages={"required": _("Give the trader an id: %(rule)s.") % {"rule": translated(ID_RULE)}},
            widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "code"}),
        )
        self.fields["display_name"] = forms.CharField(
            label=_("Display name"),
            initial=display_name,
            required=False,
            help_text=_("What people call it."),
            widget=forms.TextInput(attrs={"autocomplete": "off"}),
        )

    def add_problems(self, problems: Iterable[Problem]) -> None:
        rest = []
        for problem in problems:
            if _FIELD_OF.get(problem.path) in self.fields:
                self.add_error(_FIELD_OF[problem.path], messages.sentence(problem))
            else:
                rest.append(problem)
        super().add_problems(rest)


class VariantForm(CloneForm):
    """`exchanges` trade on paper; `capital_usd` is offered."""

    def __init__(self, data: Any, *, display_name: str, exchanges: Sequence[str], capital_usd: Decimal) -> None:
        super().__init__(data, display_name=display_name)
        self.fields["exchange_provider"] = forms.ChoiceField(
            label=_("Paper exchange"),
            choices=[(name, name) for name in exchanges],
            help_text=_("No order of it leaves the site."),
        )
        self.fields["paper_capital_usd"] = TypedDecimalField(
            label=_("Paper capital, USD"),
            initial=capital_usd,
            min_value=Decimal("0.01"),
            max_digits=17,
            decimal_places=8,
            help_text=_("Its own, beside the fleet's equity: compare like with like."),
        )


DRAIN, CLOSE = "drain", "close"


class RetireForm(ReasonForm):
    """Of traders that hold positions it asks what becomes of them. To close all of them a word is typed."""

    def __init__(self, data: Any = None, *, asks: bool) -> None:
        super().__init__(data)
        if not asks:
            return
        ways = [
            (DRAIN, gettext_lazy("Drain, then retire: nothing is opened, positions are watched until they close")),
            (CLOSE, gettext_lazy("Close, then retire: all open positions are closed now, reduce-only")),
        ]
        self.fields["then"] = forms.ChoiceField(
            label=gettext_lazy("What becomes of them"), choices=ways, initial=DRAIN, widget=forms.RadioSelect
        )
        self.fields["word"] = TypedWordField(CLOSE_WORD, required=False)
        self.fields["word"].help_text = gettext_lazy("Only to close.")

    @property
    def closes(self) -> bool:
        """Of a valid form."""
        return self.cleaned_data.get("then") == CLOSE

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        word = self.fields.get("word")
        if isinstance(word, TypedWordField) and self.closes and not given.get("word") and "word" not in self.errors:
            self.add_error("word", word.error_messages["required"])
        return given
