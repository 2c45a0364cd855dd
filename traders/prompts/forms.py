"""The form of a prompt text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from traders.pages.reason_form import ReasonForm
from traders.schema.problems import Problem
from traders.words import messages


class PromptForm(ReasonForm):
    path = forms.CharField(
        label=_("Path"),
        help_text=_("Below the directory of manager.yaml, such as prompts/manager/long.tmpl."),
        error_messages={"required": _("Name the file that this text would be, such as prompts/manager/long.tmpl.")},
        widget=forms.TextInput(attrs={"autocomplete": "off", "maxlength": 500, "spellcheck": "false"}),
    )
    body = forms.CharField(
        label=_("Text"),
        strip=False,
        error_messages={"required": _("A prompt needs a text.")},
        widget=forms.Textarea(attrs={"rows": 24, "spellcheck": "false", "class": "code"}),
    )

    def __init__(self, data: Any = None, *, initial: dict[str, str] | None = None, fixed_path: bool = False) -> None:
        super().__init__(data)
        self.initial = initial or {}
        if fixed_path:
            del self.fields["path"]

    def add_problems(self, problems: Iterable[Problem]) -> None:
        own = [problem for problem in problems if problem.path in self.fields and not problem.trader_id]
        for problem in own:
            self.add_error(problem.path, messages.sentence(problem))
        super().add_problems(problem for problem in problems if problem not in own)
