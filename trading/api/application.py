"""The engine API put together: its routers, its JSON, its refusals and the page that explains it."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, URLResolver, path
from ninja import NinjaAPI
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from traders.api import controls, cooldowns, edits, problems, prompts, runtime, token
from traders.api.changes import endpoint as changes
from traders.api.wire import SERVER_TIME, ExactParser, ExactRenderer
from traders.controls.rules import UnknownControl
from traders.schema.problems import Problem
from trading.alarms.services import UnknownAlarm
from trading.api import alarms, corrections, differences, journal, parts, prices, record, transfers
from trading.api.docs_page import DocsPage
from trading.api.examples import EXAMPLES, OPERATION_IDS
from trading.record.rules.errors import (
    AlreadyOpen,
    ConcurrentRecord,
    InvalidRecord,
    NoOpenPosition,
    RecordConflict,
    SetAside,
    UnknownRecord,
    UnknownTrader,
)

SERVER_TIME_SCHEMA = {"title": "Server Time Ms", "type": "integer", "description": "This server's clock."}

DESCRIPTION = """
For trading engines and tools. Every change made here is the same change as in the browser: the same rules, the same
history, the same conflicts.

* `Authorization: Bearer nof0_...` with a token of the page *API tokens*; each endpoint names the scope it needs. The
  fleet's settings (`@manager`) are changed with write-fleet, traders with write-config.
* A token that is limited to traders sees no others: they are answered 404, and lists leave them out.
* 429 with `Retry-After`: the token asks too often. Never for heartbeat, parts and close of a
  position, trades, equity and transfers.
* Numbers keep every digit. Times are RFC 3339, those that end in `_ms` milliseconds since 1970.
* Every answer carries `server_time_ms`. A moment more than CLOCK_AHEAD_SECONDS (300) ahead of this server's clock is
  refused (422) with both, and the refusals of a token are counted on the page *API tokens*.
* A refusal is `{"error", "detail"}`; 422 adds `problems` with the path of each, 409 of an edit adds both sides.
* 503 with `Retry-After`: the database is away, locked, full or read-only. `detail` says whether nothing was written or
  that is not known. Sending the same again is always safe.
"""
# As pydantic says it of the library's model around a body.
BODY_IS_MISSING = ("missing", ("body", "body"))


class EngineApi(NinjaAPI):
    """Operations have names that read well, bodies have examples, and an address may end in a slash. Every answer
    carries `server_time_ms`, which the renderer adds."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        name = operation.view_func.__name__
        return OPERATION_IDS.get(name, name)

    def get_openapi_schema(self, **options: Any) -> OpenAPISchema:
        document = super().get_openapi_schema(**options)
        schemas = document["components"]["schemas"]
        for methods in document["paths"].values():
            for operation in methods.values():
                for name in filter(None, map(_answer_name, operation.get("responses", {}).values())):
                    schemas[name]["properties"][SERVER_TIME] = SERVER_TIME_SCHEMA
                if (body := operation.get("requestBody")) and (example := EXAMPLES.get(operation["operationId"])):
                    body["content"]["application/json"]["example"] = example
        return document

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        """A missing body is answered with each field that it needs."""
        found = super().validation_error_from_error_contexts(error_contexts)
        bodies = [context.model for context in error_contexts if context.model.__ninja_param_source__ == "body"]
        if bodies and BODY_IS_MISSING in [(error["type"], error["loc"]) for error in found.errors]:
            body: Any = bodies[0].model_fields["body"].annotation
            names = ["body", *(name for name, field in body.model_fields.items() if field.is_required())]
            return ValidationError([{"type": "missing", "loc": ("body", "body", name)} for name in names])
        return found

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        patterns, app, namespace = super().urls
        # Not a redirect, which would lose the body of a POST.
        slashed = [
            path(f"{pattern.pattern}/", pattern.callback)
            for pattern in patterns
            if isinstance(pattern, URLPattern) and str(pattern.pattern)
        ]
        return [*patterns, *slashed], app, namespace


def _answer_name(response: dict[str, Any]) -> str:
    """Of the schema that a response holds; empty for none, or a choice of several."""
    content = response.get("content", {}).get("application/json", {}).get("schema", {})
    return str(content.get("$ref", "")).rpartition("/")[2]


api = EngineApi(
    title="NOF0 Control engine API",
    version="1",
    description=DESCRIPTION,
    urls_namespace="engine_api",
    servers=[{"url": "/", "description": "The server that serves this page"}],
    docs=DocsPage(settings={"persistAuthorization": False, "docExpansion": "list", "defaultModelsExpandDepth": 0}),
    parser=ExactParser(),
    renderer=ExactRenderer(),
)
problems.answer_problems(
    api,
    missing=[UnknownTrader, UnknownRecord, UnknownControl, UnknownAlarm],
    conflicts=[AlreadyOpen, NoOpenPosition, RecordConflict, ConcurrentRecord, SetAside],
    invalid={InvalidRecord: lambda error: Problem(error.field, error.reason)},
)
# The router of `edits` is that of `configs`, and holds both.
for router in (
    *(token.router, edits.router, changes.router, prompts.router),
    *(
        runtime.router,
        cooldowns.router,
        controls.router,
        journal.router,
        parts.router,
        record.router,
        transfers.router,
        corrections.router,
        prices.router,
        differences.router,
        alarms.router,
    ),
):
    api.add_router("", router)
