"""The page of a trader: its settings, its state, its timeline. Each part stands alone; the form is one click away."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import save_edit
from tests.traders.admin.browsing import STEADY, text_of
from tests.traders.admin.people import browser_of
from tests.traders.controls.asking import ask
from traders.accounts.rules import Role
from traders.models import TraderRuntimeState, TraderSymbolCooldown
from traders.pages import seams
from traders.pages.config_page import ConfigPage
from traders.pages.seams import TraderPart
from traders.schema.controls.rows import ControlKind

pytestmark = pytest.mark.usefixtures("fleet")


def shown(role: Role = Role.OPERATOR, address: str = STEADY) -> str:
    return text_of(browser_of(role).get(address))


def html(role: Role = Role.OPERATOR, address: str = STEADY) -> str:
    return browser_of(role).get(address).content.decode()


def test_the_list_of_traders_leads_to_the_page_and_the_page_to_the_form() -> None:
    listed = html(address="/admin/traders/traderconfig/")
    assert f'href="{STEADY}" class="name"' in listed
    page = html()
    first_button = page.index('class="button')
    assert page.index(f'class="button primary" href="{STEADY}change/"') == first_button


def test_a_viewer_reads_and_has_no_button_to_edit() -> None:
    page = html(Role.VIEWER)
    assert ">Settings<" in page
    assert 'class="button primary"' not in page


def test_an_unknown_trader_leads_back_to_the_list() -> None:
    for address in ("/admin/traders/traderconfig/nobody/", "/admin/traders/traderconfig/a/b%20c/"):
        assert browser_of(Role.VIEWER).get(address).status_code == 302


def test_zero_of_a_limit_is_said_as_no_limit_and_what_differs_is_marked() -> None:
    save_edit("steady_long", detail__risk__max_positions=7, detail__risk__max_margin_usage_pct=0)
    page = html()
    margin = page[page.index('title="detail.risk.max_margin_usage_pct"') :]
    assert "no limit" in margin[: margin.index("</div>")]
    assert 'title="detail.risk.max_positions" class="is-set"' in page
    assert 'title="detail.journal.dir"' in page
    assert 'title="detail.journal.dir" class="is-set"' not in page


def test_a_prompt_is_named_by_path_and_version_with_a_link_to_its_text() -> None:
    page = html()
    line = page[page.index('title="detail.prompts.system_template"') :]
    assert "/admin/traders/prompttext/" in line[: line.index("</div>")]


def test_what_is_wrong_since_when_and_what_changed_stand_above_the_buttons() -> None:
    save_edit("steady_long", detail__risk__max_positions=7)
    TraderRuntimeState.objects.filter(pk="steady_long").update(
        active_config_version=1,
        is_running=True,
        updated_at=timezone.now(),
        detail={"last_error": {"message": "the model does not answer", "at": timezone.now().isoformat()}},
    )
    seen = html()
    now = seen[seen.index('id="live-now"') : seen.index('id="touched"')]
    assert "the model does not answer" in now
    assert "<ins>7</ins>" in now
    for kind in ("stop", "drain", "pause"):
        assert f"/control/{kind}/?trader=steady_long" in now


def test_changes_controls_and_cooldowns_stand_in_one_order_of_time() -> None:
    save_edit("steady_long", detail__risk__max_positions=7)
    ask(ControlKind.PAUSE, "steady_long", reason="news at two")
    TraderSymbolCooldown.objects.create(
        trader_id="steady_long",
        symbol="BTC",
        created_at=timezone.now() + timedelta(seconds=5),
        cooldown_until=timezone.now() + timedelta(hours=1),
        detail={"reason": "three_losses"},
    )
    seen = html()
    touched = seen[seen.index('id="live-touched"') :]
    places = [touched.index(words) for words in ("no new entry in BTC", "news at two", "v2: ", "v1: first version")]
    assert places == sorted(places)
    assert "three losses" in touched


def test_a_pinned_trader_says_which_version_runs() -> None:
    save_edit("steady_long", detail__risk__max_positions=7)
    ask(ControlKind.PIN, "steady_long", version=1)
    assert "Pinned to v1: will not run" in shown()


@pytest.mark.parametrize("fault", [ValueError("no such thing"), DatabaseError("refused")])
def test_a_fault_in_one_part_costs_that_part(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(page: ConfigPage) -> str:
        with connection.cursor() as cursor:
            try:
                cursor.execute("SELECT 1 / 0")
            except DatabaseError:
                raise fault from None
        return ""

    part = TraderPart("broken", "A part that fails", 5, write)
    monkeypatch.setattr(seams, "trader_parts", [part])
    seen = shown()
    assert "This part cannot be shown" in seen
    assert "Settings" in seen
    assert "first version" in seen


def test_lists_of_the_trader_keep_its_tabs() -> None:
    addresses = {
        "/admin/traders/traderconfig/changes/?config=steady_long": "All changes",
        "/admin/traders/tradercontrol/?trader=steady_long": "Controls",
        "/admin/trading/trade/?trader=steady_long": "Trades",
        "/admin/trading/position/?trader=steady_long": "Positions",
        "/admin/trading/decisionjournal/?trader=steady_long": "Decisions",
        "/admin/trading/trade/family/steady_long/": "Side by side",
        f"{STEADY}history/": "History",
        STEADY: "Overview",
    }
    for address, tab in addresses.items():
        page = html(address=address)
        current = page[: page.index("</a>", page.index('aria-current="page"', page.index('class="tabs"')))]
        assert current.endswith(f">{tab}"), address
        assert f'href="{STEADY}change/"' in page, address


def test_a_list_of_no_trader_or_of_an_unknown_one_has_no_tabs() -> None:
    for address in ("/admin/trading/trade/", "/admin/trading/trade/?trader=nobody"):
        assert 'class="tabs"' not in html(address=address)


@pytest.mark.plain
def test_the_number_of_queries_does_not_depend_on_what_happened() -> None:
    browser = browser_of(Role.OPERATOR)
    browser.get(STEADY)
    save_edit("steady_long", detail__risk__max_positions=7)
    ask(ControlKind.PAUSE, "steady_long", reason="first")

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            browser.get(STEADY)
        return len(found)

    before = queries()
    for count in range(5):
        save_edit("steady_long", detail__risk__max_positions=8 + count)
        ask(ControlKind.PAUSE, "steady_long", reason=f"again {count}")
    assert queries() == before
