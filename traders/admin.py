"""The operator's screens. Pages parse, call a service and answer; rules and writes are below."""

from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from traders.accounts import admin as accounts
from traders.audit import admin as audit
from traders.controls import admin as controls
from traders.fleet import admin as traders
from traders.fleet import settings_admin as fleet
from traders.prompts import admin as prompts
from traders.tokens import admin as tokens

__all__ = ["accounts", "audit", "controls", "fleet", "prompts", "tokens", "traders"]

admin.site.index_title = _("Overview")
