"""Prompt templates rendered: Go text/template, in all that the check at save and sync accepts.

No library of the Python index renders it without a Go binary, and the last of those is from 2023.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from traders.schema.templates.evaluation import Evaluation
from traders.schema.templates.parsing import parse
from traders.schema.templates.tokens import TemplateFailed as TemplateFailed
from traders.schema.templates.tree import ParsedTemplate

# Each trader has two, and a version in work may have two more.
_KEPT = 512


def render(template: str, data: Mapping[str, Any]) -> str:
    """The text of a template with its `data`: {field: text, number, bool, None, list or mapping of such}.

    Differs from Go where a model would be misled: a missing field is an error with its name, also in a map; numbers are
    written without exponents; `len` and `slice` count characters. Raises TemplateFailed with the line.
    """
    return Evaluation(_parsed(template), data).run()


@lru_cache(maxsize=_KEPT)
def _parsed(template: str) -> ParsedTemplate:
    return parse(template)
