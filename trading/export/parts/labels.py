"""Who the traders are, as documents say it beside their ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from trading.export.parts.published import published
from trading.export.queries.fleet import Result
from trading.schema.published import TraderLabel, label_of

Labels = Mapping[str, TraderLabel]


def labels_of(results: Sequence[Result]) -> dict[str, TraderLabel]:
    return {
        one.trader_id: _label(one.trader_id, one.display_name, one.llm_model, one.version, is_on_paper=one.is_on_paper)
        for one in results
    }


@lru_cache(maxsize=10_000)
def _label(trader_id: str, display_name: str, llm_model: str, version: int, *, is_on_paper: bool) -> TraderLabel:
    """Once for each version, so that a secret in it is logged once."""
    said = published({"display_name": display_name, "llm_model": llm_model}, f"the trader {trader_id}")
    return label_of(trader_id, version=version, paper_only=is_on_paper, **said)
