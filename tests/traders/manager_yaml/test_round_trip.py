"""What the writer writes, the reader reads back as the same configurations."""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml
from hypothesis import given

from tests.strategies import bundles
from traders.manager_yaml.bundle.writer import write_bundle
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema.prompts import PromptFile
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.trader import TraderSpec

Bundle = tuple[FleetSpec, list[TraderSpec], dict[str, PromptFile]]


@given(bundles())
def test_every_fleet_survives_being_written_and_read(bundle: Bundle) -> None:
    fleet, traders, prompts = bundle
    with tempfile.TemporaryDirectory() as directory:
        write_bundle(Path(directory), fleet, traders, prompts)
        found = read_manager_yaml(Path(directory, "manager.yaml"))
    assert found.fleet == fleet
    assert list(found.traders.values()) == traders
    assert {p.sha256: p.body for p in found.prompts.values()}.items() <= {
        digest: prompt.body for digest, prompt in prompts.items()
    }.items()


@given(bundles())
def test_readers_of_yaml_1_1_take_texts_for_texts(bundle: Bundle) -> None:
    fleet, traders, prompts = bundle
    with tempfile.TemporaryDirectory() as directory:
        write_bundle(Path(directory), fleet, traders, prompts)
        plain = yaml.safe_load(Path(directory, "manager.yaml").read_bytes())
    assert [(entry["id"], entry["name"], entry["model"]) for entry in plain["traders"]] == [
        (trader.id, trader.detail.display_name, trader.detail.llm.model) for trader in traders
    ]
    assert plain["manager"]["total_equity_usd"] == float(fleet.detail.manager.total_equity_usd)


@given(bundles())
def test_the_same_fleet_is_written_the_same_way(bundle: Bundle) -> None:
    fleet, traders, prompts = bundle
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        write_bundle(Path(one), fleet, traders, prompts)
        write_bundle(Path(other), fleet, traders, prompts)
        assert Path(one, "manager.yaml").read_bytes() == Path(other, "manager.yaml").read_bytes()
