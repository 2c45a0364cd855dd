"""Edits of configurations, by the services that the browser's edits go through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace as replace_problem
from typing import Annotated, Any

from ninja import Query, Status

from traders.api.auth import EngineRequest, TokenWith
from traders.api.configs import router as router
from traders.api.edit_bodies import Alteration, Altered, Edit, Effect, Replacement, Restoration
from traders.api.problems import REFUSALS, Invalid, Refusal, Stale
from traders.schema.messages import _
from traders.schema.paths import ABSENT, Change, Flat, Misplaced, flatten, same, unflatten
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import SavedVersion, id_of
from traders.schema.tokens import Scope, Token
from traders.versions import services as configs
from traders.versions.edit import services as edit
from traders.versions.restore import services as restore
from traders.versions.rules.errors import OverAllocated, UnknownConfig
from traders.versions.rules.proposal import Proposal

SOURCE = "api"
ORIGIN = "detail.cloned_from"
KEPT = ("id", "version")
KEPT_BECAUSE = _("is kept by the program: a trader's id never changes, and history numbers the versions")

ANSWERS: dict[int, Any] = {200: Effect, 201: Effect, 409: Stale | Refusal, 422: Invalid, **REFUSALS}
# They share their addresses with what is read, and an address belongs to one router.
EDITS: dict[str, Any] = {
    "auth": TokenWith(Scope.WRITE_CONFIG, fleet_scope=Scope.WRITE_FLEET),
    "tags": ["Edits: write-config, write-fleet"],
    "response": ANSWERS,
}

DryRun = Annotated[bool, Query(False, description="Answer what it would do, and write nothing.")]


@router.put("/configs/{config_id}", **EDITS, summary="Replace a configuration, or make a trader")
def replace_config(
    request: EngineRequest, config_id: str, body: Replacement, dry_run: DryRun = False
) -> Status[Effect]:
    """A new version, with the token as its author. 201 where it made a trader.

    409: another version was saved since `expected_version`. Nothing is written; the answer holds both sides.
    """
    return _edit(request, config_id, _flat(config_id, body.config), body, dry_run)


@router.patch("/configs/{config_id}", **EDITS, summary="Change some settings")
def change_config(request: EngineRequest, config_id: str, body: Alteration, dry_run: DryRun = False) -> Status[Effect]:
    """As replacing the version `expected_version` with these settings changed."""
    if not body.expected_version:
        raise UnknownConfig(config_id)
    if kept := [path for path in body.set if path.partition(".")[0] in KEPT]:
        raise InvalidConfig(Problem(path, KEPT_BECAUSE, config_id) for path in kept)
    base = configs.version(config_id, body.expected_version).flat
    if unknown := [path for path in body.unset if path not in base]:
        raise InvalidConfig(Problem(path, _("is not there to be removed"), config_id) for path in unknown)
    flat = {path: value for path, value in base.items() if path not in body.unset} | body.set
    return _edit(request, config_id, flat, body, dry_run)


@router.post("/configs/{config_id}/restore", **EDITS, summary="Restore an older version")
def restore_version(
    request: EngineRequest, config_id: str, body: Restoration, dry_run: DryRun = False
) -> Status[Effect]:
    """The older version again, as a new one. A retired trader stays retired."""
    facts: dict[str, Any] = {
        "config_id": config_id,
        "version": body.version,
        "expected_version": body.expected_version,
        "keep": body.keep,
    }
    with _figures_for(request.auth):
        proposal = restore.propose_restore(**facts)
        saved = None if dry_run else restore.restore(**facts, **_author(request, body))
    return _answered(request.auth, proposal, saved)


def _edit(request: EngineRequest, config_id: str, flat: Flat, body: Edit, dry_run: bool) -> Status[Effect]:
    try:
        unflatten(flat)
    except Misplaced as error:
        raise InvalidConfig([Problem(error.path, _("is not a known setting"), config_id)]) from None
    standing = configs.stored(config_id)
    if standing and not same(flat.get(ORIGIN), standing.flat.get(ORIGIN)):
        raise InvalidConfig(
            [Problem(ORIGIN, _("is kept by the program: it says where a trader was cloned from"), config_id)]
        )
    facts: dict[str, Any] = {"config_id": config_id, "flat": flat, "expected_version": body.expected_version}
    with _figures_for(request.auth):
        proposal = edit.propose(**facts)
        saved = None if dry_run else edit.save(**facts, **_author(request, body), source=SOURCE)
    return _answered(request.auth, proposal, saved)


def _author(request: EngineRequest, body: Edit) -> dict[str, Any]:
    return {
        "reason": body.reason,
        "actor": request.auth.actor,
        "may_change_fleet": Scope.WRITE_FLEET in request.auth.scopes,
    }


@contextmanager
def _figures_for(token: Token) -> Iterator[None]:
    """A token that does not see the fleet is refused without the fleet's sum and reserve."""
    try:
        yield
    except OverAllocated as error:
        if token.sees(FLEET_ID):
            raise
        raise InvalidConfig(
            replace_problem(problem, message=_("is more than the fleet has left")) for problem in error.problems
        ) from None


def _answered(token: Token, proposal: Proposal, saved: SavedVersion | None) -> Status[Effect]:
    """Of a version that stands as expected, so what was proposed is what was saved."""
    standing = proposal.current.version if proposal.current else 0
    effect = Effect(
        config_id=id_of(proposal.spec),
        version=saved.version if saved else standing,
        change_set=saved.change_set if saved else None,
        changes=[_altered(change, proposal) for change in proposal.changes],
        allocated_pct=proposal.after.allocated_pct if token.sees(FLEET_ID) else None,
    )
    return Status(201 if saved and saved.version == 1 else 200, effect)


def _altered(change: Change, proposal: Proposal) -> Altered:
    old, new = (None if side is ABSENT else side for side in (change.old, change.new))
    return Altered(path=change.path, old=old, new=new, raises_risk=change.path in proposal.riskier)


def _flat(config_id: str, config: Any) -> Flat:
    if not isinstance(config, dict):
        raise InvalidConfig([Problem("config", _("must be an object"), config_id)])
    named = config.get("id", config_id)
    if named != config_id:
        raise InvalidConfig(
            [
                Problem(
                    "config.id",
                    _(
                        "must be %(config_id)s as in the address, was %(named)s",
                        config_id=repr(config_id),
                        named=repr(named),
                    ),
                    config_id,
                )
            ]
        )
    return flatten(config)
