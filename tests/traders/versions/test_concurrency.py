"""Many hands at once, with real threads and connections: the result is as if they had come in turn."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction

from tests.at_once import at_once
from tests.factories import PROMPTS, make_file, make_trader, new_trader, save_edit, sync_traders
from traders.fleet import services as fleet_services
from traders.models import TraderConfigVersion
from traders.prompt_texts import writer as prompts
from traders.schema.problems import InvalidConfig
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.services import sync
from traders.versions import services as configs
from traders.versions.edit import services as edit
from traders.versions.rules.errors import AlreadyExists, StaleEdit

pytestmark = pytest.mark.django_db(transaction=True)


def versions_of(trader_id: str) -> list[int]:
    return list(TraderConfigVersion.objects.filter(id=trader_id).order_by("version").values_list("version", flat=True))


def edit_of(version: int, **changed: Any) -> Callable[[], Any]:
    flat = configs.existing("steady_long").flat | {path.replace("__", "."): value for path, value in changed.items()}
    return lambda: edit.save(
        config_id="steady_long", flat=flat, expected_version=version, reason="at once", actor="mei"
    )


def test_of_many_edits_of_one_version_one_is_saved_and_the_others_are_told() -> None:
    sync_traders(make_trader())

    results = at_once(*(edit_of(1, detail__risk__max_positions=n) for n in range(4, 12)))

    assert sum(not isinstance(result, Exception) for result in results) == 1
    assert all(isinstance(result, StaleEdit) for result in results if isinstance(result, Exception))
    assert versions_of("steady_long") == [1, 2]


def test_two_raises_that_fit_singly_but_not_together_cannot_both_be_saved() -> None:
    sync_traders(make_trader("a", allocation_pct=Decimal(35)), make_trader("b", allocation_pct=Decimal(35)))

    results = at_once(
        lambda: save_edit("a", allocation_pct=Decimal(50)), lambda: save_edit("b", allocation_pct=Decimal(50))
    )

    assert [isinstance(result, InvalidConfig) for result in results].count(True) == 1
    assert fleet_services.overview().allocation.allocated_pct == 85


def test_a_raise_and_a_larger_reserve_cannot_both_be_saved() -> None:
    sync_traders(make_trader("a", allocation_pct=Decimal(70)))

    results = at_once(
        lambda: save_edit("a", allocation_pct=Decimal(85)),
        lambda: save_edit(FLEET_ID, detail__manager__reserve_equity_pct=Decimal(25)),
    )

    assert [isinstance(result, InvalidConfig) for result in results].count(True) == 1
    assert fleet_services.overview().allocation.free_pct >= 0


@pytest.mark.parametrize("synced_before", [True, False])
def test_of_many_creations_of_one_trader_one_is_saved(synced_before: bool) -> None:
    if synced_before:
        sync_traders(make_trader("other"))
    else:
        prompts.keep(PROMPTS.values())

    results = at_once(*(lambda name=name: new_trader(name) for name in ("fresh", "Fresh", "fresh", "FRESH")))

    assert sum(isinstance(result, AlreadyExists) for result in results) == 3
    assert TraderConfigVersion.objects.filter(id__iexact="fresh").count() == 1


def test_new_traders_on_an_empty_database_hold_the_fleet_rule() -> None:
    prompts.keep(PROMPTS.values())

    results = at_once(*(lambda n=n: new_trader(f"t{n}", allocation_pct=Decimal(60)) for n in range(4)))

    assert sum(isinstance(result, InvalidConfig) for result in results) == 3
    assert fleet_services.overview().allocation.allocated_pct == 60


def test_two_first_syncs_at_the_same_moment_make_one_version_each() -> None:
    file = make_file(make_trader("a"), make_trader("b"))

    results = at_once(*(lambda: sync(file=file, actor="cli:mei") for _ in range(3)))

    assert sorted(report.summary()["inserted"] for report in results) == [0, 0, 3]
    assert (versions_of("a"), versions_of("b")) == ([1], [1])


def test_two_different_syncs_at_the_same_moment_run_in_turn() -> None:
    sync_traders(make_trader())
    files = [make_file(make_trader(detail__risk__max_positions=n)) for n in (5, 6)]

    results = at_once(*(lambda file=file: sync(file=file, actor="cli:mei") for file in files))

    assert [len(report.versions) for report in results] == [1, 1]
    assert versions_of("steady_long") == [1, 2, 3]
    assert configs.existing("steady_long").flat["detail.risk.max_positions"] in (5, 6)


def test_a_sync_and_an_edit_of_other_paths_lose_nothing() -> None:
    sync_traders(make_trader())
    file = make_file(make_trader(detail__risk__max_positions=9))

    results = at_once(lambda: sync(file=file, actor="cli:mei"), edit_of(1, detail__risk__min_confidence=88))

    stored = configs.existing("steady_long")
    assert stored.flat["detail.risk.max_positions"] == 9
    if isinstance(results[1], StaleEdit):
        assert versions_of("steady_long") == [1, 2]
    else:
        assert stored.flat["detail.risk.min_confidence"] == 88
        assert versions_of("steady_long") == [1, 2, 3]


def test_a_version_written_after_waiting_for_a_lock_is_dated_after_the_one_it_waited_for() -> None:
    sync_traders(make_trader("a"), make_trader("b"))

    at_once(*(lambda name=name: save_edit(name, detail__risk__max_positions=8) for name in ("a", "b")))

    first, second = sorted((configs.existing(name) for name in ("a", "b")), key=lambda stored: stored.change_set)
    assert first.changed_at < second.changed_at


def test_a_listener_is_told_once_per_change_set_and_only_after_the_commit() -> None:
    sync_traders(make_trader("a"), make_trader("b"))
    with connection.cursor() as cursor:
        cursor.execute("LISTEN trader_config_changed")
    assert connection.connection is not None

    def heard(count: int = 0) -> list[str]:
        """So many announcements, and any that are too many."""
        told = list(connection.connection.notifies(timeout=60, stop_after=count)) if count else []
        return [notice.payload for notice in [*told, *connection.connection.notifies(timeout=0.2)]]

    def change_both_then(fail: bool) -> None:
        with transaction.atomic():
            file = make_file(
                make_trader("a", detail__risk__max_positions=5), make_trader("b", detail__risk__max_positions=5)
            )
            sync(file=file, actor="cli:mei")
            assert not fail

    (failed,) = at_once(lambda: change_both_then(fail=True))
    assert isinstance(failed, AssertionError)
    assert heard() == []
    at_once(lambda: change_both_then(fail=False))
    assert heard(1) == [f'{{"change_set":{configs.existing("a").change_set}}}']
