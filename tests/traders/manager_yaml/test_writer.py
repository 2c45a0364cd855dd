"""Bundles on disk: complete, readable, and never over what is there."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tests.traders.manager_yaml.sample import MANAGER, SECOND, write_sample
from traders.manager_yaml.bundle import writer
from traders.manager_yaml.bundle.placement import UnwritableBundle
from traders.manager_yaml.bundle.writer import write_bundle
from traders.manager_yaml.file import ManagerFile
from traders.manager_yaml.reader import read_manager_yaml
from traders.schema.prompts import read_prompt
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.trader import TraderSpec


@pytest.fixture
def declared(tmp_path: Path) -> ManagerFile:
    (tmp_path / "files").mkdir()
    return read_manager_yaml(write_sample(tmp_path / "files", MANAGER.replace("monitoring:", SECOND + "monitoring:")))


def write(declared: ManagerFile, directory: Path, *, force: bool = False) -> list[Path]:
    return write_bundle(directory, declared.fleet, declared.traders.values(), declared.prompts, force=force)


def changed(spec: TraderSpec, **prompts: str | None) -> TraderSpec:
    named = spec.detail.prompts.model_copy(update=prompts)
    return spec.model_copy(update={"detail": spec.detail.model_copy(update={"prompts": named})})


def test_the_bundle_reads_back_the_same(declared: ManagerFile, tmp_path: Path) -> None:
    written = write(declared, tmp_path / "new" / "bundle")
    assert [str(path.relative_to(tmp_path / "new" / "bundle")) for path in written] == [
        "prompts/long.tmpl",
        "prompts/executor.tmpl",
        "manager.yaml",
    ]
    again = read_manager_yaml(tmp_path / "new" / "bundle" / "manager.yaml")
    assert (again.fleet, again.traders, again.prompts) == (declared.fleet, declared.traders, declared.prompts)


def test_every_setting_is_written_out_but_empty_optional_ones(declared: ManagerFile, tmp_path: Path) -> None:
    write(declared, tmp_path)
    lines = {line.strip("- ").split(":")[0] for line in (tmp_path / "manager.yaml").read_text().splitlines()}
    keys = {s.yaml_key.split(".")[-1] for s in (*TRADER_SETTINGS.values(), *FLEET_SETTINGS.values()) if s.yaml_key}
    assert keys - lines == {"description", "retired", "cloned_from", "extra"}


def test_it_is_written_for_readers(declared: ManagerFile, tmp_path: Path) -> None:
    write(declared, tmp_path)
    text = (tmp_path / "manager.yaml").read_text()
    assert text.startswith("# Written by export_traders. Every setting is written out.\n")
    assert "- id: trader_x\n  name: Long\n  exchange_provider: paper\n" in text
    assert "  decision_interval: 3m\n  allocation_pct: 40\n  auto_start: false\n" in text
    assert "    min_risk_reward_ratio: 3.0\n" in text
    assert [text.index(f"\n{section}:") for section in ("manager", "traders", "monitoring")] == sorted(
        text.index(f"\n{section}:") for section in ("manager", "traders", "monitoring")
    )


def test_an_empty_fleet_reads_back(declared: ManagerFile, tmp_path: Path) -> None:
    write_bundle(tmp_path, declared.fleet, [], {})
    assert read_manager_yaml(tmp_path / "manager.yaml").traders == {}


def test_writing_again_changes_nothing(declared: ManagerFile, tmp_path: Path) -> None:
    first = {path: path.read_bytes() for path in write(declared, tmp_path)}
    assert {path: path.read_bytes() for path in write(declared, tmp_path)} == first
    assert sorted(path.name for path in tmp_path.iterdir()) == ["files", "manager.yaml", "prompts"]


def test_a_file_that_differs_is_not_overwritten(declared: ManagerFile, tmp_path: Path) -> None:
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts/long.tmpl").write_text("mine")
    with pytest.raises(UnwritableBundle, match=r"prompts/long.tmpl is there already and differs.*--force"):
        write(declared, tmp_path)
    assert (tmp_path / "prompts/long.tmpl").read_text() == "mine"
    assert not (tmp_path / "manager.yaml").exists()
    write(declared, tmp_path, force=True)
    assert "Buy low" in (tmp_path / "prompts/long.tmpl").read_text()


def test_two_texts_under_one_path_both_come_back(declared: ManagerFile, tmp_path: Path) -> None:
    """A retired trader keeps the old text of a file that was edited for the others."""
    old = read_prompt("prompts/long.tmpl", b"Version: v1.0.0 old")
    first, second = declared.traders.values()
    retired = changed(first, system_template="./prompts/long.tmpl", system_sha256=old.sha256)
    retired = retired.model_copy(update={"detail": retired.detail.model_copy(update={"retired": True})})
    written = write_bundle(tmp_path, declared.fleet, [retired, second], {**declared.prompts, old.sha256: old})
    beside = f"prompts/long.{old.sha256[:8]}.tmpl"
    assert [str(path.relative_to(tmp_path)) for path in written] == [
        beside,
        "prompts/executor.tmpl",
        "prompts/long.tmpl",
        "manager.yaml",
    ]
    assert (
        f"  prompt_template: {beside}\n  prompt_template_known_as: ./prompts/long.tmpl\n"
        in (tmp_path / "manager.yaml").read_text()
    )
    assert "Buy low" in (tmp_path / "prompts/long.tmpl").read_text()
    again = read_manager_yaml(tmp_path / "manager.yaml")
    assert list(again.traders.values()) == [retired, second]
    assert again.prompts[old.sha256].path == "./prompts/long.tmpl"


@pytest.mark.parametrize("digest", [None, "0" * 64])
def test_a_prompt_whose_text_is_not_stored_is_refused(
    declared: ManagerFile, tmp_path: Path, digest: str | None
) -> None:
    spec = changed(declared.traders["trader_x"], executor_sha256=digest)
    with pytest.raises(UnwritableBundle, match=r"trader_x: .* names 'prompts/executor.tmpl', whose text is not stored"):
        write_bundle(tmp_path / "out", declared.fleet, [spec], declared.prompts)


@pytest.mark.parametrize("path", ["/tmp/x", "../x", "a/../../x", "manager.yaml", "./manager.yaml"])
def test_nothing_is_written_outside_of_the_directory(declared: ManagerFile, tmp_path: Path, path: str) -> None:
    spec = changed(declared.traders["trader_x"], system_template=path)
    with pytest.raises(UnwritableBundle):
        write_bundle(tmp_path / "out", declared.fleet, [spec], declared.prompts)
    assert not (tmp_path / "out").exists()


def test_links_that_lead_outside_are_not_followed(declared: ManagerFile, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out/prompts").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UnwritableBundle, match="leads out of"):
        write(declared, tmp_path / "out", force=True)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_fleet_too_large_to_be_read_leaves_out_defaults_or_is_refused(
    declared: ManagerFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(declared, tmp_path / "full")
    full = (tmp_path / "full/manager.yaml").stat().st_size
    monkeypatch.setattr(writer, "MAX_FILE_BYTES", full - 1)
    write(declared, tmp_path / "short")
    text = (tmp_path / "short/manager.yaml").read_text()
    assert text.startswith("# Written by export_traders. Settings that are left out have their defaults.\n")
    assert "candidate_limit" not in text
    assert read_manager_yaml(tmp_path / "short/manager.yaml").traders == declared.traders
    monkeypatch.setattr(writer, "MAX_FILE_BYTES", 100)
    with pytest.raises(UnwritableBundle, match="could not be read; export fewer traders"):
        write(declared, tmp_path / "none")


def test_stored_bytes_come_back_as_they_were(declared: ManagerFile, tmp_path: Path) -> None:
    odd = read_prompt("prompts/odd.tmpl", "\ufeffVersion: v1.0.0\r\n\ttab \u2028 end".encode())
    spec = changed(
        declared.traders["trader_x"], system_template=odd.path, system_sha256=odd.sha256, system_version=odd.version
    )
    write_bundle(tmp_path, declared.fleet, [spec], {**declared.prompts, odd.sha256: odd})
    again = read_manager_yaml(tmp_path / "manager.yaml")
    assert again.traders["trader_x"] == spec
    assert again.prompts[odd.sha256] == dataclasses.replace(odd)
