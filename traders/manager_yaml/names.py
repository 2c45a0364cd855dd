"""Checks providers and models against the names that the files beside manager.yaml define."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from traders.manager_yaml.file import KnownNames
from traders.schema.messages import TranslatableText, _, verbatim
from traders.schema.paths import Flat
from traders.schema.problems import shown

_MOST_NAMES = 8


def name_problems(flat: Flat, known: KnownNames) -> Iterator[tuple[str, str, TranslatableText]]:
    """(path, key of the file, message) for each name that its file does not define."""
    for key, names, source in (
        ("exchange_provider", known.exchange_providers, "exchange.yaml"),
        ("market_provider", known.market_providers, "market.yaml"),
    ):
        name = str(flat.get(key, "")).strip()
        if name and names is not None and name not in names:
            yield (
                key,
                key,
                _(
                    "must be a provider of %(source)s (%(names)s), was %(value)s%(hint)s",
                    source=source,
                    names=_list(names),
                    value=shown(name),
                    hint=_close(name, names),
                ),
            )
    model = str(flat.get("detail.llm.model", "")).strip()
    if model and known.models is not None and "/" not in model and model not in known.models:
        right = _("empty, a model of llm.yaml (%(names)s) or provider/model", names=_list(known.models))
        yield (
            "detail.llm.model",
            "model",
            _(
                "must be %(right)s, was %(value)s%(hint)s",
                right=right,
                value=shown(model),
                hint=_close(model, known.models),
            ),
        )


def _list(names: tuple[str, ...]) -> TranslatableText:
    if not names:
        return _("it has none")
    few = ", ".join(names[:_MOST_NAMES])
    if len(names) <= _MOST_NAMES:
        return verbatim(few)
    return _("%(names)s and %(more)s more", names=few, more=len(names) - _MOST_NAMES)


def _close(name: str, names: tuple[str, ...]) -> TranslatableText | str:
    close = difflib.get_close_matches(name[:100], names, n=1)
    return _("; did you mean %(name)s?", name=close[0]) if close else ""
