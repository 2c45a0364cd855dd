"""The fixtures of the engine API."""

from __future__ import annotations

from tests.engine_fixtures import _placed_at_once, engine, engine_with

__all__ = ["_placed_at_once", "engine", "engine_with"]
