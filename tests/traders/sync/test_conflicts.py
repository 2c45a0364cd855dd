from __future__ import annotations

from decimal import Decimal

import pytest

from tests.factories import make_file, make_fleet, make_trader, new_trader, save_edit, sync_traders
from traders.manager_yaml.file import ManagerFile
from traders.schema.paths import ABSENT
from traders.schema.problems import InvalidConfig
from traders.schema.prompts import read_prompt
from traders.schema.settings.fleet import FLEET_ID
from traders.sync.conflicts.services import open_conflicts, settle
from traders.sync.services import sync
from traders.versions import services as configs
from traders.versions.rules.errors import StaleEdit, UnknownConfig
from traders.versions.rules.merge import MergeSide

pytestmark = pytest.mark.django_db

POSITIONS = "detail.risk.max_positions"


@pytest.fixture
def in_conflict() -> None:
    """max_positions and leverage of one trader changed on both sides."""
    sync_traders(make_trader())
    save_edit("steady_long", detail__risk__max_positions=4, detail__risk__altcoin_leverage=3)
    sync(file=in_conflict_file(), actor="cli:mei")


def in_conflict_file() -> ManagerFile:
    return make_file(make_trader(detail__risk__max_positions=5, detail__risk__altcoin_leverage=6))


@pytest.mark.usefixtures("in_conflict")
def test_the_files_side_becomes_a_new_version() -> None:
    settle(choices={("steady_long", POSITIONS): MergeSide.YAML}, reason="the file is right", actor="lee")

    stored = configs.existing("steady_long")
    assert (stored.version, stored.flat[POSITIONS], stored.changed_by) == (3, 5, "lee")
    assert [conflict.path for conflict in open_conflicts()] == ["detail.risk.altcoin_leverage"]


@pytest.mark.usefixtures("in_conflict")
def test_the_stored_side_only_moves_the_base() -> None:
    assert settle(choices={("steady_long", POSITIONS): MergeSide.DB}, reason="keep ours", actor="lee") == []

    assert configs.existing("steady_long").version == 2
    report = sync(file=in_conflict_file(), actor="cli:mei")
    assert [conflict.path for _, conflict in report.open_conflicts] == ["detail.risk.altcoin_leverage"]


@pytest.mark.usefixtures("in_conflict")
def test_after_settling_everything_the_same_file_changes_nothing() -> None:
    settle(
        choices={
            ("steady_long", POSITIONS): MergeSide.YAML,
            ("steady_long", "detail.risk.altcoin_leverage"): MergeSide.DB,
        },
        reason="one each",
        actor="lee",
    )

    report = sync(file=in_conflict_file(), actor="cli:mei")

    assert (report.versions, report.open_conflicts) == ([], [])
    assert configs.existing("steady_long").version == 3


@pytest.mark.usefixtures("in_conflict")
def test_a_choice_made_before_somebody_elses_edit_is_refused() -> None:
    save_edit("steady_long", detail__risk__max_positions=9)

    with pytest.raises(StaleEdit):
        settle(
            choices={("steady_long", POSITIONS): MergeSide.YAML},
            reason="the file is right",
            actor="lee",
            expected_versions={"steady_long": 2},
        )
    assert configs.existing("steady_long").flat[POSITIONS] == 9


@pytest.mark.usefixtures("in_conflict")
def test_settling_needs_a_reason_and_a_known_trader() -> None:
    with pytest.raises(InvalidConfig, match="reason"):
        settle(choices={("steady_long", POSITIONS): MergeSide.YAML}, reason=" ", actor="lee")
    with pytest.raises(UnknownConfig):
        settle(choices={("ghost", POSITIONS): MergeSide.YAML}, reason="why", actor="lee")


def test_an_allocation_taken_from_the_file_is_held_to_the_fleet_rule() -> None:
    sync_traders(make_trader("a", allocation_pct=Decimal(20)))
    save_edit("a", allocation_pct=Decimal(30))
    sync(file=make_file(make_trader("a", allocation_pct=Decimal(80))), actor="cli:mei")
    new_trader("b", allocation_pct=Decimal(50))

    with pytest.raises(InvalidConfig, match="fleet's sum"):
        settle(choices={("a", "allocation_pct"): MergeSide.YAML}, reason="the file is right", actor="lee")


def test_a_prompt_is_decided_as_a_whole() -> None:
    ours = read_prompt("prompts/manager/ours.tmpl", b"Version: v1.0.0 ours")
    theirs = read_prompt("prompts/manager/long.tmpl", b"Version: v2.0.0 theirs")
    sync(file=make_file(make_trader(), prompts=(ours,)), actor="cli:mei")
    from traders.prompt_texts import writer as prompts

    prompts.keep([ours])
    save_edit(
        "steady_long",
        detail__prompts__system_template=ours.path,
        detail__prompts__system_sha256=ours.sha256,
    )
    changed = make_trader(detail__prompts__system_version="v2.0.0", detail__prompts__system_sha256=theirs.sha256)
    sync(file=make_file(changed, prompts=(theirs,)), actor="cli:mei")

    settle(choices={("steady_long", "detail.prompts.system_template"): MergeSide.YAML}, reason="file", actor="lee")

    flat = configs.existing("steady_long").flat
    assert flat["detail.prompts.system_template"] == theirs.path
    assert flat["detail.prompts.system_version"] == "v2.0.0"
    assert flat["detail.prompts.system_sha256"] == theirs.sha256
    assert open_conflicts() == []


def test_conflicts_of_the_fleet_settings_and_of_extension_keys_are_settled_too() -> None:
    sync_traders(make_trader(detail__extra={"note": "a"}))
    save_edit("steady_long", **{"detail.extra.note": "b"})
    save_edit(FLEET_ID, detail__manager__allocation_strategy="ours")
    file = make_file(make_trader(), fleet=make_fleet(detail__manager__allocation_strategy="file's"))
    sync(file=file, actor="cli:mei")
    assert {(c.config_id, c.path): c.file for c in open_conflicts()} == {
        (FLEET_ID, "detail.manager.allocation_strategy"): "file's",
        ("steady_long", "detail.extra.note"): ABSENT,
    }

    settle(
        choices={(c.config_id, c.path): MergeSide.YAML for c in open_conflicts()},
        reason="the file is right",
        actor="lee",
        may_change_fleet=True,
    )

    assert configs.existing(FLEET_ID).flat["detail.manager.allocation_strategy"] == "file's"
    assert "detail.extra.note" not in configs.existing("steady_long").flat
    assert len({configs.existing(name).change_set for name in (FLEET_ID, "steady_long")}) == 1
