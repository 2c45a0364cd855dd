"""What the manager does before it runs anything: what changed in manager.yaml is applied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from traders.manager_yaml.reader import read_manager_yaml
from traders.schema.actors import os_actor
from traders.schema.problems import InvalidConfig
from traders.sync.drift import unchanged
from traders.sync.services import sync


def sync_file(path: Path, say: Callable[[str], None]) -> None:
    """A file that cannot be applied, or that conflicts with what stands, keeps no trader from running as it stands: it
    is said."""
    if not path.exists():
        say(f"{path} is not there; traders run as they are stored.")
        return
    if unchanged(path) is not None:
        return
    try:
        report = sync(file=read_manager_yaml(path), actor=os_actor(), reason="the manager started")
    except InvalidConfig as error:
        say(f"{path} was not synced, and traders run as they are stored: {error}")
        return
    if report.exit_code:
        say(f"{path} conflicts with what is stored. What is stored runs; sync_traders shows the conflicts.")
