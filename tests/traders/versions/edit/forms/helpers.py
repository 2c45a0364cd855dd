"""Forms as a browser would fill them, without a database."""

from __future__ import annotations

from typing import Any

from traders.schema.paths import Flat
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.versions.edit.forms.config import ConfigForm, posted
from traders.versions.edit.names import FormChoices

NOTHING_KNOWN = FormChoices(exchange_providers=(), market_providers=(), models=(), prompts=())


def form_of(flat: Flat, *, settings: Any = TRADER_SETTINGS, known: FormChoices = NOTHING_KNOWN) -> ConfigForm:
    return ConfigForm(settings=settings, base=flat, known=known)


def submitted(flat: Flat, *, settings: Any = TRADER_SETTINGS, reason: str = "because", **typed: str) -> ConfigForm:
    """The form of `flat` after `typed` (dots as __) was typed into it."""
    data = posted(form_of(flat, settings=settings), flat) | {"reason": reason}
    data |= {name.replace("__", "."): text for name, text in typed.items()}
    return ConfigForm(data, settings=settings, base=flat, known=NOTHING_KNOWN)
