"""sync_traders: what it prints, what it exits with, and that a refusal leaves no trace."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.factories import save_edit
from tests.traders.manager_yaml.sample import MANAGER, SECOND, write_sample
from traders.models import ManagerConfigVersion, PromptText, TraderConfig, TraderConfigVersion, YamlBase
from traders.versions import services as configs

pytestmark = pytest.mark.django_db

BOTH = MANAGER.replace("monitoring:", SECOND + "monitoring:")
POSITIONS = "detail.risk.max_positions"


class Run(NamedTuple):
    code: int
    lines: list[str]

    @property
    def json(self) -> dict[str, object]:
        (line,) = self.lines
        found = json.loads(line)
        assert isinstance(found, dict)
        return found


Sync = Callable[..., Run]


@pytest.fixture
def sync(tmp_path: Path) -> Sync:
    """Writes manager.yaml (None: leaves it as it is) and runs the command on it."""

    def run(manager: str | None, *arguments: str) -> Run:
        path = tmp_path / "manager.yaml" if manager is None else write_sample(tmp_path, manager)
        out, code = StringIO(), 0
        try:
            call_command("sync_traders", str(path), *arguments, stdout=out)
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Run(code, out.getvalue().replace(f"{tmp_path}/", "").splitlines())

    return run


def refused(sync: Sync, manager: str | None, *arguments: str) -> str:
    with pytest.raises(CommandError) as caught:
        sync(manager, *arguments)
    assert caught.value.returncode == 1
    return str(caught.value)


def nothing_is_stored() -> bool:
    tables = (TraderConfig, TraderConfigVersion, ManagerConfigVersion, YamlBase, PromptText)
    return not any(table._default_manager.exists() for table in tables)


def test_the_first_sync_lists_what_it_inserted(sync: Sync) -> None:
    assert sync(BOTH) == Run(
        0,
        [
            "inserted   the fleet's settings version 1",
            "inserted   trader_x version 1",
            "inserted   trader_y version 1",
            "manager.yaml: 3 inserted.",
        ],
    )
    stored = configs.existing("trader_x")
    assert (stored.version, stored.reason) == (1, "initial")
    assert stored.changed_by.startswith("cli:")


def test_the_second_sync_of_the_same_file_makes_no_version(sync: Sync) -> None:
    sync(BOTH)
    assert sync(BOTH) == Run(0, ["manager.yaml: 3 unchanged."])
    assert sync(BOTH + "# another comment\n") == Run(0, ["manager.yaml: 3 unchanged."])
    assert TraderConfigVersion.objects.count() == 2


def test_an_update_shows_each_path_with_both_values(sync: Sync) -> None:
    sync(MANAGER)
    changed = MANAGER.replace("max_positions: 3", "max_positions: 5").replace("name: Long", "name: Löng")
    assert sync(changed, "--reason", "more room", "--actor", "mei") == Run(
        0,
        [
            "updated    trader_x version 1 -> 2",
            '             detail.display_name: "Long" -> "Löng"',
            "             detail.risk.max_positions: 3 -> 5",
            "manager.yaml: 1 updated, 1 unchanged.",
        ],
    )
    stored = configs.existing("trader_x")
    assert (stored.reason, stored.changed_by) == ("more room", "mei")


def test_another_text_of_a_prompt_is_a_change(sync: Sync, tmp_path: Path) -> None:
    sync(MANAGER)
    (tmp_path / "prompts/long.tmpl").write_text("{{/* Version: v1.0.0 */}}\nBuy lower.\n")
    code, lines = sync(None)
    assert code == 0
    assert lines[0] == "updated    trader_x version 1 -> 2"
    assert lines[1].startswith("             detail.prompts.system_sha256: ")


def test_check_writes_nothing_and_exits_2_when_something_would_change(sync: Sync) -> None:
    code, lines = sync(MANAGER, "--check")
    assert code == 2
    assert lines[-1] == "manager.yaml: 2 inserted. Nothing was written. A sync would write these."
    assert nothing_is_stored()
    sync(MANAGER)
    assert sync(MANAGER, "--check") == Run(
        0, ["manager.yaml: 2 unchanged. Nothing was written. A sync would make no version."]
    )


def test_a_conflict_is_shown_not_applied_and_exits_3_until_it_is_settled(sync: Sync) -> None:
    sync(MANAGER)
    save_edit("trader_x", detail__risk__max_positions=4)
    changed = MANAGER.replace("max_positions: 3", "max_positions: 5").replace("name: Long", "name: Other")
    code, lines = sync(changed)
    assert code == 3
    assert lines[:4] == [
        "updated    trader_x version 2 -> 3",
        '             detail.display_name: "Long" -> "Other"',
        "conflict   trader_x detail.risk.max_positions",
        "             file: 5, database: 4 (was 3)",
    ]
    assert lines[-1].startswith("Conflicts stay open until a side is chosen: --prefer yaml")
    assert configs.existing("trader_x").flat[POSITIONS] == 4
    assert sync(changed).code == 3
    assert sync(changed, "--prefer", "yaml").code == 0
    assert configs.existing("trader_x").flat[POSITIONS] == 5
    assert sync(changed).code == 0


@pytest.mark.parametrize(
    "place", [POSITIONS, "risk_params.max_positions", f"trader_x:{POSITIONS}", "trader_x:risk_params.max_positions"]
)
def test_one_path_may_go_to_the_database(sync: Sync, place: str) -> None:
    sync(MANAGER)
    save_edit("trader_x", detail__risk__max_positions=4, detail__display_name="Mine")
    changed = MANAGER.replace("max_positions: 3", "max_positions: 5").replace("name: Long", "name: Other")
    run = sync(changed, "--prefer", f"{place}=db", "--json")
    assert run.code == 3
    assert [c["path"] for o in run.json["outcomes"] for c in o["conflicts"]] == ["detail.display_name"]  # type: ignore[attr-defined]
    assert configs.existing("trader_x").flat[POSITIONS] == 4


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("both", "--prefer both: must be yaml or db, PATH=yaml or db or TRADER:PATH=yaml or db"),
        ("name=mine", "--prefer name=mine: must be yaml or db, PATH=yaml or db or TRADER:PATH=yaml or db"),
        (
            "max_positons=db",
            "--prefer max_positons: there is no such setting; did you mean risk_params.max_positions?",
        ),
        ("trader_z:name=db", "--prefer trader_z:name: the file declares no trader 'trader_z'; did you mean trader_x?"),
    ],
)
def test_a_preference_that_could_never_apply_is_refused(sync: Sync, word: str, message: str) -> None:
    assert refused(sync, MANAGER, "--prefer", word) == message
    assert nothing_is_stored()


def test_preferences_for_all_must_agree(sync: Sync) -> None:
    message = refused(sync, MANAGER, "--prefer", "yaml", "--prefer", "db")
    assert message == "--prefer yaml and --prefer db cannot both hold for all"


def test_a_trader_missing_from_the_file_is_reported_and_retired_only_on_demand(sync: Sync) -> None:
    sync(BOTH)
    assert sync(MANAGER) == Run(
        0,
        [
            "missing    trader_y is not in the file (40.00 %; --retire-missing retires it)",
            "manager.yaml: 2 unchanged, 1 missing.",
        ],
    )
    code, lines = sync(MANAGER, "--retire-missing", "--reason", "closed")
    assert code == 0
    assert lines[:2] == ["retired    trader_y version 1 -> 2", "             detail.retired: false -> true"]
    assert configs.existing("trader_y").flat["detail.retired"] is True
    assert sync(MANAGER, "--retire-missing").lines == [
        "missing    1 retired trader (--json lists all)",
        "manager.yaml: 2 unchanged, 1 missing.",
    ]


def test_only_leaves_the_others_alone(sync: Sync) -> None:
    assert sync(BOTH, "--only", "trader_y").lines == ["inserted   trader_y version 1", "manager.yaml: 1 inserted."]
    assert not TraderConfig.objects.filter(pk="trader_x").exists()


def test_only_a_trader_of_the_file(sync: Sync) -> None:
    message = refused(sync, BOTH, "--only", "trader_z")
    assert "trader_z" in message
    assert "manager.yaml" in message
    assert nothing_is_stored()


def test_the_fleets_sum_names_what_the_file_lacks(sync: Sync) -> None:
    sync(BOTH)
    message = refused(sync, MANAGER.replace("allocation_pct: 40", "allocation_pct: 60"))
    assert (
        message.splitlines()[0]
        .split("/")[-1]
        .startswith("manager.yaml:7: trader_x: allocation_pct makes the fleet's sum 100")
    )
    assert "trader_y 40" in message
    assert "--retire-missing" in message
    assert configs.existing("trader_x").version == 1


def test_a_new_id_that_differs_only_in_case_names_its_line(sync: Sync) -> None:
    sync(MANAGER)
    message = refused(sync, MANAGER.replace("id: trader_x", "id: Trader_X"))
    assert message.split("/")[-1].startswith("manager.yaml:7: Trader_X: id ")
    assert TraderConfig.objects.count() == 1


@pytest.mark.parametrize(
    "manager",
    [
        MANAGER.replace("max_positions: 3", "max_positions: 20x"),
        BOTH.replace("trader_y", "trader_x"),
        MANAGER.replace("name: Long", "name: !!python/name:os.system x"),
        "",
    ],
)
def test_a_bad_file_changes_nothing(sync: Sync, manager: str) -> None:
    refused(sync, manager)
    assert nothing_is_stored()
    sync(BOTH)
    versions = TraderConfigVersion.objects.count()
    refused(sync, manager)
    assert TraderConfigVersion.objects.count() == versions


def test_a_file_that_is_not_there(sync: Sync, tmp_path: Path) -> None:
    assert refused(sync, None) == f"{tmp_path}/manager.yaml: does not exist"


def test_json_says_it_all(sync: Sync) -> None:
    sync(BOTH)
    changed = MANAGER.replace("min_risk_reward_ratio: 3.0", "min_risk_reward_ratio: 2.50")
    found = sync(changed, "--json").json
    assert found.pop("file_sha256")
    assert isinstance(found.pop("change_set"), int)
    assert found == {
        "path": "manager.yaml",
        "check": False,
        "exit_code": 0,
        "summary": {
            "inserted": 0,
            "updated": 1,
            "retired": 0,
            "adopted": 0,
            "unchanged": 1,
            "conflicts": 0,
            "missing": 1,
        },
        "outcomes": [
            {
                "config_id": "trader_x",
                "action": "updated",
                "version": 2,
                "changes": [{"path": "detail.risk.min_risk_reward_ratio", "old": 3.0, "new": 2.5}],
                "conflicts": [],
            }
        ],
        "missing": [{"trader_id": "trader_y", "allocation_pct": 40.0, "retired": False}],
        "pinned": {},
        "positions": [],
        "warnings": [],
    }


def test_json_of_a_refusal_has_each_problem(sync: Sync, tmp_path: Path) -> None:
    out = StringIO()
    path = write_sample(tmp_path, MANAGER.replace("max_positions: 3", "max_positions: 20x"))
    with pytest.raises(CommandError):
        call_command("sync_traders", str(path), "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert found["exit_code"] == 1
    assert found["problems"] == [
        {
            "line": 17,
            "trader": "trader_x",
            "path": "risk_params.max_positions",
            "message": "must be a whole number from 1 to 1000, was 20x",
        }
    ]


def test_warnings_are_printed(sync: Sync, tmp_path: Path) -> None:
    write_sample(tmp_path)
    (tmp_path / "llm.yaml").unlink()
    expected = "warning: llm.yaml is not beside the file: models are not checked"
    assert sync(None).lines[0] == expected
    assert sync(None).lines[0] == expected


def test_a_large_first_import_is_summed_up(sync: Sync) -> None:
    entries = "".join(
        SECOND.replace("trader_y", f"t{n:03}").replace("allocation_pct: 40", "allocation_pct: 0.5") for n in range(40)
    )
    lines = sync(MANAGER.replace("monitoring:", entries + "monitoring:")).lines
    assert len(lines) == 22
    assert lines[-2:] == ["inserted   and 22 more (--json lists all)", "manager.yaml: 42 inserted."]


def test_wrong_usage_is_refused_like_a_wrong_file(sync: Sync) -> None:
    assert "unrecognized arguments" in refused(sync, MANAGER, "--frobnicate")
