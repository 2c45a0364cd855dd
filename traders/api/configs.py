"""Configurations: what stands now, what stood at a moment, and every version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from django.http import HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from traders.api.auth import EngineRequest, TokenWith, visible_ids
from traders.api.config_answers import Config, Version, config_of, configs_in_force, version_of
from traders.api.problems import REFUSALS
from traders.api.wire import Answer
from traders.controls import facts
from traders.schema.runtime import Moment
from traders.schema.settings.stored import StoredConfig
from traders.schema.tokens import Scope
from traders.versions import services as configs
from traders.versions.announcements import services as changes

router = Router(tags=["Configurations: read-config"], auth=TokenWith(Scope.READ_CONFIG))

ConfigIds = Annotated[list[str] | None, Query(None, description="Of these only; may be given several times.")]


Newest = Annotated[
    bool, Query(False, description="The newest version of a pinned trader too, as for an edit; it does not run.")
]


class Configs(Answer):
    cursor: str = Field(description="Where `/changes` goes on from.")
    configs: list[Config]


class VersionPage(Answer):
    """`next_before` is where the next page begins, null on the last."""

    versions: list[Version]
    next_before: int | None


@router.get("/configs", response={200: Configs, **REFUSALS}, summary="What stands now, of all traders and the fleet")
def list_configs(
    request: EngineRequest, config_id: ConfigIds = None, retired: bool = False, newest: Newest = False
) -> Configs:
    """For an engine that starts. Retired traders are left out once they are flat, unless they are named or `retired` is
    true. A token that is limited to traders gets those only.

    The cursor is from before the configurations were read: `/changes` may bring one again, but misses none.
    """
    cursor = changes.now()
    found = configs.active(visible_ids(request.auth, config_id))
    wanted = list(found.values())
    if not (retired or config_id):
        holding = facts.holding()
        wanted = [one for one in wanted if not one.flat.get("detail.retired") or one.config_id in holding]
    return Configs(cursor=str(cursor), configs=_answers(wanted, newest))


@router.get("/configs/{config_id}", response={200: Config, 304: None, **REFUSALS}, summary="One configuration")
def get_config(
    request: EngineRequest, response: HttpResponse, config_id: str, at: Moment | None = None, newest: Newest = False
) -> Config | Status[None]:
    """What stands now, or stood `at` a moment. `config_id` is a trader's, or `@manager` for the fleet's settings. Of a
    pinned trader what stands now is the pinned version.

    `ETag` names the version: with `If-None-Match` an unchanged one is answered 304.
    """
    stored = configs.existing(config_id) if at is None else configs.then(config_id, at)
    (found,) = _answers([stored], newest or at is not None)
    response.headers["ETag"] = etag = f'"v{found.version}{"r" if found.pinned and _is_retired(stored) else ""}"'
    if request.headers.get("If-None-Match") == etag:
        return Status(304, None)
    return found


@router.get(
    "/configs/{config_id}/versions", response={200: VersionPage, **REFUSALS}, summary="Its versions, newest first"
)
def list_versions(
    request: EngineRequest,
    config_id: str,
    before: Annotated[int | None, Query(None, ge=1, description="Of those older than this version.")] = None,
    limit: Annotated[int, Query(50, ge=1, le=500)] = 50,
) -> VersionPage:
    found = configs.history(config_id, before=before, limit=limit + 1)
    page = [version_of(stored) for stored in found[:limit]]
    return VersionPage(versions=page, next_before=page[-1].version if len(found) > limit else None)


@router.get("/configs/{config_id}/versions/{version}", response={200: Config, **REFUSALS}, summary="Any version, whole")
def get_version(request: EngineRequest, config_id: str, version: int) -> Config:
    return config_of(configs.version(config_id, version))


def _answers(found: Sequence[StoredConfig], newest: bool) -> list[Config]:
    return [config_of(stored) for stored in found] if newest else configs_in_force(found)


def _is_retired(stored: StoredConfig) -> bool:
    return bool(stored.flat.get("detail.retired"))
