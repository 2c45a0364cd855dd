"""Extension keys as one JSON text, and back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Never

import simplejson
from django.utils.translation import gettext as _

from traders.schema import jsonio
from traders.schema.paths import EXTRA, Flat
from traders.schema.settings.extra import KEY_PATTERN
from traders.schema.strict_json import json_words
from traders.words.messages import translated

_PREFIX = EXTRA + "."
MOST_SAID = 20


def extra_text(flat: Mapping[str, Any]) -> str:
    """The extension keys of a flat configuration; empty when it has none."""
    keys = {path.removeprefix(_PREFIX): value for path, value in flat.items() if path.startswith(_PREFIX)}
    return simplejson.dumps(keys, use_decimal=True, ensure_ascii=False, indent=2) if keys else ""


def extra_paths(text: str) -> Flat:
    """The text as paths. Raises ValueError with the place of the error and the right form, once for each wrong key."""
    if not text.strip():
        return {}
    keys = _object(text)
    said = _("The key %(key)s must consist of letters, digits, - and _, beginning with a letter.")
    wrong = [json.dumps(key, ensure_ascii=False) for key in keys if not KEY_PATTERN.fullmatch(key)]
    if wrong:
        raise ValueError(*(said % {"key": key} for key in wrong[:MOST_SAID]))
    return {_PREFIX + key: value for key, value in keys.items()}


def without_extra(flat: Mapping[str, Any]) -> Flat:
    return {path: value for path, value in flat.items() if not path.startswith(_PREFIX)}


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(
            text, parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_without_duplicates
        )
    except json.JSONDecodeError as error:
        raise ValueError(
            _("Not JSON: line %(line)d, column %(column)d: %(message)s.")
            % {"line": error.lineno, "column": error.colno, "message": translated(json_words(error))}
        ) from None
    except RecursionError:
        raise ValueError(_("Nested too deeply.")) from None
    try:
        jsonio.require_shallow(value)
    except ValueError:
        raise ValueError(_("Nested too deeply.")) from None
    if not isinstance(value, dict):
        raise ValueError(_('Must be a JSON object such as {"team": "alpha"}.'))
    return value


def _refuse_constant(name: str) -> Never:
    raise ValueError(_("%(name)s is not a JSON value.") % {"name": name})


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(_("The key %(key)s is there twice.") % {"key": json.dumps(key, ensure_ascii=False)})
        found[key] = value
    return found
