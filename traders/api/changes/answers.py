"""Changes of configurations and controls as they are answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Annotated

from pydantic import Field

from traders.api.config_answers import Config, configs_in_force
from traders.api.wanted_answers import ControlChange, WantedAnswer, control_facts
from traders.api.wire import Answer
from traders.schema.controls.rows import PIN_KINDS, Control
from traders.schema.settings.stored import StoredConfig
from traders.versions import services as configs

ChangeItem = StoredConfig | Control


class Changes(Answer):
    """Versions (`kind: config`) and controls (`kind: control`) in the order in which they were made. Ask again with
    `cursor`: at once where `more` is true."""

    cursor: str
    more: bool
    changes: list[Annotated[Config | ControlChange, Field(discriminator="kind")]] = Field(
        description="Each with all that it brings, so that nothing else is to be read. Of a pinned trader every "
        "version is the pinned one."
    )
    wanted: dict[str, WantedAnswer] = Field(
        description="Of each trader that `config_id` names or the token is limited to; else of those of the changes."
    )


def change_answers(items: Sequence[ChangeItem]) -> list[Config | ControlChange]:
    in_force = iter(configs_in_force([item for item in items if isinstance(item, StoredConfig)]))
    moved = [
        item.trader_id for item in items if isinstance(item, Control) and item.kind in PIN_KINDS and item.trader_id
    ]
    newest = list(configs.active(moved).values()) if moved else []
    now = {found.config_id: found for found in configs_in_force(newest)}
    return [
        ControlChange(**control_facts(item), config=now[item.trader_id or ""] if item.kind in PIN_KINDS else None)
        if isinstance(item, Control)
        else next(in_force)
        for item in items
    ]


def concerned(items: Sequence[ChangeItem]) -> Collection[str] | None:
    """The traders that the changes are about; None: all, as the fleet was stopped or released."""
    if any(isinstance(item, Control) and item.trader_id is None for item in items):
        return None
    names = {item.trader_id if isinstance(item, Control) else item.config_id for item in items}
    return {name for name in names if name}


def concerns(item: ChangeItem, config_ids: Collection[str] | None) -> bool:
    """Whether a client that asks for these configurations (None: all) is told of the change. A control of the fleet
    concerns each."""
    named = item.trader_id if isinstance(item, Control) else item.config_id
    return config_ids is None or named is None or named in config_ids
