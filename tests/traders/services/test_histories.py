"""Whatever people and files do, history replays to exactly what stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import make_file, make_fleet, make_trader, new_trader, save_edit
from traders.models import TraderConfig, TraderConfigVersion
from traders.repositories import rows
from traders.rules.errors import AlreadyExists, UnknownConfig
from traders.rules.merge import Preferences, Side
from traders.schema.fleet import FLEET_ID
from traders.schema.paths import ABSENT, Change, apply, diff
from traders.schema.problems import InvalidConfig
from traders.services import configs, conflicts, restore
from traders.services.sync import sync

pytestmark = pytest.mark.django_db

NAMES = ("a", "b", "c")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "allocation_pct": st.decimals(0, 60, places=2),
    "detail__risk__max_positions": st.integers(1, 4),
    "detail__risk__min_confidence": st.integers(70, 72),
    "detail__description": st.sampled_from(["", "calm", "fast"]),
    "detail__extra": st.sampled_from([{}, {"note": 1}, {"note": Decimal("1.5"), "tags": ["x"]}]),
}
changes = st.fixed_dictionaries({}, optional=VALUES)
names = st.sampled_from(NAMES)
operations = st.one_of(
    st.tuples(
        st.just("sync"),
        st.dictionaries(names, changes, min_size=1),
        st.sampled_from([None, Side.YAML, Side.DB]),
        st.booleans(),
        st.integers(0, 30),
    ),
    st.tuples(st.just("edit"), names, changes),
    st.tuples(st.just("create"), names, changes),
    st.tuples(st.just("restore"), names, st.integers(1, 6)),
    st.tuples(st.just("retire"), names, st.booleans()),
    st.tuples(st.just("settle"), st.sampled_from(Side)),
)


@contextmanager
def rolled_back() -> Iterator[None]:
    """An example of its own inside the test's transaction, with every deferred rule of the database checked."""
    with transaction.atomic():
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        transaction.set_rollback(True)


def perform(operation: tuple[Any, ...]) -> None:
    """Does it; a refusal is an answer, too, and must leave nothing behind."""
    try:
        with transaction.atomic():
            _perform(*operation)
    except (InvalidConfig, UnknownConfig, AlreadyExists):
        pass


def _perform(kind: str, *arguments: Any) -> None:
    if kind == "sync":
        traders, prefer, retire_missing, reserve = arguments
        fleet = make_fleet(detail__manager__reserve_equity_pct=Decimal(reserve))
        file = make_file(*(make_trader(name, **changed) for name, changed in traders.items()), fleet=fleet)
        sync(file=file, actor="cli:test", prefer=Preferences(everywhere=prefer), retire_missing=retire_missing)
    elif kind == "edit":
        name, changed = arguments
        extra = changed.pop("detail__extra", {})
        save_edit(name, **changed, **{f"detail.extra.{key}": value for key, value in extra.items()})
    elif kind == "create":
        name, changed = arguments
        new_trader(name, **changed)
    elif kind == "restore":
        name, version = arguments
        current = configs.existing(name)
        restore.restore(config_id=name, version=version, expected_version=current.version, reason="back", actor="lee")
    elif kind == "retire":
        name, retired = arguments
        save_edit(name, detail__retired=retired)
    elif kind == "settle":
        (side,) = arguments
        waiting = {(conflict.config_id, conflict.path): side for conflict in conflicts.open_conflicts()}
        conflicts.settle(choices=waiting, reason="decided", actor="lee")


def assert_history_replays() -> None:
    for row in TraderConfig.objects.all():
        history = [
            rows.stored(version) for version in TraderConfigVersion.objects.filter(id=row.pk).order_by("version")
        ]
        assert [version.version for version in history] == list(range(1, row.version + 1))
        times = [version.changed_at for version in history]
        assert times == sorted(set(times))
        replayed = history[0].flat
        for before, after in pairwise(history):
            assert {change.path for change in diff(before.flat, after.flat)} == set(after.changed_fields)
            replayed = apply(
                replayed, [Change(path, ABSENT, after.flat.get(path, ABSENT)) for path in after.changed_fields]
            )
        assert diff(replayed, history[-1].flat) == []
        assert rows.trader_spec(row) == history[-1].spec


def assert_fleet_rule_holds() -> None:
    overview = configs.overview()
    assert overview.allocation.free_pct >= 0


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(operations, min_size=3, max_size=12))
def test_any_sequence_of_changes_replays_from_history(sequence: list[tuple[Any, ...]]) -> None:
    with rolled_back():
        for operation in sequence:
            perform(operation)
        assert_history_replays()
        assert_fleet_rule_holds()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(operations, max_size=8), st.dictionaries(names, changes, min_size=1))
def test_a_file_synced_twice_makes_no_version_the_second_time(
    sequence: list[tuple[Any, ...]], traders: dict[str, dict[str, Any]]
) -> None:
    with rolled_back():
        for operation in sequence:
            perform(operation)
        file = make_file(*(make_trader(name, **changed) for name, changed in traders.items()))
        try:
            with transaction.atomic():
                sync(file=file, actor="cli:test")
        except InvalidConfig:
            return
        assert sync(file=file, actor="cli:test").versions == []


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(operations, max_size=8), st.dictionaries(names, changes, min_size=1))
def test_a_file_that_wins_everywhere_leaves_no_conflict_open(
    sequence: list[tuple[Any, ...]], traders: dict[str, dict[str, Any]]
) -> None:
    with rolled_back():
        for operation in sequence:
            perform(operation)
        declared = {name: make_trader(name, **changed) for name, changed in traders.items()}
        try:
            with transaction.atomic():
                sync(file=make_file(*declared.values()), actor="t", prefer=Preferences(everywhere=Side.YAML))
        except InvalidConfig:
            return
        waiting = conflicts.open_conflicts()
        assert [conflict for conflict in waiting if conflict.config_id in (*declared, FLEET_ID)] == []
