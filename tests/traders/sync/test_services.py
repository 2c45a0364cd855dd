from __future__ import annotations

from decimal import Decimal

import pytest

from tests.factories import FLEET, make_file, make_fleet, make_trader, new_trader, save_edit, sync_traders
from traders.manager_yaml.file import ManagerFile
from traders.models import PromptText, TraderConfigVersion, YamlBase
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.prompts import read_prompt
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.conflicts import services as conflicts
from traders.sync.rules import ExitCode, SyncAction
from traders.sync.services import sync
from traders.versions import services as configs
from traders.versions.rules.merge import MergeSide, Preferences

pytestmark = pytest.mark.django_db

POSITIONS = "detail.risk.max_positions"


def positions(trader_id: str = "steady_long") -> tuple[int, int]:
    stored = configs.existing(trader_id)
    return stored.version, stored.flat[POSITIONS]


def test_the_first_sync_stores_every_trader_the_fleet_settings_and_the_prompts() -> None:
    report = sync(file=make_file(make_trader("a"), make_trader("b")), actor="cli:mei")

    assert report.summary()["inserted"] == 3
    assert report.exit_code is ExitCode.DONE
    first = configs.existing("a")
    assert (first.version, first.reason, first.changed_by, first.source) == (1, "initial", "cli:mei", "sync")
    assert first.changed_fields == ()
    assert configs.existing(FLEET_ID).flat.items() >= FLEET.items()
    assert PromptText.objects.count() == 2
    assert {row.change_set for row in TraderConfigVersion.objects.all()} == {report.change_set}


def test_a_second_sync_of_the_same_file_makes_no_version() -> None:
    file = make_file(make_trader("a"), make_trader("b"))
    sync(file=file, actor="cli:mei")

    report = sync(file=file, actor="cli:mei")

    assert (report.unchanged, report.outcomes, report.change_set) == (3, (), None)
    assert TraderConfigVersion.objects.count() == 2


def test_only_what_the_file_changed_is_applied_and_an_operators_edit_stays() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__min_confidence=90)

    report = sync(file=make_file(make_trader(detail__risk__max_positions=5)), actor="cli:mei")

    (outcome,) = report.outcomes
    assert (outcome.action, outcome.version) == (SyncAction.UPDATED, 3)
    assert [(change.path, change.old, change.new) for change in outcome.changes] == [(POSITIONS, 3, 5)]
    stored = configs.existing("steady_long")
    assert stored.flat[POSITIONS] == 5
    assert stored.flat["detail.risk.min_confidence"] == 90
    assert stored.reason == "sync of manager.yaml"


def test_the_same_change_on_both_sides_makes_no_version() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__max_positions=5)

    report = sync(file=make_file(make_trader(detail__risk__max_positions=5)), actor="cli:mei")

    assert [outcome.action for outcome in report.outcomes] == [SyncAction.ADOPTED]
    assert positions() == (2, 5)
    save_edit("steady_long", detail__risk__max_positions=6)
    sync(file=make_file(make_trader(detail__risk__max_positions=5)), actor="cli:mei")
    assert positions() == (3, 6)


def test_a_path_changed_differently_on_both_sides_waits_and_the_rest_is_applied() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__max_positions=4)
    file = make_file(make_trader(detail__risk__max_positions=5, detail__risk__min_confidence=60))

    report = sync(file=file, actor="cli:mei")

    assert report.exit_code is ExitCode.CONFLICTS
    ((config_id, conflict),) = report.open_conflicts
    assert (config_id, conflict.path) == ("steady_long", POSITIONS)
    assert (conflict.base, conflict.file, conflict.stored) == (3, 5, 4)
    stored = configs.existing("steady_long")
    assert (stored.flat[POSITIONS], stored.flat["detail.risk.min_confidence"]) == (4, 60)
    (waiting,) = conflicts.open_conflicts()
    assert (waiting.base, waiting.file, waiting.stored, waiting.version) == (3, 5, 4, 3)
    again = sync(file=file, actor="cli:mei")
    assert (len(again.open_conflicts), len(again.versions)) == (1, 0)


@pytest.mark.parametrize(("side", "expected"), [(MergeSide.YAML, (3, 5)), (MergeSide.DB, (2, 4))])
def test_a_preference_settles_conflicts_for_good(side: MergeSide, expected: tuple[int, int]) -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__max_positions=4)
    file = make_file(make_trader(detail__risk__max_positions=5))
    sync(file=file, actor="cli:mei")

    report = sync(file=file, actor="cli:mei", prefer=Preferences(by_path={f"steady_long:{POSITIONS}": side}))

    assert report.exit_code is ExitCode.DONE
    assert positions() == expected
    assert conflicts.open_conflicts() == []
    assert sync(file=file, actor="cli:mei").outcomes == ()


def test_a_conflict_that_the_operator_resolves_by_hand_is_gone_at_the_next_sync() -> None:
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__max_positions=4)
    file = make_file(make_trader(detail__risk__max_positions=5))
    sync(file=file, actor="cli:mei")
    save_edit("steady_long", detail__risk__max_positions=5)

    report = sync(file=file, actor="cli:mei")

    assert (report.exit_code, conflicts.open_conflicts()) == (ExitCode.DONE, [])


def test_a_trader_made_in_the_browser_is_adopted_where_equal_and_in_conflict_where_not() -> None:
    sync_traders(make_trader())
    new_trader("fresh", detail__risk__max_positions=4)
    file = make_file(make_trader(), make_trader("fresh", detail__risk__max_positions=5))

    report = sync(file=file, actor="cli:mei")

    assert [(name, conflict.path) for name, conflict in report.open_conflicts] == [("fresh", POSITIONS)]
    assert positions("fresh") == (1, 4)
    changed = make_file(make_trader(), make_trader("fresh", detail__risk__max_positions=5, detail__auto_start=True))
    sync(file=changed, actor="cli:mei")
    assert configs.existing("fresh").flat["detail.auto_start"] is True


def test_an_extension_key_that_only_the_file_has_stays_in_conflict_until_somebody_picks() -> None:
    sync_traders(make_trader())
    new_trader("fresh")
    file = make_file(make_trader(), make_trader("fresh", detail__extra={"note": 1}))
    sync(file=file, actor="cli:mei")

    again = sync(file=file, actor="cli:mei")

    assert [(name, conflict.path) for name, conflict in again.open_conflicts] == [("fresh", "detail.extra.note")]
    assert configs.existing("fresh").version == 1


def test_a_key_removed_from_the_file_means_its_default() -> None:
    sync_traders(make_trader(detail__exec_guards__candidate_limit=25))

    sync(file=make_file(make_trader()), actor="cli:mei")

    assert configs.existing("steady_long").flat["detail.exec_guards.candidate_limit"] == 10


def test_the_same_values_spelled_otherwise_are_unchanged() -> None:
    sync_traders(make_trader(allocation_pct=Decimal("20.00"), detail__extra={"a": 1, "b": 2}))
    again = make_trader(allocation_pct=Decimal(20), detail__extra={"b": 2, "a": Decimal("1.0")})

    report = sync(file=make_file(again), actor="cli:mei")

    assert (report.outcomes, report.unchanged) == ((), 2)


def test_a_missing_trader_is_reported_and_retired_only_on_demand() -> None:
    sync_traders(make_trader("a", allocation_pct=Decimal(40)), make_trader("b", allocation_pct=Decimal(40)))
    file = make_file(make_trader("a", allocation_pct=Decimal(40)))

    report = sync(file=file, actor="cli:mei")
    assert [(missing.trader_id, missing.allocation_pct) for missing in report.missing] == [("b", Decimal("40.00"))]
    assert configs.existing("b").version == 1

    report = sync(file=file, actor="cli:mei", retire_missing=True)
    assert [(outcome.config_id, outcome.action) for outcome in report.outcomes] == [("b", SyncAction.RETIRED)]
    retired = configs.existing("b")
    assert (retired.version, retired.flat["detail.retired"]) == (2, True)
    assert sync(file=file, actor="cli:mei", retire_missing=True).outcomes == ()


def test_a_retired_trader_back_in_the_file_stays_retired() -> None:
    sync_traders(make_trader("a"), make_trader("b"))
    sync(file=make_file(make_trader("a")), actor="cli:mei", retire_missing=True)

    sync(file=make_file(make_trader("a"), make_trader("b")), actor="cli:mei")

    assert configs.existing("b").flat["detail.retired"] is True


def test_a_sum_over_file_and_database_names_what_the_file_lacks() -> None:
    sync_traders(make_trader("a", allocation_pct=Decimal(40)), make_trader("b", allocation_pct=Decimal(40)))
    file = make_file(make_trader("a", allocation_pct=Decimal(60)))

    with pytest.raises(InvalidConfig) as refusal:
        sync(file=file, actor="cli:mei")
    assert "fleet's sum 100.00 %, 10.00 % above the 90 %" in str(refusal.value)
    assert "(b 40.00 %): retire them with --retire-missing" in str(refusal.value)
    assert configs.existing("a").version == 1

    assert sync(file=file, actor="cli:mei", retire_missing=True).summary()["retired"] == 1


def test_a_sum_above_the_fleet_is_told_where_it_came_from() -> None:
    sync_traders(make_trader("a", allocation_pct=Decimal(40)), make_trader("b", allocation_pct=Decimal(40)))

    def problem_of(file: ManagerFile) -> Problem:
        with pytest.raises(InvalidConfig) as refusal:
            sync(file=file, actor="cli:mei")
        return refusal.value.problems[0]

    raised, kept = make_trader("a", allocation_pct=Decimal(60)), make_trader("b", allocation_pct=Decimal(40))
    assert problem_of(make_file(raised, kept)).trader_id == "a"
    assert problem_of(make_file(raised, kept)).message.endswith("; at most 50.00 % fits")
    both = problem_of(make_file(raised, make_trader("b", allocation_pct=Decimal(50))))
    assert (both.trader_id, both.message.partition("; ")[2]) == ("", "lower some of a 60 %, b 50 %")


def test_a_sync_that_fails_for_one_trader_changes_none() -> None:
    sync_traders(make_trader("a"), make_trader("b"))
    before = YamlBase.objects.get(pk="a").synced_at

    with pytest.raises(InvalidConfig):
        sync(
            file=make_file(
                make_trader("a", detail__auto_start=True),
                make_trader("b", allocation_pct=Decimal(90)),
                make_trader("c", allocation_pct=Decimal(90)),
            ),
            actor="cli:mei",
        )

    assert TraderConfigVersion.objects.count() == 2
    assert YamlBase.objects.get(pk="a").synced_at == before


def test_a_check_says_what_would_change_and_changes_nothing() -> None:
    sync_traders(make_trader())
    file = make_file(make_trader(detail__risk__max_positions=5), make_trader("new"), sha256="1" * 64)

    report = sync(file=file, actor="cli:mei", check=True)

    assert report.exit_code is ExitCode.WOULD_CHANGE
    assert {outcome.config_id: outcome.action for outcome in report.outcomes} == {
        "steady_long": SyncAction.UPDATED,
        "new": SyncAction.INSERTED,
    }
    assert positions() == (1, 3)
    assert configs.stored("new") is None
    assert YamlBase.objects.get(pk=FLEET_ID).file_sha256 == "0" * 64
    assert sync(file=make_file(make_trader()), actor="cli:mei", check=True).exit_code is ExitCode.DONE


def test_only_some_traders_can_be_synced() -> None:
    sync_traders(make_trader("a"), make_trader("b"))
    changed = make_file(
        make_trader("a", detail__risk__max_positions=5),
        make_trader("b", detail__risk__max_positions=5),
        fleet=make_fleet(detail__manager__allocation_strategy="equal"),
    )

    report = sync(file=changed, actor="cli:mei", only=["b"])

    assert [outcome.config_id for outcome in report.outcomes] == ["b"]
    assert (positions("a"), positions("b")) == ((1, 3), (2, 5))
    assert configs.existing(FLEET_ID).version == 1
    with pytest.raises(InvalidConfig, match=r"ghost is not in etc/manager\.yaml"):
        sync(file=changed, actor="cli:mei", only=["ghost"])


def test_a_changed_prompt_text_is_a_changed_config() -> None:
    sync_traders(make_trader())
    prompt = read_prompt("prompts/manager/long.tmpl", b"{{/* Version: v1.0.0 */}}\nSell what falls.\n")

    report = sync(
        file=make_file(make_trader(detail__prompts__system_sha256=prompt.sha256), prompts=(prompt,)), actor="cli:mei"
    )

    assert [change.path for change in report.outcomes[0].changes] == ["detail.prompts.system_sha256"]
    assert PromptText.objects.get(pk=prompt.sha256).body == prompt.body


def test_an_id_that_differs_in_letter_case_only_is_refused() -> None:
    sync_traders(make_trader("Alpha"))

    with pytest.raises(InvalidConfig, match="exists already as 'Alpha'"):
        sync(file=make_file(make_trader("alpha")), actor="cli:mei")


def test_a_given_reason_stands_on_every_version() -> None:
    sync(file=make_file(make_trader()), actor="cli:mei", reason="opening day")

    assert configs.existing("steady_long").reason == "opening day"


def test_the_number_of_statements_does_not_grow_with_the_fleet(django_assert_max_num_queries: object) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def statements(count: int) -> int:
        file = make_file(*(make_trader(f"t{count}-{n}", allocation_pct=Decimal(0)) for n in range(count)))
        with CaptureQueriesContext(connection) as captured:
            sync(file=file, actor="cli:mei", retire_missing=True)
        return len(captured)

    statements(1)
    assert statements(5) == statements(60)
