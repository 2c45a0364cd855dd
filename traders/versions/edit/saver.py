"""Implements `save()` of a configuration's model: applies the rules of the form and writes a new version."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from simple_history.models import HistoricalRecords

from traders.models import ManagerConfig, TraderConfig
from traders.schema.actors import AccountActor, os_actor, problem_with
from traders.schema.messages import _, message_of
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.upgrade import lift_fleet_detail, lift_trader_detail
from traders.schema.settings.validate import require_trader_id
from traders.versioned import MANAGED, OpenChange, open_change
from traders.versions import queries as configs
from traders.versions.edit.services import new_version
from traders.versions.lock import lock_fleet, locked_fleet
from traders.versions.reason import required_reason
from traders.versions.rules.errors import AlreadyExists, ConcurrentChange, ConfigError, UnknownConfig

__all__ = ["lock_fleet", "problems", "save"]

ConfigRow = TraderConfig | ManagerConfig
INITIAL = "initial"
SOURCE = "python"
_NO_REASON = _("is required: set _change_reason before save(), or save inside of change(reason=...)")


def save(row: ConfigRow, fields: Collection[str]) -> None:
    """Writes a new version with these fields of `row`, and updates `row` to the stored values.

    Raises InvalidConfig, AlreadyExists, UnknownConfig and ConcurrentChange.
    """
    opened = open_change()
    with locked_fleet(may_change_fleet=True, change_set=opened.number if opened else None) as fleet:
        stands = fleet.row(_id_of(row))
        _require_standing(row, stands)
        reason, actor = _reason(row, opened, is_first=stands is None), _actor(row, opened)
        version = new_version(fleet, _id_of(row), _nested(row, stands, fields), reason=reason)
        if version is not None:
            if not reason:
                raise InvalidConfig([Problem("reason", _NO_REASON, _id_of(row))])
            fleet.write_one(version, source=SOURCE, actor=actor, row=row)
            if opened:
                opened.number, opened.actor_of_set = fleet.change_set, actor
    row._state.adding = False
    row.__dict__.pop("_change_reason", None)


def problems(row: ConfigRow) -> Sequence[Problem]:
    """The problems for which `save` would refuse, except those of reason and actor. Writes nothing."""
    fields = {column.attname for column in row.stored_fields()} - MANAGED - row.get_deferred_fields()
    try:
        with locked_fleet() as fleet:
            stands = fleet.row(_id_of(row))
            _require_standing(row, stands)
            new_version(fleet, _id_of(row), _nested(row, stands, fields), reason="")
    except InvalidConfig as invalid:
        return invalid.problems
    except ConfigError as error:
        return [Problem("", message_of(error))]
    return []


def _id_of(row: ConfigRow) -> str:
    """Raises InvalidConfig for an id that no trader may have."""
    if isinstance(row, ManagerConfig):
        return FLEET_ID
    require_trader_id(str(row.pk or ""))
    return str(row.pk)


def _require_standing(row: ConfigRow, stands: ConfigRow | None) -> None:
    """Raises unless `row` is new, or has the stored version."""
    config_id = _id_of(row)
    if row._state.adding:
        if taken := config_id if stands else configs.same_id_ignoring_case(config_id):
            raise AlreadyExists(config_id, taken)
    elif stands is None:
        raise UnknownConfig(config_id)
    elif "version" in row.get_deferred_fields():
        raise ConcurrentChange(
            _("%(config_id)s was read without its version; read `version` too, then save it", config_id=config_id)
        )
    elif row.version != stands.version:
        raise ConcurrentChange(
            _(
                "%(config_id)s is stored in version %(stored)s, the instance is of version %(version)s; read it again, "
                "then change and save it",
                config_id=config_id,
                stored=stands.version,
                version=row.version,
            )
        )


def _nested(row: ConfigRow, stands: ConfigRow | None, fields: Collection[str]) -> dict[str, Any]:
    """The whole configuration: these fields from `row`, the others as stored."""
    names = {column.attname for column in row.stored_fields() if not column.primary_key} - MANAGED
    nested = {name: getattr(row if name in fields or stands is None else stands, name) for name in names}
    if isinstance(nested["detail"], Mapping):
        lift = lift_fleet_detail if isinstance(row, ManagerConfig) else lift_trader_detail
        try:
            nested["detail"] = lift(nested["detail"])
        except (TypeError, ValueError) as error:
            raise InvalidConfig([Problem("detail.schema_version", message_of(error), _id_of(row))]) from None
    return nested


def _reason(row: ConfigRow, opened: OpenChange | None, *, is_first: bool) -> str:
    """The reason; empty where a version needs one and none was given."""
    given = row.__dict__.get("_change_reason") or (opened.reason if opened else "")
    return required_reason(str(given)) if given else INITIAL if is_first else ""


def _actor(row: ConfigRow, opened: OpenChange | None) -> str:
    """Who saves. Raises InvalidConfig for a reserved name, and for a second actor in one change set."""
    given = row.__dict__.get("_history_user") or (opened.actor if opened else None) or _user_of_request()
    actor = _name_of(given, _id_of(row)) if given else os_actor()
    if opened and opened.actor_of_set not in (None, actor):
        message = _(
            "must be %(first)s, as in the other versions of this change set, was %(actor)s",
            first=repr(str(opened.actor_of_set)),
            actor=repr(str(actor)),
        )
        raise InvalidConfig([Problem("actor", message, _id_of(row))])
    return actor


def _user_of_request() -> Any:
    """The account of the request, where a site runs django-simple-history's middleware."""
    request = getattr(HistoricalRecords.context, "request", None)
    user = getattr(request, "user", None)
    return user if user is not None and user.is_authenticated else None


def _name_of(given: Any, config_id: str) -> str:
    if isinstance(given, AccountActor):
        return given
    if hasattr(given, "get_username"):
        if given.pk is None:
            raise InvalidConfig([Problem("actor", _("must be an account that is logged in"), config_id)])
        return AccountActor(given.get_username(), given.pk)
    actor = str(given)
    if actor != os_actor() and (problem := problem_with(actor)):
        message = _("%(actor)s cannot be used: %(problem)s", actor=repr(actor), problem=problem)
        raise InvalidConfig([Problem("actor", message, config_id)])
    return actor
