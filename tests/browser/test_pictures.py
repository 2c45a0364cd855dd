"""The pictures of docs/: every page of a busy fleet, taken by `make pictures`, to be looked at and committed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.busy_site import FIRST, busy_site
from tests.browser.steps import give_reason, log_in, open_trader, person
from tests.factories import save_edit
from tests.trading_factories import make_position
from traders.controls.services import Asked, control
from traders.models import PromptText, TraderConfigVersion
from traders.schema.controls.rows import ControlKind
from traders.schema.messages import _
from traders.templatetags.display import moment_text
from traders.versions import services as configs
from trading.alarms.rules.catalogue import AlarmName
from trading.alarms.services import raise_alarm
from trading.models import AlarmChannel
from trading.record.writing.positions import open_position
from trading.schema.common import Side

pytestmark = [pytest.mark.pictures, pytest.mark.django_db(transaction=True)]

IMAGES = Path(__file__).parents[2] / "docs" / "images"
TRADERS = "/admin/traders/traderconfig/"
TRADER = f"{TRADERS}{FIRST}/"
PROMPTS = "/admin/traders/prompttext/"
FLEET = "/admin/traders/managerconfig/1/"
MOST_HEIGHT = 1100
ON_A_PHONE = ("traders", "edit", "history")
# Another test takes them, where there is something to see.
WITH_A_RECORD = {"overview", "trader"}


def test_every_page_is_pictured(page: Page, tmp_path: Path, settings: Any) -> None:
    manager = busy_site(tmp_path, settings)
    person("ada")
    page.goto("/admin/login/")
    taken = {_take(page, "login")}
    log_in(page, "ada")
    steps = (_reading(page), _editing(page), _many(page), _back(page), _files(page, manager), _operating(page))
    for name in chain.from_iterable(steps):
        taken.add(_take(page, name))
    taken |= {f"{name}-phone" for name in ON_A_PHONE}
    assert {path.stem for path in IMAGES.glob("*.png")} == taken | WITH_A_RECORD


def _take(page: Page, name: str) -> str:
    page.wait_for_function("() => !document.documentElement.hasAttribute('x-cloak')")
    page.wait_for_timeout(200)  # the theme fades its menu in
    _shoot(page, name, width=1366, least=480)
    if name in ON_A_PHONE:
        _shoot(page, f"{name}-phone", width=390, least=844)
        page.set_viewport_size({"width": 1366, "height": 768})
    return name


def _shoot(page: Page, name: str, *, width: int, least: int) -> None:
    page.set_viewport_size({"width": width, "height": least})
    height = page.evaluate("() => Math.max(0, ...[...document.querySelectorAll('.page')].map(d => d.offsetHeight))")
    page.set_viewport_size({"width": width, "height": least if width == 390 else min(max(height + 90, least), 1100)})
    page.screenshot(path=IMAGES / f"{name}.png")


def _reading(page: Page) -> Iterator[str]:
    for name, address in (
        ("traders", TRADERS),
        ("conflicts", f"{TRADERS}conflicts/"),
        ("changes", f"{TRADERS}changes/"),
        ("runtime", f"{TRADER}change/"),
        ("history", f"{TRADER}history/"),
        ("compare", f"{TRADER}compare/?a=1&b=3"),
        ("version", f"{TRADER}versions/2/"),
        ("traders-compared", f"{TRADERS}compare/?trader=grid_walker&trader=order_flow"),
        ("fleet", f"{FLEET}change/"),
        ("fleet-history", f"{FLEET}history/"),
        ("prompts", PROMPTS),
        ("users", "/admin/auth/user/"),
        ("user", "/admin/auth/user/add/"),
        ("groups", "/admin/auth/group/"),
    ):
        page.goto(address)
        yield name


def _editing(page: Page) -> Iterator[str]:
    page.goto(f"{TRADERS}add/")
    yield "add"
    open_trader(page, FIRST)
    page.get_by_label("Max positions", exact=True).fill("20x")
    give_reason(page, "room for more")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("needs a correction")).to_be_visible()
    yield "edit"
    page.get_by_label("Max positions", exact=True).fill("5")
    page.get_by_label("Stop-loss").uncheck()
    page.get_by_role("button", name="Preview").click()
    yield "preview"
    open_trader(page, FIRST)
    expect(page.locator('[data-draft="restored"]')).to_be_visible()
    yield "draft"
    open_trader(page, "grid_walker")
    page.get_by_label("Major coin leverage").fill("5")
    page.get_by_label("Min confidence").fill("80")
    give_reason(page, "a steadier grid")
    save_edit("grid_walker", "mei", "back to three", detail__risk__major_coin_leverage=3, detail__risk__max_positions=2)
    page.get_by_role("button", name="Preview").click()
    yield "merge"
    page.goto(f"{TRADER}versions/1/restore/")
    yield "restore"
    page.goto(f"{TRADER}clone/")
    yield "clone"
    text = PromptText.objects.filter(path__endswith="majors_momentum.tmpl").latest("first_seen_at")
    page.goto(f"{PROMPTS}{text.pk}/edit/")
    body = page.get_by_label("Text", exact=True)
    body.fill(body.input_value() + "Never add to a losing position.\n")
    yield "prompt-edit"
    give_reason(page, "no averaging down")
    page.get_by_role("button", name="Preview").click()
    yield "prompt-preview"


def _many(page: Page) -> Iterator[str]:
    several = "?trader=basis_carry&trader=delta_neutral&trader=fast_hare"
    page.goto(f"{TRADERS}bulk/{several}")
    page.locator("#f-add").select_option(label="Major coin leverage")
    page.get_by_role("button", name="Add", exact=True).click()
    page.get_by_label("Risk - major coin leverage", exact=True).fill("2")
    give_reason(page, "two at most into the print")
    yield "bulk-edit"
    page.get_by_role("button", name="Preview").last.click()
    yield "bulk"
    page.goto(f"{TRADERS}retire/{several}")
    yield "retire"
    page.goto(f"{TRADERS}bring-back/?trader=slow_turtle")
    yield "unretire"


def _back(page: Page) -> Iterator[str]:
    halved = TraderConfigVersion.objects.filter(source="bulk").latest("change_set").change_set
    moment = moment_text(configs.version(FIRST, 2).changed_at)
    for name, address in (
        ("change-set", f"changes/{halved}/"),
        ("undo", f"changes/{halved}/undo/"),
        ("past", f"?at={moment}"),
        ("past-trader", f"{FIRST}/past/?at={moment}"),
        ("restore-to", f"restore-to/?at={moment}"),
    ):
        page.goto(TRADERS + address)
        yield name


def _files(page: Page, manager: Path) -> Iterator[str]:
    prompt = manager.parent / "prompts" / "manager" / "majors_momentum.tmpl"
    prompt.write_text(prompt.read_text() + "Stand aside on days of central banks.\n")
    text = PromptText.objects.filter(path__endswith="majors_momentum.tmpl").latest("first_seen_at")
    page.goto(f"{PROMPTS}{text.pk}/change/")
    yield "prompt"
    page.goto(f"{PROMPTS}compare/")
    yield "prompts-compared"
    for name, wrong in (("upload-refused", "5x"), ("upload", "5")):
        changed = manager.with_name(f"{name}.yaml")
        changed.write_text(manager.read_text().replace("altcoin_leverage: 3", f"altcoin_leverage: {wrong}", 1))
        page.goto(f"{TRADERS}upload/")
        page.get_by_label("File", exact=True).set_input_files(changed)
        page.get_by_role("button", name="Show the plan").click()
        yield name


def _operating(page: Page) -> Iterator[str]:
    """The last pictures: from here on the fleet is stopped."""
    open_position(trader_id=FIRST, symbol="BTC", side=Side.LONG, detail=make_position())
    page.goto(f"{TRADERS}control/stop/?trader={FIRST}&trader=grid_walker")
    yield "stop"
    page.goto(f"{TRADER}history/")
    page.get_by_role("link", name="Pin v2").click()
    yield "pin"
    control(ControlKind.PAUSE, ["order_flow"], Asked(reason="the exchange is slow", actor="mei"))
    control(ControlKind.STOP, ["news_fade"], Asked(reason="its news feed is down", actor="lee"))
    page.goto(f"{TRADERS}fleet-stop/")
    give_reason(page, "the exchange refuses orders")
    page.get_by_role("button", name="Stop the fleet").click()
    page.goto(TRADERS)
    yield "fleet-stopped"
    page.goto("/admin/traders/tradercontrol/")
    yield "controls"
    AlarmChannel.objects.create(name="ops", kind="email", address="ops@example.org")
    raised = raise_alarm(AlarmName.BUDGET, _("The budget is used up"), traders=[FIRST])
    raise_alarm(AlarmName.LIQUIDATION, _("A position was liquidated"), traders=["fast_hare"])
    page.goto("/admin/trading/alarm/")
    yield "alarms"
    page.goto(f"/admin/trading/alarm/{raised}/change/")
    yield "alarm"
