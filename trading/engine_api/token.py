"""What a token may do, for whoever holds it."""

from __future__ import annotations

from ninja import Router

from traders.schema.tokens import Scope
from trading.engine_api.auth import EngineRequest, TokenWith
from trading.engine_api.problems import REFUSALS
from trading.engine_api.wire import Answer

router = Router(tags=["Token"], auth=TokenWith())


class TokenAnswer(Answer):
    """`actor` is what history and the change log call the token's holder."""

    name: str
    actor: str
    scopes: list[Scope]


@router.get("/token", response={200: TokenAnswer, **REFUSALS}, summary="The token itself")
def token(request: EngineRequest) -> TokenAnswer:
    """Any valid token may ask: to try a token out."""
    return TokenAnswer(name=request.auth.name, actor=request.auth.actor, scopes=sorted(request.auth.scopes))
