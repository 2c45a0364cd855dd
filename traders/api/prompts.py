"""Prompt texts, which configurations name by their digest."""

from __future__ import annotations

from typing import Annotated

from django.http import Http404, HttpResponse
from ninja import Path, Router

from traders.api.auth import EngineRequest, TokenWith
from traders.api.problems import REFUSALS
from traders.api.wire import Answer
from traders.prompts import services as prompts
from traders.schema.tokens import Scope

router = Router(tags=["Configurations: read-config"], auth=TokenWith(Scope.READ_CONFIG))


class PromptTextAnswer(Answer):
    """`body` is the template as it was stored; its bytes in UTF-8 have the digest `sha256`."""

    sha256: str
    path: str
    version: str
    body: str


@router.get("/prompts/{sha256}", response={200: PromptTextAnswer, **REFUSALS}, summary="A prompt's text")
def get_prompt(
    request: EngineRequest, response: HttpResponse, sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
) -> PromptTextAnswer:
    """Named by `detail.prompts.system_sha256` and `executor_sha256`. It never changes, so it may be cached without end.

    For a token that is limited to traders only texts exist that some version of these traders names.
    """
    limit = request.auth.trader_ids
    found = prompts.existing(sha256) if limit is None else prompts.of_traders(sha256, limit)
    if found is None:
        raise Http404
    response.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return PromptTextAnswer(sha256=found.sha256, path=found.path, version=found.version, body=found.body)
