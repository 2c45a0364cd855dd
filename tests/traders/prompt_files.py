"""Two traders on one prompt, synced from files that the tests may change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.traders.manager_yaml.sample import MANAGER, SECOND, write_sample
from traders.manager_yaml.reader import read_manager_yaml
from traders.prompts import services as prompts
from traders.sync.rules import SyncReport
from traders.sync.services import sync
from traders.versions import services as configs
from traders.versions.rules.merge import NO_PREFERENCES, Preferences

X, Y = "trader_x", "trader_y"
LONG = "prompts/long.tmpl"
DIGEST = "detail.prompts.system_sha256"
HEADER = "{{/* Version: v1.0.0 */}}\n"


class PromptFiles:
    """manager.yaml with its prompts in `directory`, synced once."""

    def __init__(self, directory: Path, settings: Any) -> None:
        manager = MANAGER.replace("monitoring:", f"{SECOND}monitoring:")
        self.file = write_sample(directory, manager)
        self.prompt = directory / LONG
        settings.MANAGER_YAML = self.file
        self.sync()

    def sync(self, prefer: Preferences = NO_PREFERENCES) -> SyncReport:
        return sync(file=read_manager_yaml(self.file), actor="cli:test", prefer=prefer)

    def write(self, text: str) -> None:
        self.prompt.write_bytes((HEADER + text).encode())

    def give_second(self, path: str) -> None:
        """The file names another path for the second trader's prompt, with the same text."""
        (self.file.parent / path).write_bytes(self.prompt.read_bytes())
        first, second = self.file.read_text().split("  - id: trader_y", 1)
        self.file.write_text(f"{first}  - id: trader_y{second.replace(LONG, path)}")
        self.sync()

    def text(self, trader_id: str) -> str:
        """What the trader is told now, without the header."""
        found = prompts.existing(configs.existing(trader_id).flat[DIGEST])
        assert found is not None
        return found.body.removeprefix(HEADER)

    def edit(self, body: str, *trader_ids: str, reason: str = "clearer words") -> list[Any]:
        """An operator writes another text for these traders, or for all that use it."""
        old = prompts.existing(configs.existing(trader_ids[0] if trader_ids else X).flat[DIGEST])
        assert old is not None
        chosen = trader_ids or (X, Y)
        new = prompts.written(path=LONG, body=HEADER + body, like=old).prompt
        seen = prompts.propose(old=old, new=new, trader_ids=chosen).seen
        return prompts.save(old=old, new=new, trader_ids=chosen, seen=seen, reason=reason, actor="mei")
