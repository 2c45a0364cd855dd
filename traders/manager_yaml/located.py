"""Problems found in the database, with their places in the file that declares the traders."""

from __future__ import annotations

import dataclasses

from traders.manager_yaml.file import InvalidFile, ManagerFile
from traders.manager_yaml.shape import yaml_path
from traders.schema.problems import InvalidConfig
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS

_SETTINGS = {**FLEET_SETTINGS, **TRADER_SETTINGS}


def located(file: ManagerFile, error: InvalidConfig) -> InvalidFile:
    """The same problems with the file's keys and the lines of the traders' entries."""
    return InvalidFile(
        file.path,
        [
            dataclasses.replace(
                problem,
                path=yaml_path(problem.path, _SETTINGS) if problem.path else "",
                line=problem.line or file.lines.get(problem.trader_id),
            )
            for problem in error.problems
        ],
    )
