"""The forms of an upload: the file or the token of a kept one, and the options of the sync."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from traders.manager_yaml.yaml.source import MEBIBYTE
from traders.pages.reason_form import ReasonForm
from traders.sync.upload.services import MAX_BYTES_OF_UPLOAD
from traders.versions.rules.merge import NO_PREFERENCES, MergeSide, Preferences


class OptionsForm(ReasonForm):
    """The form asks for the reason only if the sync writes something."""

    def __init__(self, data: Any = None, files: Any = None, *, needs_reason: bool = True) -> None:
        super().__init__(data)
        if files:
            self.files = files
        self.fields["reason"].required = needs_reason
        self.fields["prefer"] = forms.ChoiceField(
            label=_("Where the file and the site both changed"),
            required=False,
            choices=[
                ("", _("leave it open, to be settled")),
                (MergeSide.YAML.value, _("take the file's value")),
                (MergeSide.DB.value, _("keep the stored value")),
            ],
        )
        self.fields["retire_missing"] = forms.BooleanField(
            label=_("Retire traders that the file no longer has"), required=False
        )
        # A plan is shown with its options; only the reason comes back as a draft.
        for name in ("prefer", "retire_missing"):
            self.fields[name].widget.attrs["data-not-kept"] = True

    @property
    def preferences(self) -> Preferences:
        side = self.cleaned_data.get("prefer")
        return Preferences(MergeSide(side)) if side else NO_PREFERENCES


class UploadForm(OptionsForm):
    def __init__(self, data: Any = None, files: Any = None) -> None:
        super().__init__(data, files, needs_reason=False)
        self.fields["file"] = forms.FileField(
            label=_("File"),
            allow_empty_file=True,
            help_text=_("A manager.yaml, or a bundle as a zip with its prompts; at most %(most)d MB.")
            % {"most": MAX_BYTES_OF_UPLOAD // MEBIBYTE},
            error_messages={"required": _("Choose a manager.yaml, or a bundle as a zip.")},
            widget=forms.FileInput(attrs={"accept": ".yaml,.yml,.zip"}),
        )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES_OF_UPLOAD:
            raise forms.ValidationError(
                _("The file is larger than %(most)d MB, the most it may be.")
                % {"most": MAX_BYTES_OF_UPLOAD // MEBIBYTE}
            )
        return file
