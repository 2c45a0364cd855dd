"""The form with a reason, base class of the forms of changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.schema.problems import Problem
from traders.words import messages


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        error_messages={"required": gettext_lazy("Say why, in a few words.")},
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "maxlength": 1000, "placeholder": gettext_lazy("Why this change?")}
        ),
    )

    def __init__(self, data: Any = None) -> None:
        super().__init__(data, auto_id="f-%s")

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Problems of the reason go to its field, all others to the top of the form."""
        for problem in problems:
            if problem.path == "reason":
                self.add_error("reason", messages.sentence(problem))
            else:
                self.add_error(None, _("%(problem)s.") % {"problem": messages.line(problem)})
