"""Why a change of configuration is refused.

ConfigError
├── UnknownConfig       no such trader
│   └── UnknownVersion  no such version of it
├── UnknownChangeSet    no such change set
├── UnknownToken        no such API token
├── NothingStored       the fleet has no settings yet
├── AheadOfHistory      a cursor that this history has not reached
├── AlreadyExists       a new trader's id is taken, perhaps in other letter case
├── FleetNotAllowed     the fleet's own settings would change, and only traders may
├── StaleEdit           another version was saved since the editor read; carries all three sides
└── ConcurrentChange    a program that takes no locks of ours changed a row under our hands

InvalidConfig (traders.schema.problems) stands beside them: the configuration itself is wrong. Below it stands
OverAllocated: the fleet rule would break.
"""

from __future__ import annotations

from datetime import datetime

from traders.schema.messages import MessageError, _
from traders.schema.paths import Flat
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import StoredConfig


class ConfigError(MessageError):
    pass


class UnknownConfig(ConfigError):
    def __init__(self, config_id: str, *, at: datetime | None = None) -> None:
        self.config_id = config_id
        name = repr(config_id)
        super().__init__(
            _("there is no trader %(config_id)s at %(moment)s", config_id=name, moment=at.isoformat())
            if at
            else _("there is no trader %(config_id)s", config_id=name)
        )


class UnknownVersion(UnknownConfig):
    def __init__(self, config_id: str, version: int | str) -> None:
        self.config_id = config_id
        ConfigError.__init__(self, _("%(config_id)s has no version %(version)s", config_id=config_id, version=version))


class UnknownChangeSet(ConfigError):
    def __init__(self, change_set: int) -> None:
        super().__init__(_("there is no change set %(change_set)s", change_set=change_set))


class UnknownToken(ConfigError):
    def __init__(self, token: int | str) -> None:
        super().__init__(_("there is no token %(token)s", token=repr(token)))


class AheadOfHistory(ConfigError):
    def __init__(self, cursor: str, newest: int) -> None:
        super().__init__(
            _(
                "the cursor %(cursor)s lies beyond the newest change set, %(newest)s: it is of "
                "another history, perhaps from before a backup was restored; read the configurations "
                "again and go on from there",
                cursor=cursor,
                newest=newest,
            )
        )


class NothingStored(ConfigError):
    pass


class OverAllocated(InvalidConfig):
    """The fleet rule would break. The message tells the fleet's sum and reserve."""


class AlreadyExists(ConfigError):
    def __init__(self, config_id: str, existing: str) -> None:
        self.config_id, self.existing = config_id, existing
        super().__init__(
            _("the trader %(config_id)s exists already", config_id=repr(config_id))
            if config_id == existing
            else _(
                "the trader %(config_id)s exists already as %(existing)s; ids are unique ignoring case",
                config_id=repr(config_id),
                existing=repr(existing),
            )
        )


class FleetNotAllowed(ConfigError):
    def __init__(self) -> None:
        super().__init__(_("the fleet's settings need a permission of their own, which the caller does not have"))


class StaleEdit(ConfigError):
    """`base` is what the editor started from (None: a version that never was), `theirs` what stands now."""

    def __init__(self, *, base: StoredConfig | None, theirs: StoredConfig, mine: Flat, expected_version: int) -> None:
        self.base, self.theirs, self.mine, self.expected_version = base, theirs, mine, expected_version
        super().__init__(
            _(
                "%(config_id)s: %(changed_by)s saved version %(version)s since version %(expected_version)s was opened",
                config_id=theirs.config_id,
                changed_by=theirs.changed_by,
                version=theirs.version,
                expected_version=expected_version,
            )
        )


class ConcurrentChange(ConfigError):
    pass
