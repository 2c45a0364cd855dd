"""Providers and models held against the names that the files beside manager.yaml define."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from traders.manager_yaml.file import KnownNames
from traders.schema.paths import Flat
from traders.schema.problems import shown


def name_problems(flat: Flat, known: KnownNames) -> Iterator[tuple[str, str, str]]:
    """(path, key of the file, message) for each name that its file does not define."""
    for key, names, source in (
        ("exchange_provider", known.exchange_providers, "exchange.yaml"),
        ("market_provider", known.market_providers, "market.yaml"),
    ):
        name = str(flat.get(key, "")).strip()
        if name and names is not None and name not in names:
            yield key, key, f"must be a provider of {source} ({_list(names)}), was {shown(name)}{_close(name, names)}"
    model = str(flat.get("detail.llm.model", "")).strip()
    if model and known.models is not None and "/" not in model and model not in known.models:
        right = f"empty, a model of llm.yaml ({_list(known.models)}) or provider/model"
        yield "detail.llm.model", "model", f"must be {right}, was {shown(model)}{_close(model, known.models)}"


def _list(names: tuple[str, ...]) -> str:
    few = ", ".join(names[:8]) or "it has none"
    return few + (f" and {len(names) - 8} more" if len(names) > 8 else "")


def _close(name: str, names: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name[:100], names, n=1)
    return f"; did you mean {close[0]}?" if close else ""
