"""The base of the models whose rows have versions: `save()` makes a version, by django-simple-history.

A configuration is validated as a whole and written under the fleet's lock by services that lie above the models. They
are handed to this module by `connect` when the app starts, so that nothing here imports them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar, cast

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import DEFAULT_DB_ALIAS, models, transaction
from simple_history.manager import SIMPLE_HISTORY_REVERSE_ATTR_NAME
from simple_history.models import HistoricalChanges, HistoricalRecords, ModelChange, ModelDelta
from simple_history.signals import post_create_historical_record, pre_create_historical_record

from traders.generated import forget_generated, is_generated
from traders.schema.paths import Flat, diff
from traders.schema.problems import Problem
from traders.schema.settings.stored import flat_of, spec_of_row

MANAGED = frozenset({"version", "created_at", "updated_at", "created_by"})
"""Fields that `save()` sets itself."""


class VersionRequired(Exception):
    """A configuration was to be written without a version."""


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """What a version row holds beside the configuration. `at` is the moment of the version."""

    changed_fields: Sequence[str]
    change_set: int
    source: str
    reason: str
    actor: str
    account_id: int | None
    at: datetime


class VersionRow(HistoricalChanges, models.Model):
    """What every version carries beside the configuration: which paths changed, in which change set, by what.

    `history_user_id` is the actor's name at the time, `account_id` the account that had it: a plain number, because
    accounts may be deleted and history stays. It is empty for commands, tokens and versions from before the column.
    """

    changed_fields = ArrayField(models.TextField(), default=list, db_default=[])
    change_set = models.BigIntegerField()
    source = models.TextField()
    account_id = models.BigIntegerField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def flat(self) -> Flat:
        """The configuration as dotted paths, in today's schema. Raises pydantic.ValidationError for a foreign shape."""
        return flat_of(spec_of_row(self))

    def diff_against(
        self,
        old_history: HistoricalChanges,
        excluded_fields: Iterable[str] | None = None,
        included_fields: Iterable[str] | None = None,
        *,
        foreign_keys_are_objs: bool = False,
    ) -> ModelDelta:
        """What turns `old_history` into this version: one ModelChange for each dotted path that differs.

        A field is a path (`detail.risk.max_positions`) or a section (`detail.risk`). The value of a path that one side
        does not have is ABSENT. Raises TypeError for a version of another model.
        """
        if not (isinstance(old_history, VersionRow) and isinstance(old_history, type(self))):
            raise TypeError(f"unsupported type(s) for diffing: '{type(self)}' and '{type(old_history)}'")
        changes = [
            ModelChange(change.path, change.old, change.new)
            for change in sorted(diff(old_history.flat, self.flat), key=lambda change: change.path)
            if (included_fields is None or _is_below(change.path, included_fields))
            and not _is_below(change.path, excluded_fields or ())
        ]
        return ModelDelta(changes, [change.field for change in changes], old_history, self)


def _is_below(path: str, sections: Iterable[str]) -> bool:
    return any(path == section or path.startswith(f"{section}.") for section in sections)


class VersionRecords(HistoricalRecords):
    """History whose actor is a text: accounts may be deleted, history stays and is never updated."""

    def __init__(self, table: str, model: str, *, change_set_index: bool = False) -> None:
        """`change_set_index`: no index of the migrations begins with the change set."""
        self._change_set_index = change_set_index
        super().__init__(  # type: ignore[no-untyped-call]
            table_name=table,
            custom_model_name=model,
            history_id_field=models.BigAutoField(),
            history_change_reason_field=models.TextField(),
            history_user_id_field=models.TextField(),
            history_user_getter=_actor,
            history_user_setter=_set_actor,
            no_db_index=["id"],
        )
        # As `bases=` its methods would come behind those of HistoricalChanges.
        self.bases = (VersionRow,)

    def fields_included(self, model: Any) -> list[Any]:
        """A version holds what was saved; what PostgreSQL computes from it stands in the current row alone."""
        return [field for field in super().fields_included(model) if not is_generated(field)]  # type: ignore[no-untyped-call]

    def get_extra_fields(self, model: Any, fields: Any) -> dict[str, Any]:
        found: dict[str, Any] = super().get_extra_fields(model, fields)  # type: ignore[no-untyped-call]
        return found | ({"change_set": models.BigIntegerField(db_index=True)} if self._change_set_index else {})

    def create_historical_record(self, instance: VersionedModel, history_type: str, using: str | None = None) -> None:
        """Writes the version of a row that was just saved. Raises VersionRequired outside of `write_version`."""
        facts: VersionFacts | None = instance.__dict__.get("_version_facts")
        if facts is None:
            raise VersionRequired(f"{instance} was written without a version; call save()")
        model = instance.history.model
        version = model(
            history_date=facts.at,
            history_type=history_type,
            history_user_id=facts.actor,
            history_change_reason=facts.reason,
            changed_fields=list(facts.changed_fields),
            change_set=facts.change_set,
            source=facts.source,
            account_id=facts.account_id,
            **{column.attname: getattr(instance, column.attname) for column in model.tracked_fields},
        )
        told = {
            "instance": instance,
            "history_instance": version,
            "history_date": facts.at,
            "history_user": facts.actor,
            "history_change_reason": facts.reason,
            "using": using,
        }
        pre_create_historical_record.send(sender=model, **told)
        version.save(force_insert=True)
        post_create_historical_record.send(sender=model, **told)


def _actor(version: Any) -> str:
    return str(version.history_user_id)


def _set_actor(version: Any, actor: Any) -> None:
    version.history_user_id = None if actor is None else str(actor)


Row = TypeVar("Row", bound=models.Model)


class VersionedQuerySet(models.QuerySet[Row]):
    """Rows that are read with `select_for_update()`, also by `update_or_create()`, are locked behind the fleet.

    `save()` locks the fleet, then the row. A transaction that locked the row first would wait for one that holds the
    fleet and waits for the row.
    """

    def iterator(self, *args: Any, **options: Any) -> Iterator[Any]:
        self._lock_fleet_first()
        return super().iterator(*args, **options)

    def _fetch_all(self) -> None:
        if self._result_cache is None:
            self._lock_fleet_first()
        super()._fetch_all()

    def _lock_fleet_first(self) -> None:
        if self.query.select_for_update:
            _connected().lock_fleet()


class VersionedModel(models.Model):
    """`save()` makes a version of the whole configuration, or raises and leaves instance and database as they were.

    The reason is `_change_reason`, for one save, or that of `change()`; version 1 needs none. The actor is
    `_history_user` (an account or a name), or that of `change()`, or `cli:` and the account that runs the program.
    """

    history: Any
    _change_reason: str
    _history_user: Any

    objects = VersionedQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(  # type: ignore[override]
        self,
        *,
        force_insert: bool = False,
        force_update: bool = False,
        using: str | None = None,
        update_fields: Iterable[str] | None = None,
    ) -> None:
        """Writes nothing where nothing differs. With `update_fields` the other fields stay as they are stored.

        Raises InvalidConfig with each problem at its path, AlreadyExists, UnknownConfig, ConcurrentChange for an
        instance that is not of the stored version, and VersionRequired for `save_without_historical_record()`.
        """
        if hasattr(self, "skip_history_when_saving"):
            raise VersionRequired(f"{self} cannot be saved without a version; call save()")
        if using not in (None, DEFAULT_DB_ALIAS):
            raise ValueError(f"configurations are stored in the database {DEFAULT_DB_ALIAS!r} only, not in {using!r}")
        if force_insert and force_update:
            raise ValueError("force_insert and force_update exclude each other")
        fields = self._content_fields(update_fields)
        if update_fields is not None and not fields:
            return
        restore = _memory_of(self)
        self._state.adding = (self._state.adding or force_insert) and not force_update and not self._is_of_the_past()
        try:
            _connected().save(self, fields)
        except BaseException:
            restore()
            raise
        if (opened := open_change()) is not None:
            opened.restores.append(restore)

    def clean(self) -> None:
        """For model forms: raises ValidationError with what `save()` would refuse, but for reason and actor."""
        if problems := _connected().problems(self):
            raise ValidationError({NON_FIELD_ERRORS: [str(problem) for problem in problems]})

    @classmethod
    def stored_fields(cls) -> Sequence[models.Field[Any, Any]]:
        """The columns that a save writes."""
        return [column for column in cls._meta.concrete_fields if not is_generated(column)]

    def write_version(self, facts: VersionFacts, *, is_first: bool) -> None:
        """Writes this row and its version, unvalidated. Called by the writer of versions, under the fleet's lock.

        Raises DatabaseError where the row does not stand at the version before.
        """
        self._version_facts = facts
        try:
            self.save_base(force_insert=is_first, force_update=not is_first)
        finally:
            del self._version_facts
            forget_generated(self)

    def refresh_from_db(
        self, using: str | None = None, fields: Any = None, from_queryset: models.QuerySet[Any] | None = None
    ) -> None:
        """Raises AttributeError for a generated column of `version.instance`: the stored one is of another version."""
        if fields is not None and self._is_of_the_past():
            generated = {column.attname for column in self._meta.concrete_fields if is_generated(column)}
            if asked := generated.intersection(fields):
                raise AttributeError(f"a version of {self} has no {', '.join(sorted(asked))}: read its detail")
        super().refresh_from_db(using, fields, from_queryset)

    def _content_fields(self, names: Iterable[str] | None) -> frozenset[str]:
        """The fields of the configuration among these, or all that were read. Raises ValueError for an unknown one."""
        columns = frozenset(column.attname for column in self.stored_fields() if not column.primary_key)
        if names is None:
            return columns - MANAGED - self.get_deferred_fields()
        if unknown := set(names) - columns:
            raise ValueError(f"{self._meta.object_name} has no such field to update: {', '.join(sorted(unknown))}")
        return frozenset(names) - MANAGED

    def _is_of_the_past(self) -> bool:
        """Whether a version made this instance (`version.instance`): no new configuration, unless it got another id."""
        version = self.__dict__.get(SIMPLE_HISTORY_REVERSE_ATTR_NAME)
        return version is not None and version.id == self.pk

    def _do_update(self, base_qs: Any, *args: Any, **options: Any) -> Any:
        # The fleet's lock keeps other writers out; this holds off a program that takes no lock.
        if "_version_facts" in self.__dict__:
            base_qs = base_qs.filter(version=cast(Any, self).version - 1)
        return super()._do_update(base_qs, *args, **options)


class ConfigSaver(Protocol):
    """What `connect` is given."""

    def save(self, row: Any, fields: Collection[str]) -> None:
        """Writes a new version with these fields of `row` in one transaction, and brings `row` to what is stored."""

    def problems(self, row: Any) -> Sequence[Problem]:
        """What saving would refuse."""

    def lock_fleet(self) -> object:
        """Takes the first lock of every change, in the transaction that is open."""


@dataclass
class OpenChange:
    """The change set that `change` opened. `number` and `actor_of_set` are known after its first version."""

    reason: str
    actor: Any
    number: int | None = None
    actor_of_set: str | None = None
    restores: list[Callable[[], None]] = field(default_factory=list)


class _Thread(threading.local):
    opened: OpenChange | None = None


_thread = _Thread()
_saver: ConfigSaver | None = None


def connect(saver: ConfigSaver) -> None:
    """Hands in what writes the versions."""
    global _saver
    _saver = saver


def _connected() -> ConfigSaver:
    if _saver is None:
        raise RuntimeError("configurations can be saved after django.setup() only")
    return _saver


def open_change() -> OpenChange | None:
    """The innermost `change` that this thread is in."""
    return _thread.opened


@contextmanager
def change(*, reason: str = "", actor: Any = None) -> Iterator[None]:
    """Makes the saves inside one change set, all or nothing; an error brings the saved instances back as well.

    `actor` is an account or a name. A change inside of another one is a change set of its own.
    """
    outer, opened = _thread.opened, OpenChange(reason, actor)
    _thread.opened = opened
    try:
        with transaction.atomic():
            yield
    except BaseException:
        for restore in reversed(opened.restores):
            restore()
        raise
    finally:
        _thread.opened = outer
    if outer is not None:
        outer.restores += opened.restores


def _memory_of(row: models.Model) -> Callable[[], None]:
    """Restores the instance as it is now; its values are replaced by a save, never changed in place."""
    values, adding, database = dict(row.__dict__), row._state.adding, row._state.db

    def restore() -> None:
        row.__dict__.clear()
        row.__dict__.update(values)
        row._state.adding, row._state.db = adding, database

    return restore
