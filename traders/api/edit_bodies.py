"""What an edit sends, and what it is answered."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, SkipValidation

from traders.api.wire import Answer, Body
from traders.schema.settings.declare import Integer, Number
from traders.schema.settings.fleet import FleetSpec
from traders.schema.settings.trader import TraderSpec

ExpectedVersion = Annotated[
    Integer, Field(ge=0, description="The version that the edit started from; 0 makes a new trader.")
]


class Edit(Body):
    expected_version: ExpectedVersion
    reason: str = Field(description="Why, in a few words; history keeps it.")


class Replacement(Edit):
    """The whole configuration; what is left out takes its default."""

    # Held to the declared settings by the service, which names every problem by its path.
    config: SkipValidation[TraderSpec | FleetSpec]


class Alteration(Edit):
    """Settings by dotted path, such as `detail.risk.max_positions`; all others stay as they are."""

    set: dict[str, Any] = {}
    unset: list[str] = Field([], description="Extension keys to be removed, such as `detail.extra.note`.")


class Restoration(Edit):
    version: Annotated[Integer, Field(ge=1, description="The version to be made the current one again.")]
    keep: list[str] = Field([], description="Paths that stay as they are now.")


class Altered(Answer):
    path: str
    old: Any
    new: Any
    raises_risk: bool


class Effect(Answer):
    """`version` is the one that stands afterwards. No `changes`: nothing differed, and no version was made."""

    config_id: str
    version: int
    change_set: int | None = Field(description="Null where nothing was written.")
    changes: list[Altered]
    allocated_pct: Number | None = Field(
        description="What the whole fleet's traders are given afterwards; null for a token that is limited to traders."
    )
