"""remove_demo deletes the demo and nothing else."""

from __future__ import annotations

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def test_outside_of_the_demo_nothing_is_deleted(settings: Any) -> None:
    settings.DEMO = False
    with pytest.raises(CommandError, match="NOF0_DEMO=1"):
        call_command("remove_demo")
    assert settings.DATA_DIR.is_dir()


def test_without_a_demo_nothing_is_deleted(settings: Any, tmp_path: Any) -> None:
    settings.DEMO, settings.DATA_DIR = True, tmp_path
    (tmp_path / "mine").write_text("kept")
    call_command("remove_demo", stdout=(out := StringIO()))
    assert "There is no demo" in out.getvalue()
    assert (tmp_path / "mine").read_text() == "kept"
