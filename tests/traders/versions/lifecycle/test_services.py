from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.factories import make_trader, new_trader, save_edit, sync_traders
from traders.fleet import services as fleet_services
from traders.schema.problems import InvalidConfig
from traders.schema.settings.stored import SavedVersion
from traders.versions import services as configs
from traders.versions.lifecycle.services import (
    capital_offered,
    clone,
    paper_variant,
    propose_retirement,
    set_retired,
)
from traders.versions.rules.errors import AlreadyExists, UnknownVersion

pytestmark = pytest.mark.django_db


def retire(*names: str, retired: bool = True) -> None:
    seen = propose_retirement(trader_ids=names, retired=retired).seen
    set_retired(trader_ids=names, retired=retired, seen=seen, reason="done", actor="mei")


def test_a_clone_starts_without_capital_not_started_and_says_where_it_came_from() -> None:
    sync_traders(make_trader(detail__auto_start=True))
    save_edit("steady_long", detail__risk__max_positions=8)

    clone(trader_id="steady_long", version=1, new_id="twin", display_name="Twin", reason="try", actor="mei")

    twin, source = configs.existing("twin"), configs.version("steady_long", 1)
    assert (twin.version, twin.source) == (1, "clone")
    assert twin.flat == source.flat | {
        "allocation_pct": Decimal(0),
        "detail.auto_start": False,
        "detail.display_name": "Twin",
        "detail.cloned_from": {"trader_id": "steady_long", "version": 1},
    }


def test_a_clone_needs_a_free_id_and_a_known_version() -> None:
    sync_traders(make_trader())

    with pytest.raises(AlreadyExists):
        clone(trader_id="steady_long", version=1, new_id="STEADY_LONG", reason="try", actor="mei")
    with pytest.raises(UnknownVersion):
        clone(trader_id="steady_long", version=2, new_id="twin", reason="try", actor="mei")
    with pytest.raises(InvalidConfig, match="1 to 64 letters"):
        clone(trader_id="steady_long", version=1, new_id="a twin", reason="try", actor="mei")


def test_retiring_frees_capital_in_one_change_set() -> None:
    sync_traders(make_trader("a"), make_trader("b"), make_trader("c"))

    proposal = propose_retirement(trader_ids=["a", "b"], retired=True)
    assert (proposal.before.free_pct, proposal.after.free_pct) == (Decimal(30), Decimal(70))
    retire("a", "b")

    assert fleet_services.overview().retired == 2
    assert configs.existing("a").change_set == configs.existing("b").change_set


def test_unretiring_is_held_to_the_fleet_rule() -> None:
    sync_traders(make_trader("a", allocation_pct=Decimal(50)))
    retire("a")
    new_trader("b", allocation_pct=Decimal(60))

    with pytest.raises(InvalidConfig, match="fleet's sum 110"):
        retire("a", retired=False)
    with pytest.raises(InvalidConfig, match="at least one"):
        retire(retired=True)


def variant(**changed: Any) -> SavedVersion:
    given: dict[str, Any] = {
        "trader_id": "steady_long",
        "version": 1,
        "new_id": "on_paper",
        "exchange_provider": "paper_trading",
        "paper_capital_usd": Decimal(2500),
        "reason": "try",
        "actor": "mei",
    }
    return paper_variant(**(given | changed))


def test_a_paper_variant_has_capital_of_its_own_and_leaves_the_fleets_sum_alone() -> None:
    sync_traders(make_trader(exchange_provider="hyperliquid_testnet", detail__auto_start=True))
    before = fleet_services.overview().allocation

    made = variant()

    assert fleet_services.overview().allocation == before
    flat = configs.existing(made.config_id).flat
    assert (flat["exchange_provider"], flat["allocation_pct"]) == ("paper_trading", Decimal(0))
    assert (flat["detail.paper_capital_usd"], flat["detail.auto_start"]) == (Decimal(2500), False)
    assert flat["detail.cloned_from"] == {"trader_id": "steady_long", "version": 1}


def test_a_clone_of_a_paper_variant_has_no_capital() -> None:
    sync_traders(make_trader())
    variant()

    clone(trader_id="on_paper", version=1, new_id="again", reason="try", actor="mei")

    assert configs.existing("again").flat["detail.paper_capital_usd"] == 0


def test_a_paper_variant_is_for_a_paper_exchange_and_needs_capital() -> None:
    sync_traders(make_trader())

    with pytest.raises(InvalidConfig, match="exchange_provider must be an exchange of type sim"):
        variant(exchange_provider="hyperliquid_testnet")
    with pytest.raises(InvalidConfig, match="paper_capital_usd must be above 0"):
        variant(paper_capital_usd=Decimal(0))


def test_the_capital_that_is_offered_is_what_the_trader_has() -> None:
    sync_traders(make_trader(), make_trader("idle", allocation_pct=0))
    variant()

    assert [capital_offered(configs.existing(name)) for name in ("steady_long", "idle", "on_paper")] == [
        Decimal("2000.00"),
        Decimal(10_000),
        Decimal(2500),
    ]
