"""The form of the preferences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from traders.accounts.preferences.rules import zones_by_region
from traders.models import AccountPreferences, GainColours

FIELDS = ("language", "zone", "colours")


class PreferencesForm(forms.Form):
    """`in_browser` is the name of the browser's zone, empty where it is not known."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"),
        required=False,
        # Each language is named in itself.
        widget=forms.Select({"translate": "no"}),
        help_text=gettext_lazy("Pages are in this language wherever you log in. The API and downloads do not change."),
    )
    zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        required=False,
        # Names of places, by which a zone is known everywhere.
        widget=forms.Select({"translate": "no"}),
        help_text=gettext_lazy(
            "Pages write times in this zone, and read times that you type in it. The site's day, the API and downloads"
            " do not change."
        ),
    )
    colours = forms.ChoiceField(
        label=gettext_lazy("Gains and losses"),
        choices=GainColours.choices,
        widget=forms.RadioSelect,
        help_text=gettext_lazy("A sign and an arrow stand beside each gain and loss as well."),
    )

    def __init__(self, data: Mapping[str, Any] | None, *, stored: AccountPreferences, in_browser: str) -> None:
        super().__init__(data, auto_id="f-%s", initial={name: getattr(stored, name) for name in FIELDS})
        language: Any = self.fields["language"]
        language.choices = [("", _("The browser's language")), *settings.LANGUAGES]
        browser = _("The browser's: %(zone)s") % {"zone": in_browser} if in_browser else _("The browser's")
        zone: Any = self.fields["zone"]
        zone.choices = [
            ("", browser),
            ("UTC", "UTC"),
            *((region, [(name, name.replace("_", " ")) for name in names]) for region, names in zones_by_region()),
        ]
