"""The description of the engine API is one that a client can be generated from."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from enum import Enum
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from trading.api.application import api

DOCUMENT: dict[str, Any] = api.get_openapi_schema()
OPERATIONS = [
    pytest.param(operation, id=operation["operationId"])
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
]


def described_classes() -> dict[str, set[str]]:
    """{name in the description: the classes that it stands for}."""
    found: dict[str, set[str]] = defaultdict(set)
    seen: set[type] = set()
    for router in api._get_bound_routers():
        for view in router.path_operations.values():
            for operation in view.operations:
                for model in (*operation.models, *filter(None, operation.response_models.values())):
                    # What the library wraps around bodies and answers has no name of its own in the description.
                    for field in getattr(model, "model_fields", {}).values():
                        for described in _classes(field.annotation, seen):
                            found[described.__name__].add(f"{described.__module__}.{described.__qualname__}")
    assert len(found) > 50
    return found


def _classes(annotation: Any, seen: set[type]) -> Iterator[type]:
    for part in (annotation, *get_args(annotation)):
        if isinstance(part, type) and issubclass(part, BaseModel | Enum):
            if part in seen:
                continue
            seen.add(part)
            yield part
            for field in getattr(part, "model_fields", {}).values():
                yield from _classes(field.annotation, seen)
        elif part is not annotation:
            yield from _classes(part, seen)


def test_no_name_of_the_description_stands_for_two_classes() -> None:
    assert {name: classes for name, classes in described_classes().items() if len(classes) > 1} == {}


def test_the_description_names_classes_as_the_code_does() -> None:
    assert set(DOCUMENT["components"]["schemas"]) <= set(described_classes())


def test_operation_ids_are_a_verb_and_a_noun_and_unique() -> None:
    ids = [str(parameter.id) for parameter in OPERATIONS]

    assert sorted(ids) == sorted(set(ids))
    assert [name for name in ids if not re.fullmatch(r"[a-z]+(_[a-z]+)+", name)] == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_body_has_an_example(operation: Any) -> None:
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]
        assert content.get("example"), "add one to trading/api/examples.py or traders/api/examples.py"


def test_the_description_names_a_server() -> None:
    assert [server["url"] for server in DOCUMENT["servers"]] == ["/"]
