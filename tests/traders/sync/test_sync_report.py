"""What the command answers with."""

from __future__ import annotations

from decimal import Decimal

import pytest

from traders.schema.paths import Change
from traders.sync.rules import ExitCode, MissingTrader, SyncAction, SyncOutcome, SyncReport
from traders.versions.rules.merge import Divergence

CHANGE = Change("allocation_pct", 10, 20)
CONFLICT = Divergence("detail.risk.max_positions", 3, 4, 5)

INSERTED = SyncOutcome("new", SyncAction.INSERTED, 1)
UPDATED = SyncOutcome("changed", SyncAction.UPDATED, 3, (CHANGE,))
HALF_UPDATED = SyncOutcome("half", SyncAction.UPDATED, 3, (CHANGE,), (CONFLICT,))
IN_CONFLICT = SyncOutcome("stuck", SyncAction.CONFLICT, 2, (), (CONFLICT,))
ADOPTED = SyncOutcome("made_in_browser", SyncAction.ADOPTED, 4)
RETIRED = SyncOutcome("gone", SyncAction.RETIRED, 6, (Change("detail.retired", False, True),))


def report(*outcomes: SyncOutcome, check: bool = False, missing: tuple[MissingTrader, ...] = ()) -> SyncReport:
    return SyncReport("etc/manager.yaml", "0" * 64, check, outcomes, unchanged=7, missing=missing)


@pytest.mark.parametrize(
    ("outcomes", "applied", "checked"),
    [
        pytest.param([], ExitCode.DONE, ExitCode.DONE, id="nothing"),
        pytest.param([ADOPTED], ExitCode.DONE, ExitCode.DONE, id="adopted: no version"),
        pytest.param([INSERTED], ExitCode.DONE, ExitCode.WOULD_CHANGE, id="inserted"),
        pytest.param([UPDATED], ExitCode.DONE, ExitCode.WOULD_CHANGE, id="updated"),
        pytest.param([RETIRED], ExitCode.DONE, ExitCode.WOULD_CHANGE, id="retired"),
        pytest.param([IN_CONFLICT], ExitCode.CONFLICTS, ExitCode.CONFLICTS, id="only conflicts"),
        pytest.param([HALF_UPDATED], ExitCode.CONFLICTS, ExitCode.WOULD_CHANGE, id="updated, conflicts left"),
        pytest.param([INSERTED, IN_CONFLICT], ExitCode.CONFLICTS, ExitCode.WOULD_CHANGE, id="inserted and conflicts"),
    ],
)
def test_the_exit_code(outcomes: list[SyncOutcome], applied: ExitCode, checked: ExitCode) -> None:
    assert report(*outcomes).exit_code is applied
    assert report(*outcomes, check=True).exit_code is checked


def test_the_exit_codes_are_the_documented_numbers() -> None:
    assert [code.value for code in ExitCode] == [0, 1, 2, 3]


def test_missing_traders_alone_change_nothing() -> None:
    missing = (MissingTrader("gone", Decimal(10), retired=False),)

    assert report(missing=missing).exit_code is ExitCode.DONE
    assert report(missing=missing, check=True).exit_code is ExitCode.DONE


def test_what_made_a_version() -> None:
    everything = report(INSERTED, UPDATED, HALF_UPDATED, IN_CONFLICT, ADOPTED, RETIRED)

    assert [outcome.config_id for outcome in everything.versions] == ["new", "changed", "half", "gone"]
    assert everything.open_conflicts == [("half", CONFLICT), ("stuck", CONFLICT)]


def test_the_summary_counts_everything() -> None:
    missing = (MissingTrader("gone", Decimal(10), retired=False),)

    assert report(INSERTED, UPDATED, HALF_UPDATED, IN_CONFLICT, ADOPTED, missing=missing).summary() == {
        "inserted": 1,
        "updated": 2,
        "retired": 0,
        "adopted": 1,
        "unchanged": 7,
        "conflicts": 2,
        "missing": 1,
    }
