"""The form of a clone: id, display name and reason; all else comes from the source."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from traders.pages.reason_form import ReasonForm
from traders.schema.problems import Problem
from traders.schema.settings.trader import ID_RULE
from traders.words import messages

_FIELD_OF = {"id": "new_id", "detail.display_name": "display_name"}


class CloneForm(ReasonForm):
    def __init__(self, data: Any, *, display_name: str) -> None:
        super().__init__(data)
        self.fields["new_id"] = forms.CharField(
            label=_("Id"),
            help_text=_("%(rule)s. It stays for good.") % {"rule": capfirst(ID_RULE)},
            error_messages={"required": _("Give the trader an id: %(rule)s.") % {"rule": ID_RULE}},
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
            if problem.path in _FIELD_OF:
                self.add_error(_FIELD_OF[problem.path], messages.sentence(problem))
            else:
                rest.append(problem)
        super().add_problems(rest)
