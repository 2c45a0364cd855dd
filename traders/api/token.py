"""What a token may do, for its holder."""

from __future__ import annotations

from ninja import Router
from pydantic import Field

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS
from traders.api.wire import Answer
from traders.schema.tokens import Scope

router = Router(tags=["Token"], auth=TokenWith())


class TokenAnswer(Answer):
    """`actor` is what history and the change log call the token's holder."""

    name: str
    actor: str
    scopes: list[Scope]
    traders: list[str] | None = Field(description="The traders it is limited to; null: all.")


@router.get("/token", response={200: TokenAnswer, **REFUSALS}, summary="The token itself")
def get_token(request: EngineRequest) -> TokenAnswer:
    """Any valid token may ask: to try a token out."""
    found = request.auth
    return TokenAnswer(
        name=found.name,
        actor=found.actor,
        scopes=sorted(found.scopes),
        traders=None if found.trader_ids is None else sorted(found.trader_ids),
    )
