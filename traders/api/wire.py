"""JSON of the engine API, digit for digit both ways."""

from __future__ import annotations

from typing import Annotated, Any, Self

from django.http import HttpRequest
from ninja.parser import Parser
from ninja.renderers import BaseRenderer
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from traders.schema import jsonio, moments, strict_json
from traders.schema.settings.declare import Integer

VersionNumber = Annotated[Integer, Field(ge=1, le=2**31 - 1)]
"""Of a configuration. What no column can hold is refused here, and not by the database."""


AHEAD_OF_CLOCK = "ahead_of_clock"
SERVER_TIME = "server_time_ms"


class Body(BaseModel):
    """Base of request bodies: an unknown field is refused, because it would be lost silently, and so is a moment that
    lies ahead of this server's clock."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="after")
    def _not_ahead(self) -> Self:
        """Bodies inside this one are asked themselves."""
        for name, value in self:
            if name in moments.MAY_LIE_AHEAD or isinstance(value, Body) or _holds_bodies(value):
                continue
            for found in moments.field_ahead(name, value):
                said = {"path": found.path, "message": str(found.message), "ahead_ms": found.ahead_ms}
                raise PydanticCustomError(AHEAD_OF_CLOCK, "{path} {message}", said)
        return self


def _holds_bodies(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and isinstance(value[0], Body)


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
        if not text.strip():
            raise ValueError("is missing: it holds white space only")
        return strict_json.loads(text)


class ExactRenderer(BaseRenderer):
    media_type = "application/json"

    def render(self, request: HttpRequest, data: Any, *, response_status: int) -> str:
        """Every answer says what time it is here, so that an engine can tell how far its clock is off."""
        dated = {**data, SERVER_TIME: moments.now_ms()} if isinstance(data, dict) else data
        return jsonio.dumps_finite(dated)
