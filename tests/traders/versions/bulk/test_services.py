from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import make_trader, save_edit, sync_traders
from tests.strategies import trader_specs
from tests.traders.versions.test_histories import rolled_back
from traders.models import TraderConfigVersion
from traders.schema.problems import InvalidConfig
from traders.schema.settings.catalogue import TRADER_SETTINGS
from traders.schema.settings.trader import TraderSpec
from traders.versions import services as configs
from traders.versions.bulk.proposal import ChangedMeanwhile
from traders.versions.bulk.rules import BulkVerb, Operation, is_numeric
from traders.versions.bulk.services import propose_bulk, propose_one_by_one, save_bulk
from traders.versions.rules.errors import UnknownConfig

pytestmark = pytest.mark.django_db

LEVERAGE = "detail.risk.major_coin_leverage"
SIZE = "detail.risk.max_position_size_usd"


def fleet_of(count: int, **changed: object) -> list[str]:
    names = [f"t{number}" for number in range(count)]
    sync_traders(*(make_trader(name, allocation_pct=Decimal(10), **changed) for name in names))
    return names


def change(names: list[str], *operations: Operation, reason: str = "less risk") -> None:
    proposal = propose_bulk(trader_ids=names, operations=operations)
    save_bulk(trader_ids=names, operations=operations, seen=proposal.seen, reason=reason, actor="mei")


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (Operation(LEVERAGE, BulkVerb.SET, 5), 5),
        (Operation(LEVERAGE, BulkVerb.TIMES, Decimal("0.5")), 10),
        (Operation(LEVERAGE, BulkVerb.PERCENT, Decimal(-20)), 16),
        (Operation(LEVERAGE, BulkVerb.CAP, 12), 12),
        (Operation(LEVERAGE, BulkVerb.CAP, 30), 20),
        (Operation(LEVERAGE, BulkVerb.FLOOR, 25), 25),
        (Operation(SIZE, BulkVerb.PERCENT, Decimal("-33.3")), Decimal("333.5")),
    ],
)
def test_an_operation_is_applied_to_each_trader(operation: Operation, expected: object) -> None:
    names = fleet_of(3)

    proposal = propose_bulk(trader_ids=names, operations=[operation])

    for part in proposal.parts:
        assert [moved.new for moved in part.changes] == [expected]
    assert len(proposal.parts) + proposal.unchanged == 3
    assert configs.existing("t0").version == 1


def test_a_bulk_edit_is_one_change_set_with_one_reason() -> None:
    names = fleet_of(3)

    change(
        names, Operation(LEVERAGE, BulkVerb.TIMES, Decimal("0.5")), Operation("detail.auto_start", BulkVerb.SET, True)
    )

    stored = [configs.existing(name) for name in names]
    assert {(at.version, at.source, at.reason, at.changed_by) for at in stored} == {(2, "bulk", "less risk", "mei")}
    assert len({at.change_set for at in stored}) == 1
    assert set(stored[0].changed_fields) == {LEVERAGE, "detail.auto_start"}


def test_one_wrong_trader_keeps_all_from_being_saved() -> None:
    names = fleet_of(2)
    save_edit("t1", detail__risk__major_coin_leverage=150)

    with pytest.raises(InvalidConfig) as refusal:
        change(names, Operation(LEVERAGE, BulkVerb.TIMES, Decimal(2)))

    assert [(problem.trader_id, problem.path) for problem in refusal.value.problems] == [("t1", LEVERAGE)]
    assert configs.existing("t0").version == 1


def test_raises_that_fit_singly_but_not_together_are_refused() -> None:
    names = fleet_of(4)

    proposal = propose_bulk(trader_ids=names, operations=[Operation("allocation_pct", BulkVerb.SET, Decimal(30))])

    assert proposal.rule is not None
    assert "fleet's sum 120" in proposal.rule.message


def test_edits_of_other_paths_since_the_preview_are_merged() -> None:
    names = fleet_of(2)
    operations = [Operation(LEVERAGE, BulkVerb.SET, 5)]
    seen = propose_bulk(trader_ids=names, operations=operations).seen
    save_edit("t0", detail__risk__max_positions=9)

    save_bulk(trader_ids=names, operations=operations, seen=seen, reason="less risk", actor="mei")

    flat = configs.existing("t0").flat
    assert (flat["detail.risk.max_positions"], flat[LEVERAGE]) == (9, 5)


def test_an_edit_of_the_same_path_since_the_preview_is_told() -> None:
    names = fleet_of(2)
    operations = [Operation(LEVERAGE, BulkVerb.SET, 5)]
    seen = propose_bulk(trader_ids=names, operations=operations).seen
    save_edit("t0", detail__risk__major_coin_leverage=7)

    with pytest.raises(ChangedMeanwhile, match=r"t0 \(detail\.risk\.major_coin_leverage\)"):
        save_bulk(trader_ids=names, operations=operations, seen=seen, reason="less risk", actor="mei")
    assert configs.existing("t1").version == 1


@given(
    st.lists(trader_specs(ids=st.just("x")), min_size=1, max_size=3),
    st.lists(
        st.builds(
            Operation,
            st.sampled_from(sorted(path for path, setting in TRADER_SETTINGS.items() if is_numeric(setting))),
            st.sampled_from([BulkVerb.SET, BulkVerb.CAP, BulkVerb.FLOOR, BulkVerb.TIMES, BulkVerb.PERCENT]),
            st.integers(0, 50).map(Decimal),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_traders_that_stand_alike_are_judged_as_each_alone_would_be(
    specs: list[TraderSpec], operations: list[Operation]
) -> None:
    twice = [spec.model_copy(update={"id": f"t{n}", "allocation_pct": Decimal(9)}) for n, spec in enumerate(specs * 2)]
    with rolled_back():
        sync_traders(*twice)
        names = [spec.id for spec in twice]

        assert propose_bulk(trader_ids=names, operations=operations) == propose_one_by_one(
            trader_ids=names, operations=operations
        )


def test_an_unknown_trader_is_named() -> None:
    with pytest.raises(UnknownConfig, match="'ghost'"):
        propose_bulk(trader_ids=["ghost"], operations=[Operation(LEVERAGE, BulkVerb.SET, 5)])


@given(
    st.lists(
        st.builds(
            Operation,
            st.sampled_from([LEVERAGE, "detail.risk.altcoin_leverage"]),
            st.sampled_from([BulkVerb.CAP, BulkVerb.FLOOR, BulkVerb.SET]),
            st.integers(1, 30),
        ),
        min_size=1,
        max_size=3,
    )
)
def test_setting_and_capping_twice_is_the_same_as_once(operations: list[Operation]) -> None:
    with rolled_back():
        names = fleet_of(2)
        change(names, *operations)
        versions = TraderConfigVersion.objects.count()
        change(names, *operations)
        if len({operation.path for operation in operations}) == len(operations):
            assert TraderConfigVersion.objects.count() == versions
