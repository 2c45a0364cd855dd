"""Forms of alarms: acknowledging one, channels, and what a site changes of a rule."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.core.validators import validate_email
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from traders.schema.secrets import find_secret
from traders.words.messages import translated
from traders.words.typed_fields import TypedDecimalField
from trading.alarms import presentation
from trading.alarms.rules.catalogue import CHANGEABLE, OFF, RULES, AlarmName, AlarmRule
from trading.alarms.rules.channels import EMAIL, FLEET_CHANNEL, WEBHOOK
from trading.alarms.services import LONGEST_NAME, LONGEST_REASON
from trading.models import AlarmChannel, AlarmRuleChange

SECRET_NAME = re.compile(r"(?:NOF0_)?(?:ALARM|ALERT)_[A-Z0-9_]+")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
MOST_ADDRESS_CHARACTERS = 1000
HOURS = {"": None, "1": 1, "4": 4, "24": 24}


class AcknowledgeForm(forms.Form):
    """`hours` empty: acknowledged for good; else for so many hours."""

    hours = forms.ChoiceField(
        label=gettext_lazy("Until"),
        required=False,
        choices=[
            ("", gettext_lazy("for good")),
            ("1", gettext_lazy("for 1 hour")),
            ("4", gettext_lazy("for 4 hours")),
            ("24", gettext_lazy("for a day")),
        ],
    )

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        required=False,
        max_length=LONGEST_REASON,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    @property
    def until(self) -> datetime | None:
        hours = HOURS[self.cleaned_data["hours"]]
        return timezone.now() + timedelta(hours=hours) if hours else None


class LinkForm(AcknowledgeForm):
    """For the signed link, which knows no account."""

    field_order = ("name", "hours", "reason")

    name = forms.CharField(label=gettext_lazy("Your name"), max_length=LONGEST_NAME - len(" (link)"))


class ChannelForm(forms.ModelForm):  # type: ignore[type-arg]
    address = forms.CharField(
        label=gettext_lazy("Address"),
        max_length=MOST_ADDRESS_CHARACTERS,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "A URL that begins with https://, or e-mail addresses separated by commas. Write ${ALARM_NAME} for a part "
            "that is secret: it is read from that variable of the environment."
        ),
    )
    secret = forms.CharField(
        label=gettext_lazy("Signing key"),
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "Of a signed webhook: the name of the variable that holds its key, such as ALARM_WEBHOOK_SECRET."
        ),
    )

    class Meta:
        model = AlarmChannel
        fields = ("name", "kind", "address", "secret", "pages_only", "is_on")
        widgets = {"name": UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"})}
        labels = {"pages_only": gettext_lazy("No notices")}
        help_texts = {
            "name": gettext_lazy("1 to 64 letters, digits, '.', '_' or '-'; logs and deliveries show it."),
            "pages_only": gettext_lazy("Only alarms that page are sent to it."),
        }

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"].strip()
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", name):
            raise forms.ValidationError(_("Must be 1 to 64 letters, digits, '.', '_' or '-'."))
        if name.lower() == FLEET_CHANNEL:
            raise forms.ValidationError(_("Is the name of the channel of the fleet's settings."))
        return name

    def clean_address(self) -> str:
        address: str = self.cleaned_data["address"].strip()
        if kind := find_secret(address):
            said = _("Looks like it holds %(kind)s. Put that into a variable, and write ${ALARM_NAME} in its place.")
            raise forms.ValidationError(said % {"kind": translated(kind)})
        for name in _VARIABLE.findall(address):
            _require_secret_name(name)
        return address

    def clean_secret(self) -> str:
        secret: str = self.cleaned_data["secret"].strip()
        if secret:
            _require_secret_name(secret)
        return secret

    def clean(self) -> dict[str, Any]:
        given = super().clean() or self.cleaned_data
        kind, address, secret = given.get("kind"), given.get("address", ""), given.get("secret", "")
        if kind == EMAIL:
            for one in address.split(","):
                try:
                    validate_email(one.strip())
                except forms.ValidationError:
                    self.add_error("address", _("“%(address)s” is no e-mail address.") % {"address": one.strip()[:80]})
                    break
        elif address and not re.match(r"https?://|\$\{", address):
            self.add_error("address", _("Must be a URL that begins with https://, or ${ALARM_NAME}."))
        if kind == WEBHOOK and not secret and "secret" not in self.errors:
            self.add_error("secret", _("A signed webhook needs one."))
        if kind and kind != WEBHOOK and secret:
            self.add_error("secret", _("Only a signed webhook has one."))
        return given

    @property
    def missing_variables(self) -> list[str]:
        """Those that the channel names and the environment of this process does not have."""
        named = [*_VARIABLE.findall(self.cleaned_data["address"]), self.cleaned_data["secret"]]
        return [name for name in named if name and name not in settings.ALARM_SECRETS]


def _require_secret_name(name: str) -> None:
    if not SECRET_NAME.fullmatch(name):
        said = _("%(name)s may not be used: its name must begin with ALARM_, ALERT_, NOF0_ALARM_ or NOF0_ALERT_.")
        raise forms.ValidationError(said % {"name": name[:80]})


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """Empty fields: as the rule is declared."""

    severity = forms.ChoiceField(label=gettext_lazy("Severity"), required=False, widget=UnfoldAdminSelectWidget)
    threshold = TypedDecimalField(
        label=gettext_lazy("Threshold"),
        required=False,
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=2,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    paths = forms.CharField(
        label=gettext_lazy("Paths"),
        required=False,
        max_length=10_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=gettext_lazy(
            "One a line, such as detail.risk or allocation_pct; what lies below a path counts too. Empty: every change "
            "that raises risk."
        ),
    )

    class Meta:
        model = AlarmRuleChange
        fields = ("rule", "severity", "threshold", "paths")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["rule"] = forms.ChoiceField(
            label=_("Rule"),
            choices=[(rule.name.value, translated(rule.label)) for rule in CHANGEABLE],
            widget=UnfoldAdminSelectWidget,
            disabled=self.instance.pk is not None and not self.instance._state.adding,
        )
        chosen = self.instance.pk or self.initial.get("rule")
        rule = RULES.get(AlarmName(chosen)) if chosen in list(AlarmName) else None
        declared = presentation.severity_words()[rule.severity] if rule else ""
        choices = [("", _("as declared: %(severity)s") % {"severity": declared} if declared else _("as declared"))]
        self.fields["severity"].choices = [  # type: ignore[attr-defined]
            *choices,
            *presentation.severity_words().items(),
            (OFF, _("off")),
        ]
        if rule:
            self._fit(rule)
        if self.instance.pk:
            self.initial["paths"] = "\n".join(self.instance.paths)

    def _fit(self, rule: AlarmRule) -> None:
        """Only what the rule has."""
        if rule.threshold is None:
            del self.fields["threshold"]
        else:
            text = _HELP.get(rule.threshold.unit, _("The number of %(words)s. Empty: %(default)s."))
            told = {"words": translated(rule.threshold.words), "default": rule.threshold.default}
            self.fields["threshold"].help_text = text % told
        if not rule.takes_paths:
            del self.fields["paths"]

    def clean_severity(self) -> str | None:
        return self.cleaned_data["severity"] or None

    def clean_paths(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data["paths"].splitlines() if line.strip()]


_HELP = {
    "s": gettext_lazy("In seconds %(words)s. Empty: %(default)s."),
    "h": gettext_lazy("In hours %(words)s. Empty: %(default)s."),
}
