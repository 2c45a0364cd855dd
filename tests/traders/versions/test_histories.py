"""Whatever people and files do, history replays to exactly what stands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_file, make_fleet, make_trader, new_trader, save_edit
from traders.fleet import services as fleet_services
from traders.models import TraderConfig, TraderConfigVersion
from traders.schema.paths import ABSENT, Change, apply, diff
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import trader_spec
from traders.sync.conflicts import services as conflicts
from traders.sync.services import sync
from traders.versions import rows
from traders.versions import services as configs
from traders.versions.bulk.rules import BulkVerb, Operation
from traders.versions.bulk.services import propose_bulk, save_bulk
from traders.versions.edit import services as edit
from traders.versions.edit.rules import ContestedChoice, rebase
from traders.versions.lifecycle import services as lifecycle
from traders.versions.restore import services as restore
from traders.versions.rules.errors import AlreadyExists, StaleEdit, UnknownConfig
from traders.versions.rules.merge import MergeSide, Preferences
from traders.versions.undo.services import UndoScope, propose_restore_to, propose_undo, restore_to, undo

pytestmark = pytest.mark.django_db

NAMES = ("a", "b", "c")
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "allocation_pct": st.decimals(0, 60, places=2),
    "detail__risk__max_positions": st.integers(1, 4),
    "detail__risk__min_confidence": st.integers(70, 72),
    "detail__description": st.sampled_from(["", "calm", "fast"]),
    "detail__extra": st.sampled_from([{}, {"note": 1}, {"note": Decimal("1.5"), "tags": ["x"]}]),
}
BULK = (
    Operation("allocation_pct", BulkVerb.TIMES, Decimal("0.5")),
    Operation("allocation_pct", BulkVerb.CAP, Decimal(20)),
    Operation("detail.risk.max_positions", BulkVerb.FLOOR, Decimal(3)),
    Operation("detail.risk.min_confidence", BulkVerb.PERCENT, Decimal(-20)),
    Operation("detail.description", BulkVerb.SET, "calm"),
)
changes = st.fixed_dictionaries({}, optional=VALUES)
names = st.sampled_from(NAMES)
operations = st.one_of(
    st.tuples(
        st.just("sync"),
        st.dictionaries(names, changes, min_size=1),
        st.sampled_from([None, MergeSide.YAML, MergeSide.DB]),
        st.booleans(),
        st.integers(0, 30),
    ),
    st.tuples(st.just("edit"), names, changes),
    st.tuples(st.just("create"), names, changes),
    st.tuples(st.just("restore"), names, st.integers(1, 6)),
    st.tuples(st.just("retire"), names, st.booleans()),
    st.tuples(st.just("settle"), st.sampled_from(MergeSide)),
    st.tuples(st.just("merge"), names, changes, st.integers(1, 3), st.sampled_from(ContestedChoice)),
    st.tuples(st.just("bulk"), st.sets(names, min_size=1), st.sampled_from(BULK)),
    st.tuples(st.just("undo"), st.integers(0, 3)),
    st.tuples(st.just("restore all"), st.integers(0, 5)),
    st.tuples(st.just("clone"), names, st.integers(1, 4), names),
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
    DOING[kind](*arguments)


def _sync(traders: dict[str, Any], prefer: MergeSide | None, retire_missing: bool, reserve: int) -> None:
    fleet = make_fleet(detail__manager__reserve_equity_pct=Decimal(reserve))
    file = make_file(*(make_trader(name, **changed) for name, changed in traders.items()), fleet=fleet)
    sync(file=file, actor="cli:test", prefer=Preferences(everywhere=prefer), retire_missing=retire_missing)


def _edit(name: str, changed: dict[str, Any]) -> None:
    save_edit(name, **_by_path(changed))


def _merge(name: str, changed: dict[str, Any], versions_ago: int, take: ContestedChoice) -> None:
    """A form that was opened some versions ago: what both sides changed is chosen."""
    began = configs.version(name, max(configs.existing(name).version - versions_ago, 1))
    mine = began.flat | _by_path(changed)
    try:
        edit.save(config_id=name, flat=mine, expected_version=began.version, reason="mine", actor="lee")
    except StaleEdit as stale:
        found = rebase(base=began.flat, theirs=stale.theirs.flat, mine=mine)
        merged = found.merged({unit[0]: take for unit in found.contested})
        edit.save(config_id=name, flat=merged, expected_version=stale.theirs.version, reason="merged", actor="lee")


def _bulk(trader_ids: set[str], operation: Operation) -> None:
    seen = propose_bulk(trader_ids=trader_ids, operations=[operation]).seen
    save_bulk(trader_ids=trader_ids, operations=[operation], seen=seen, reason="all alike", actor="lee")


def _undo(change_sets_ago: int) -> None:
    change_set = _version_before(change_sets_ago).change_set
    seen = propose_undo(change_set=change_set).fleet.seen
    undo(change_set=change_set, scope=UndoScope(), seen=seen, reason="not so", actor="lee", may_change_fleet=True)


def _restore_all(versions_ago: int) -> None:
    moment = _version_before(versions_ago).history_date
    seen = propose_restore_to(moment=moment).seen
    restore_to(moment=moment, scope=UndoScope(), seen=seen, reason="unchanged", actor="lee", may_change_fleet=True)


def _version_before(number: int) -> Any:
    """The newest version but so many, of whichever trader."""
    found = list(TraderConfigVersion.objects.order_by("-history_id")[: number + 1])
    if not found:
        raise UnknownConfig("any")
    return found[-1]


def _restore(name: str, version: int) -> None:
    current = configs.existing(name)
    restore.restore(config_id=name, version=version, expected_version=current.version, reason="back", actor="lee")


def _settle(side: MergeSide) -> None:
    waiting = {(conflict.config_id, conflict.path): side for conflict in conflicts.open_conflicts()}
    conflicts.settle(choices=waiting, reason="decided", actor="lee", may_change_fleet=True)


def _clone(name: str, version: int, new_id: str) -> None:
    lifecycle.clone(trader_id=name, version=version, new_id=new_id, reason="a second one", actor="lee")


DOING: dict[str, Callable[..., object]] = {
    "sync": _sync,
    "edit": _edit,
    "create": lambda name, changed: new_trader(name, **changed),
    "restore": _restore,
    "retire": lambda name, retired: save_edit(name, detail__retired=retired),
    "settle": _settle,
    "merge": _merge,
    "bulk": _bulk,
    "undo": _undo,
    "restore all": _restore_all,
    "clone": _clone,
}


def _by_path(changed: dict[str, Any]) -> dict[str, Any]:
    """{dotted path: value}, extensions path by path."""
    extra = changed.get("detail__extra", {})
    others = {path.replace("__", "."): value for path, value in changed.items() if path != "detail__extra"}
    return others | {f"detail.extra.{key}": value for key, value in extra.items()}


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
        assert trader_spec(row) == history[-1].spec


def assert_fleet_rule_holds() -> None:
    overview = fleet_services.overview()
    assert overview.allocation.free_pct >= 0


@given(st.lists(operations, min_size=3, max_size=12))
def test_any_sequence_of_changes_replays_from_history(sequence: list[tuple[Any, ...]]) -> None:
    with rolled_back():
        for operation in sequence:
            perform(operation)
        assert_history_replays()
        assert_fleet_rule_holds()


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
                sync(file=make_file(*declared.values()), actor="t", prefer=Preferences(everywhere=MergeSide.YAML))
        except InvalidConfig:
            return
        waiting = conflicts.open_conflicts()
        assert [conflict for conflict in waiting if conflict.config_id in (*declared, FLEET_ID)] == []
