"""Django loads all middleware for each test client; here they are loaded once, until a setting changes."""

from __future__ import annotations

from typing import Any

from django.test import client
from django.test.signals import setting_changed

_LOADED = ("_view_middleware", "_template_response_middleware", "_exception_middleware", "_middleware_chain")
_loaded: dict[str, Any] = {}


class SharedHandler(client.ClientHandler):
    def load_middleware(self, is_async: bool = False) -> None:
        if not _loaded:
            super().load_middleware(is_async=is_async)
            _loaded.update({name: getattr(self, name) for name in _LOADED})
        for name, value in _loaded.items():
            setattr(self, name, value)


def share_middleware() -> None:
    client.ClientHandler = SharedHandler  # type: ignore[misc]
    setting_changed.connect(_forget)


def _forget(**_: Any) -> None:
    _loaded.clear()
