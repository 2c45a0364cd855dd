"""What engines report beside the fields that are known: it is kept by its path, and the report is taken.

A person who misspells a field is asked; a program that reports one more than we know would lose its whole report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from pydantic import BaseModel


def split(kind: type[BaseModel], sent: Mapping[str, Any], own: frozenset[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(the fields of `sent` that `kind` and its parts know, the others by their path). `own` are paths that the site
    writes: they stay, to be refused."""
    aside: dict[str, Any] = {}
    return _split(kind, sent, "", own, aside), aside


def _split(
    kind: type[BaseModel], sent: Mapping[str, Any], path: str, own: frozenset[str], aside: dict[str, Any]
) -> dict[str, Any]:
    known: dict[str, Any] = {}
    for name, value in sent.items():
        place = f"{path}.{name}" if path else name
        if name not in kind.model_fields and place not in own:
            aside[place] = value
            continue
        part = _part_of(kind, name)
        known[name] = _split(part, value, place, own, aside) if part and isinstance(value, Mapping) else value
    return known


def _part_of(kind: type[BaseModel], name: str) -> type[BaseModel] | None:
    """The class of a field that is an object of known fields."""
    annotation = kind.model_fields[name].annotation if name in kind.model_fields else None
    for one in (annotation, *get_args(annotation)):
        if isinstance(one, type) and issubclass(one, BaseModel):
            return one
    return None
