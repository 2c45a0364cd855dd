"""A trader beside its paper variant: over the time in which both ran, on a page and by a command."""

from __future__ import annotations

from decimal import Decimal
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import hidden_fields, text_of
from tests.traders.admin.people import browser_of
from tests.trading.family.family_record import at, make_family, make_variant
from traders.accounts.rules import Role
from traders.schema import jsonio
from traders.versions import services as configs
from trading.family.rules import FamilyLine
from trading.family.services import compare
from trading.record.rules.errors import UnknownTrader

pytestmark = pytest.mark.django_db
PAGE = "/admin/trading/trade/family/{}/"


@pytest.fixture
def family(db: None) -> dict[tuple[str, int | None], FamilyLine]:
    make_family()
    return {(line.member.trader_id, line.version): line for line in compare("bolder").lines}


@pytest.fixture
def operator() -> Client:
    return browser_of(Role.OPERATOR)


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("performance", *arguments, stdout=out)
    return out.getvalue()


def test_members_are_measured_over_the_time_that_they_have_in_common(
    family: dict[tuple[str, int | None], FamilyLine],
) -> None:
    found = compare("steady_long")

    assert found.period is not None
    assert (found.period.from_ms, found.period.to_ms, found.is_common) == (at(0), at(6), True)
    original, variant = family["steady_long", None], family["bolder", None]
    # The loss of 100 lies before it.
    assert (original.performance.net, variant.performance.net) == (Decimal(20), Decimal(50))
    assert original.return_pct == pytest.approx(2.0)
    assert variant.return_pct == pytest.approx(5.0)
    assert variant.performance.max_drawdown is not None
    assert variant.performance.max_drawdown.depth_pct == 0
    assert (original.performance.win_rate_pct, variant.performance.is_small) == (100.0, True)


def test_versions_have_their_own_trades_and_return(family: dict[tuple[str, int | None], FamilyLine]) -> None:
    first, second = family["steady_long", 1], family["steady_long", 2]

    assert (first.performance.net, second.performance.net) == (Decimal(8), Decimal(12))
    assert second.return_pct is not None
    assert first.performance.exposure_pct == pytest.approx(100 / 6)
    assert ("bolder", 2) not in family, "a trader with one version has no part"


def test_refused_decisions_and_the_cost_of_models_are_counted(
    family: dict[tuple[str, int | None], FamilyLine],
) -> None:
    original, variant = family["steady_long", None].use, family["bolder", None].use

    assert (original.decisions, original.refused, original.model_cost_usd) == (2, 0, Decimal("0.50"))
    assert (variant.decisions, variant.refused, variant.model_cost_usd) == (3, 2, None)


def test_a_trader_alone_has_nothing_to_compare_with() -> None:
    sync_traders(make_trader())

    found = compare("steady_long")

    assert ([member.trader_id for member in found.members], found.period, found.lines) == (["steady_long"], None, ())
    with pytest.raises(UnknownTrader):
        compare("nobody")


@pytest.mark.usefixtures("family")
def test_the_command_prints_the_family_and_marks_small_samples() -> None:
    text = said("--family", "steady_long")

    assert text.splitlines()[0] == "In common: 2025-10-09 08:53:20 UTC - 2025-10-09 14:53:20 UTC"
    assert "bolder (paper)" in text
    assert "2 of 3" in text
    assert "* fewer than 30 trades: the figures say little" in text


@pytest.mark.usefixtures("family")
def test_json_has_a_line_for_each_trader_and_version() -> None:
    lines = [jsonio.loads(line) for line in said("--family", "bolder", "--json").splitlines()]

    assert [(line["trader_id"], line["version"]) for line in lines] == [
        ("steady_long", None),
        ("steady_long", 1),
        ("steady_long", 2),
        ("bolder", None),
    ]
    assert (lines[3]["refused"], lines[3]["paper_capital_usd"]) == (2, 1000)
    assert lines[3]["cloned_from"] == {"trader_id": "steady_long", "version": 1}


@pytest.mark.parametrize(
    ("options", "words"), [(("--csv",), "--csv"), (("--trader", "a"), "--trader"), (("--by", "symbol"), "--by symbol")]
)
def test_an_option_that_means_nothing_for_a_family_is_refused(options: tuple[str, ...], words: str) -> None:
    with pytest.raises(CommandError, match=f"--family takes no {words}"):
        said("--family", "steady_long", *options)


def test_a_family_that_never_ran_says_so(db: None) -> None:
    sync_traders(make_trader())

    assert said("--family", "steady_long") == "No member of the family has decided or reported equity.\n"
    for name in ("nobody", ""):
        with pytest.raises(CommandError, match=f"there is no trader '{name}'"):
            said("--family", name)


@pytest.mark.usefixtures("family")
def test_the_page_shows_members_versions_and_their_curves(operator: Client) -> None:
    page = operator.get(PAGE.format("bolder"))
    text = text_of(page)

    assert "steady_long and its clones, side by side" in text
    assert "paper variant" in text
    assert "from steady_long v1" in text
    assert [line.label for line in page.context["chart"].lines] == ["steady_long", "bolder"]
    assert "Take the settings of bolder" in text


@pytest.mark.usefixtures("family")
def test_taking_settings_opens_the_preview_of_an_edit_of_the_original(operator: Client) -> None:
    [taken] = operator.get(PAGE.format("bolder")).context["taken"]

    preview = operator.post(taken.address, dict(taken.fields))

    text = text_of(preview)
    assert taken.address == "/admin/traders/traderconfig/steady_long/change/"
    assert "detail.risk.max_positions" in text
    assert "detail.exec_guards.candidate_limit" in text
    assert "detail.display_name" not in text
    assert "detail.paper_capital_usd" not in text
    assert configs.existing("steady_long").version == 2
    saved = operator.post(taken.address, dict(taken.fields) | {"step": "save"}, follow=True)
    assert "Saved version 3." in text_of(saved)
    flat = configs.existing("steady_long").flat
    assert (flat["detail.risk.max_positions"], flat["detail.exec_guards.candidate_limit"]) == (8, 3)
    assert (flat["exchange_provider"], flat["allocation_pct"]) == ("paper_trading", Decimal(20))
    assert configs.existing("steady_long").reason == "Settings of bolder v2"


@pytest.mark.usefixtures("family")
def test_settings_are_taken_as_they_were_shown_beside_what_was_saved_meanwhile(operator: Client) -> None:
    [taken] = operator.get(PAGE.format("bolder")).context["taken"]
    save_edit("bolder", detail__risk__max_positions=9)
    save_edit("steady_long", "mei", detail__risk__min_confidence=88)

    preview = operator.post(taken.address, dict(taken.fields) | {"step": "save"})
    assert "mei saved version 3" in text_of(preview)
    operator.post(taken.address, hidden_fields(preview) | {"step": "save"})

    stored = configs.existing("steady_long")
    assert (stored.version, stored.reason) == (4, "Settings of bolder v2")
    assert (stored.flat["detail.risk.max_positions"], stored.flat["detail.risk.min_confidence"]) == (8, 88)


@pytest.mark.usefixtures("family")
def test_a_setting_that_was_changed_meanwhile_is_not_taken_without_a_choice(operator: Client) -> None:
    [taken] = operator.get(PAGE.format("bolder")).context["taken"]
    save_edit("steady_long", "mei", detail__risk__max_positions=2)

    page = operator.post(taken.address, dict(taken.fields) | {"step": "save"})

    assert "1 setting was changed on both sides: choose the value to keep." in text_of(page)
    assert configs.existing("steady_long").flat["detail.risk.max_positions"] == 2


@pytest.mark.usefixtures("family")
def test_a_viewer_sees_the_family_and_takes_nothing() -> None:
    page = browser_of(Role.VIEWER).get(PAGE.format("steady_long"))

    assert page.status_code == 200
    assert page.context["taken"] == []


def test_a_variant_that_is_equal_offers_nothing_to_take(operator: Client) -> None:
    sync_traders(make_trader())
    make_variant("same")

    page = operator.get(PAGE.format("same"))

    assert page.context["taken"] == []
    assert "Nothing to compare yet" in text_of(page)


def test_a_trader_without_a_clone_is_offered_one(operator: Client) -> None:
    sync_traders(make_trader())

    assert "Clone as paper variant" in text_of(operator.get(PAGE.format("steady_long")))
    assert operator.get(PAGE.format("nobody")).status_code == 302


def test_the_pages_of_a_trader_lead_to_its_family(operator: Client) -> None:
    sync_traders(make_trader())

    assert (
        PAGE.format("steady_long") in operator.get("/admin/traders/traderconfig/steady_long/change/").content.decode()
    )
