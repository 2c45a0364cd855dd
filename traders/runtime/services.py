"""An engine's report of a trader, and what it learns in return: which configuration stands by now."""

from __future__ import annotations

from traders.runtime import writer as runtime
from traders.runtime.redaction import without_secrets
from traders.schema.messages import _
from traders.schema.problems import InvalidConfig, Problem
from traders.schema.runtime import ReportDetail, RuntimeState
from traders.versions import queries as configs
from traders.versions.rules.errors import UnknownConfig


def state_of(trader_id: str) -> RuntimeState:
    """Raises UnknownConfig."""
    found = runtime.state(trader_id)
    if found is None:
        raise UnknownConfig(trader_id)
    return found


def report(*, trader_id: str, active_config_version: int, is_running: bool, detail: ReportDetail) -> RuntimeState:
    """Replaces what the engine said before; what the operator desires stays. Secrets are taken out of its texts.

    Raises UnknownConfig, and InvalidConfig for a version that the trader never had and for a retired trader that is
    said to run: nothing is written, so that a page shows the report as old.
    """
    clean, _ = without_secrets(detail, f"the report of {trader_id}")
    if not runtime.report(trader_id, version=active_config_version, is_running=is_running, detail=clean.stored()):
        raise _refused(state_of(trader_id), active_config_version)
    return state_of(trader_id)


def heartbeat(
    *, trader_id: str, active_config_version: int | None = None, is_running: bool | None = None
) -> RuntimeState:
    """The engine lives; the rest of its report stands. Raises what `report` raises, also for a trader of which no
    version was ever reported and that is said to run."""
    before = state_of(trader_id)
    if is_running and active_config_version is None and before.active_config_version is None:
        raise InvalidConfig(
            [Problem("active_config_version", _("is missing: a running trader runs some version"), trader_id)]
        )
    if not runtime.heartbeat(trader_id, version=active_config_version, is_running=is_running):
        raise _refused(before, active_config_version)
    return state_of(trader_id)


def _refused(state: RuntimeState, version: int | None) -> InvalidConfig:
    if version is not None and configs.version(state.trader_id, version) is None:
        right = _(
            "must be a version that the trader has had, from 1 to %(last)s, was %(version)s",
            last=state.config_version,
            version=version,
        )
        return InvalidConfig([Problem("active_config_version", right, state.trader_id)])
    return InvalidConfig([Problem("is_running", _("must be false: the trader is retired"), state.trader_id)])
