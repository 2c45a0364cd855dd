"""Which pages and endpoints may be some seconds late: lists, analytics and history.

A form, a page that tells what goes on now, and whatever an engine acts upon read the primary.
"""

from __future__ import annotations

import re

from django.urls import ResolverMatch

_RECORD = "position|trade|decisionjournal|equitytransfer|recordexclusion"
_OF_ADMIN = re.compile(
    rf"""trading_(?:{_RECORD})_(?:changelist|export)
    |trading_(?:position|trade|decisionjournal)_change
    |trading_decisionjournal_replay
    |trading_trade_(?:outcomes|performance|performance_csv|family)
    |traders_(?:traderconfig|prompttext)_changelist
    |traders_(?:traderconfig|managerconfig)_(?:history|version|compare|past)
    |traders_(?:changelog|changelog_csv|changeset|compare)""",
    re.VERBOSE,
)
_OF_ENGINE_API = frozenset({"list_versions", "listed"})


def may_be_late(match: ResolverMatch | None) -> bool:
    if match is None or match.url_name is None:
        return False
    if match.namespace == "admin":
        return _OF_ADMIN.fullmatch(match.url_name) is not None
    return match.namespace == "engine_api" and match.url_name in _OF_ENGINE_API
