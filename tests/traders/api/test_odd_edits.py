"""Edits whose paths or values lie where no setting can."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.engine_client import Engine

PATH = "/configs/steady_long"


def alter(engine: Engine, changed: str) -> Any:
    return engine.send("PATCH", PATH, f'{{"expected_version": 1, "reason": "why", "set": {changed}}}')


@pytest.mark.parametrize(
    "path",
    [
        "detail.risk.max_positions.x",
        "a." * 900 + "a",
        "id.x",
        "exchange_provider.x",
        "detail.extra.a.b.c.d.e.f.g.h.i.j.k",
    ],
)
def test_a_path_that_leads_nowhere_is_a_problem_at_its_place(engine: Engine, path: str) -> None:
    reply = alter(engine, json.dumps({path: 1}))

    assert reply.status == 422
    assert reply.body["problems"]


@pytest.mark.parametrize("opened", ['{"a":', "["])
def test_what_is_nested_deeper_than_anything_can_be_is_refused(engine: Engine, opened: str) -> None:
    closed = "}" if opened == '{"a":' else "]"
    for depth, status in ((900, 400), (101, 400), (25, 422)):
        reply = alter(engine, f'{{"detail.extra.note": {opened * depth}1{closed * depth}}}')
        assert reply.status == status, depth
    assert "nested deeper than" in reply.body["detail"]


def test_a_stale_edit_with_a_path_that_leads_nowhere_is_refused(engine: Engine) -> None:
    assert alter(engine, '{"detail.risk.max_positions": 4}').status == 200
    assert alter(engine, '{"detail.risk.max_positions.x": 4}').status == 422


def test_a_moment_that_utc_has_not_is_refused(engine: Engine) -> None:
    for moment in ("0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59"):
        assert engine.get(f"{PATH}?at={moment}").status == 422


def test_a_length_that_is_no_number_is_refused(engine: Engine) -> None:
    for length in ("x", "-1", "9" * 5000, "1.5", "²"):
        assert engine.send("PATCH", PATH, "{}", **{"Content-Length": length}).status == 400
