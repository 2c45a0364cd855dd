"""Records that were refused because the engine's clock is ahead, counted by token."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from traders.schema import strict_json
from traders.schema.symbols import is_symbol
from traders.schema.tokens import Token
from traders.tokens import services as tokens


def note(request: HttpRequest, ahead_ms: int) -> None:
    """`ahead_ms`: how far the latest moment of the body lies ahead of this server's clock."""
    token = getattr(request, "auth", None)
    if not isinstance(token, Token):
        return
    match = request.resolver_match
    named = match.kwargs if match else {}
    what = request.path.rstrip("/").rpartition("/")[2]
    symbol = str(named.get("symbol", "")) or _symbol_of_body(request)
    tokens.note_refused(
        token.id,
        trader_id=str(named.get("trader_id", "")),
        what=what,
        symbol=symbol if is_symbol(symbol) else "",
        ahead_ms=ahead_ms,
    )


def _symbol_of_body(request: HttpRequest) -> str:
    """Empty where it names none."""
    try:
        body: Any = strict_json.loads(request.body.decode())
    except ValueError:
        return ""
    found = body.get("symbol") if isinstance(body, dict) else None
    return found if isinstance(found, str) else ""
