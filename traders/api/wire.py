"""JSON of the engine API, digit for digit both ways."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import BaseModel, ConfigDict, Field

from traders.schema import jsonio, strict_json
from traders.schema.settings.declare import Integer

VersionNumber = Annotated[Integer, Field(ge=1, le=2**31 - 1)]
"""Of a configuration. What no column can hold is refused here, and not by the database."""


class Body(BaseModel):
    """Base of request bodies: an unknown field is refused, because it would be lost silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(extra="forbid", frozen=True)


REDACTED = (
    "Where secrets were taken out of the texts before they were stored, once for each: `detail.answer.text`. "
    "A text says `[redacted: API key, mark 1a2b3c4d]` in place of each."
)
Redacted = Annotated[list[str], Field(description=REDACTED)]


class ExactParser(Parser):
    def parse_body(self, request: HttpRequest) -> Any:
        """Raises ValueError, in words for people."""
        try:
            text = request.body.decode()
        except UnicodeDecodeError:
            raise ValueError("is not UTF-8") from None
        return strict_json.loads(text)


class ExactRenderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        return jsonio.dumps_finite(data)
