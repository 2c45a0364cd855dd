"""export_traders: bundles that sync back without a change."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import ROUND_DOWN, Decimal
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import transaction
from django.utils import timezone
from hypothesis import given
from pytest_django.fixtures import Settings

from tests.factories import save_edit
from tests.strategies import bundles
from tests.traders.controls.asking import ask
from tests.traders.manager_yaml.sample import MANAGER, SECOND, write_sample
from traders.manager_yaml.bundle.writer import write_bundle
from traders.manager_yaml.reader import read_manager_yaml
from traders.models import TraderConfigVersion
from traders.schema.prompts import PromptFile
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.trader import TraderSpec
from traders.versions.lifecycle import services as lifecycle

pytestmark = pytest.mark.django_db

BOTH = MANAGER.replace("monitoring:", SECOND + "monitoring:")


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Syncs two traders and gives an empty directory to export to."""
    (tmp_path / "files").mkdir()
    call_command("sync_traders", str(write_sample(tmp_path / "files", BOTH)), stdout=StringIO())
    return tmp_path / "out"


def export(directory: Path, *arguments: str) -> list[str]:
    out = StringIO()
    call_command("export_traders", "--dir", str(directory), *arguments, stdout=out)
    return out.getvalue().splitlines()


def sync(directory: Path, *arguments: str) -> list[str]:
    out = StringIO()
    call_command("sync_traders", str(directory / "manager.yaml"), *arguments, stdout=out)
    return [line for line in out.getvalue().splitlines() if not line.startswith("warning:")]


def exported(directory: Path) -> dict[str, TraderSpec]:
    return read_manager_yaml(directory / "manager.yaml").traders


def test_an_export_syncs_back_without_a_change(fleet: Path) -> None:
    save_edit("trader_x", detail__risk__max_positions=7, detail__description="two\nlines: yes")
    assert export(fleet) == [
        f"{fleet}/prompts/long.tmpl",
        f"{fleet}/prompts/executor.tmpl",
        f"{fleet}/manager.yaml",
        "2 traders in 3 files.",
    ]
    versions = TraderConfigVersion.objects.count()
    assert sync(fleet, "--check")[-1].endswith("Nothing was written. A sync would make no version.")
    assert "adopted    trader_x as it is stored" in sync(fleet)
    assert TraderConfigVersion.objects.count() == versions
    assert exported(fleet)["trader_x"].detail.risk.max_positions == 7


def test_what_runs_is_written_only_on_demand(fleet: Path, settings: Settings) -> None:
    settings.MANAGER_YAML = fleet.parent / "files" / "manager.yaml"
    before = save_edit("trader_x", detail__risk__max_positions=7)
    assert before is not None
    save_edit("trader_x", detail__risk__max_positions=8)
    ask("pin", "trader_x", version=before.version)
    lifecycle.set_retired(trader_ids=["trader_x"], retired=True, seen={"trader_x": 3}, reason="lost", actor="mei")

    export(fleet / "newest")
    assert exported(fleet / "newest")["trader_x"].detail.risk.max_positions == 8
    export(fleet / "running", "--running")
    running = exported(fleet / "running")
    assert (running["trader_x"].detail.risk.max_positions, running["trader_x"].detail.retired) == (7, True)
    assert running["trader_y"] == exported(fleet / "newest")["trader_y"]


def test_a_retired_trader_keeps_the_text_that_its_path_had(fleet: Path) -> None:
    """The prompt was edited after trader_y left the file: two texts under one path."""
    call_command(
        "sync_traders", str(write_sample(fleet.parent / "files", MANAGER)), "--retire-missing", stdout=StringIO()
    )
    (fleet.parent / "files/prompts/long.tmpl").write_text("{{/* Version: v1.0.0 */}}\nBuy lower.\n")
    sync(fleet.parent / "files")
    export(fleet)
    versions = TraderConfigVersion.objects.count()
    sync(fleet)
    assert TraderConfigVersion.objects.count() == versions
    assert exported(fleet)["trader_y"].detail.prompts.system_template == "prompts/long.tmpl"


def test_some_traders_only(fleet: Path) -> None:
    export(fleet, "--trader", "trader_y")
    assert list(exported(fleet)) == ["trader_y"]
    export(fleet / "two", "--trader", "trader_y", "trader_x", "--trader", "trader_x")
    assert set(exported(fleet / "two")) == {"trader_x", "trader_y"}


def test_an_older_version(fleet: Path) -> None:
    save_edit("trader_x", detail__risk__max_positions=7)
    export(fleet, "--trader", "trader_x", "--version", "1")
    assert exported(fleet)["trader_x"].detail.risk.max_positions == 3


def test_as_it_stood(fleet: Path) -> None:
    before = timezone.now()
    save_edit("trader_x", detail__risk__max_positions=7)
    export(fleet, "--at", before.isoformat())
    assert {name: spec.detail.risk.max_positions for name, spec in exported(fleet).items()} == {
        "trader_x": 3,
        "trader_y": 3,
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--trader", "nobody"], "there is no trader 'nobody'"),
        (["--trader", "trader_x", "--version", "9"], "trader_x has no version 9"),
        (["--version", "1"], "--version is a version of a trader: say which with --trader"),
        (["--trader", "trader_x", "--version", "0"], "is no version; versions are whole numbers from 1"),
        (["--at", "yesterday"], "'yesterday' is no moment; write it like 2026-11-01T12:00Z"),
        (["--at", "2026-02-30T12:00Z"], "is no moment"),
        (["--at", "2001-01-01T00:00Z"], "the fleet has no settings at that moment"),
        (["--trader", "trader_x", "--version", "1", "--at", "2026-03-01T12:00Z"], "not allowed with argument"),
    ],
)
def test_what_cannot_be_exported(fleet: Path, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError) as caught:
        export(fleet, *arguments)
    assert message in str(caught.value)
    assert not fleet.exists()


def test_the_future_is_not_known(fleet: Path) -> None:
    with pytest.raises(CommandError, match="is yet to come"):
        export(fleet, "--at", (timezone.now() + timedelta(days=1)).isoformat())


def test_nothing_was_ever_synced(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="sync a manager"):
        export(tmp_path)


def test_files_that_differ_stay_without_force(fleet: Path) -> None:
    export(fleet)
    save_edit("trader_x", detail__risk__max_positions=7)
    with pytest.raises(CommandError, match="is there already and differs"):
        export(fleet)
    assert exported(fleet)["trader_x"].detail.risk.max_positions == 3
    export(fleet, "--force")
    assert exported(fleet)["trader_x"].detail.risk.max_positions == 7


def test_a_directory_that_cannot_be_made(fleet: Path) -> None:
    fleet.write_text("a file")
    with pytest.raises(CommandError, match="out"):
        export(fleet)


@given(bundles())
def test_any_fleet_goes_in_comes_out_and_goes_in_again_unchanged(
    bundle: tuple[FleetSpec, list[TraderSpec], dict[str, PromptFile]],
) -> None:
    fleet, traders, prompts = bundle
    with TemporaryDirectory() as directory, transaction.atomic():
        write_bundle(Path(directory, "in"), fleet, _affordable(fleet, traders), prompts)
        sync(Path(directory, "in"))
        export(Path(directory, "out"))
        before = TraderConfigVersion.objects.count()
        (line,) = sync(Path(directory, "out"), "--json")
        summary = json.loads(line)["summary"]
        assert summary["unchanged"] + summary["adopted"] == len(traders) + 1
        assert TraderConfigVersion.objects.count() == before
        assert exported(Path(directory, "out")) == exported(Path(directory, "in"))
        transaction.set_rollback(True)


def _affordable(fleet: FleetSpec, traders: list[TraderSpec]) -> list[TraderSpec]:
    """The same traders with shares that the fleet has."""
    free = (100 - fleet.detail.manager.reserve_equity_pct) / max(1, len(traders))
    most = free.quantize(Decimal("0.01"), rounding=ROUND_DOWN)
    return [spec.model_copy(update={"allocation_pct": min(spec.allocation_pct, most)}) for spec in traders]
