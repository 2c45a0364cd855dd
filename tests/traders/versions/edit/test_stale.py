"""A form opened on an older version never overwrites: what is disjoint merges, what is contested is chosen."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_fleet, save_edit
from tests.traders.admin.browsing import FLEET, STEADY, form_data, hidden_fields, text_of
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import flat_of
from traders.versions import services as configs
from traders.versions.edit import services as edit
from traders.versions.edit.forms.config import defaults
from traders.versions.rules.proposal import settings_of

URL = f"{STEADY}change/"
POSITIONS, LEVERAGE = "detail.risk.max_positions", "detail.risk.altcoin_leverage"
INTERVAL = "detail.llm.decision_interval_seconds"

fleet_of_two = pytest.mark.usefixtures("fleet")


def typed() -> dict[str, str]:
    """What the editor posts from version 1, after mei saved version 2."""
    data = form_data(detail__risk__max_positions="2", detail__llm__decision_interval_seconds="20m", reason="calm")
    save_edit("steady_long", "mei", "wider book", detail__risk__max_positions=9, detail__risk__altcoin_leverage=4)
    return data


def disjoint() -> dict[str, str]:
    data = form_data(detail__risk__max_positions="2", detail__llm__decision_interval_seconds="20m", reason="calm")
    save_edit("steady_long", "mei", "wider book", detail__risk__altcoin_leverage=4)
    return data


def chosen(side: str, path: str = POSITIONS) -> dict[str, str]:
    return {"step": "rebase", f"take:{path}": side}


@fleet_of_two
@pytest.mark.parametrize("step", ["preview", "save"])
def test_disjoint_changes_lead_straight_to_the_preview_of_the_merged_whole(editor: Client, step: str) -> None:
    preview = editor.post(URL, disjoint() | {"step": step})

    said = text_of(preview)
    assert "mei saved version 2 just now : “wider book”" in said
    assert "Your 2 changes do not touch theirs: they will be applied on top." in said
    assert "altcoin leverage: 10x → 4x" in said
    assert {row.path: row.new for row in preview.context["rows"]} == {POSITIONS: "2", INTERVAL: "20 min"}
    assert configs.existing("steady_long").version == 2

    editor.post(URL, hidden_fields(preview) | {"step": "save"})
    stored = configs.existing("steady_long")
    assert (stored.version, stored.changed_by, stored.reason) == (3, "editor", "calm")
    assert (stored.flat[POSITIONS], stored.flat[LEVERAGE], stored.flat[INTERVAL]) == (2, 4, 1200)


@fleet_of_two
def test_the_merged_whole_is_validated_again(editor: Client) -> None:
    data = form_data(allocation_pct="60")
    save_edit("quick_short", "lee", allocation_pct=Decimal(40))
    save_edit("steady_long", "mei", detail__risk__altcoin_leverage=4)

    page = editor.post(URL, data)
    said = text_of(page)
    assert "mei saved version 2" in said
    assert "makes the fleet's sum 100" in said.lower()
    assert page.context["form"]["allocation_pct"].value() == "60"
    assert page.context["version"] == 2


@fleet_of_two
def test_contested_settings_come_back_with_all_three_sides(editor: Client) -> None:
    page = editor.post(URL, typed())

    said = text_of(page)
    assert "1 setting was changed on both sides: choose the value to keep." in said
    assert "Your other change does not touch theirs: it will be applied on top." in said
    sides = {c.path: (c.base, c.theirs, c.mine, c.who) for c in page.context["contests"]}
    assert sides == {
        POSITIONS: ("3", "9", "2", "contested"),
        INTERVAL: ("3 min", "3 min", "20 min", "only_mine"),
        LEVERAGE: ("10x", "4x", "10x", "only_theirs"),
    }
    assert b" checked" not in page.content[page.content.index(b"Both sides") :]
    assert configs.existing("steady_long").version == 2


@fleet_of_two
@pytest.mark.parametrize(("side", "positions"), [("base", 3), ("theirs", 9), ("mine", 2)])
def test_the_chosen_side_is_previewed_and_saved(editor: Client, side: str, positions: int) -> None:
    page = editor.post(URL, typed())
    preview = editor.post(URL, hidden_fields(page) | chosen(side), follow=True)
    assert "What you chose and what only you changed is on top of version 2." in text_of(preview)

    editor.post(URL, hidden_fields(preview) | {"step": "save"})
    stored = configs.existing("steady_long")
    assert stored.version == 3
    assert (stored.flat[POSITIONS], stored.flat[LEVERAGE], stored.flat[INTERVAL]) == (positions, 4, 1200)


@fleet_of_two
def test_every_contest_needs_a_choice(editor: Client) -> None:
    data = form_data(detail__risk__max_positions="2", detail__risk__altcoin_leverage="7")
    save_edit("steady_long", "mei", detail__risk__max_positions=9, detail__risk__altcoin_leverage=4)

    page = editor.post(URL, data)
    again = editor.post(URL, hidden_fields(page) | chosen("mine"), follow=True)
    said = text_of(again)
    assert "Choose for every setting that both changed. Still open: Risk - altcoin leverage." in said
    assert [contest.chosen for contest in again.context["contests"]] == ["mine", ""]


@fleet_of_two
def test_back_at_the_form_everything_stands_on_the_newer_version(editor: Client) -> None:
    page = editor.post(URL, typed())
    preview = editor.post(URL, hidden_fields(page) | chosen("mine"), follow=True)
    form_page = editor.post(URL, hidden_fields(preview) | {"step": "back"}, follow=True)

    form = form_page.context["form"]
    assert (form[POSITIONS].value(), form[LEVERAGE].value(), form[INTERVAL].value()) == ("2", "4", "20m")
    assert form["reason"].value() == "calm"
    assert form_page.context["version"] == 2
    changed = {
        line.setting.path: line.was for part in form_page.context["parts"] for line in part.lines if line.changed
    }
    assert changed == {POSITIONS: "9", INTERVAL: "3 min"}


@fleet_of_two
def test_what_was_typed_wrongly_survives_too(editor: Client) -> None:
    page = editor.post(URL, typed() | {POSITIONS: "20x"})
    again = editor.post(URL, hidden_fields(page) | chosen("mine"), follow=True)
    assert again.context["form"][POSITIONS].value() == "20x"
    assert again.context["form"].errors[POSITIONS]


@fleet_of_two
def test_a_third_version_meanwhile_asks_again_what_was_chosen_for_the_second(editor: Client) -> None:
    page = editor.post(URL, typed())
    save_edit("steady_long", "lee", detail__risk__max_positions=5)

    third = editor.post(URL, hidden_fields(page) | chosen("mine"), follow=True)
    assert "lee saved version 3" in text_of(third)
    assert {c.path: (c.theirs, c.chosen) for c in third.context["contests"] if c.who == "contested"} == {
        POSITIONS: ("5", "")
    }

    preview = editor.post(URL, hidden_fields(third) | chosen("mine"), follow=True)
    editor.post(URL, hidden_fields(preview) | {"step": "save"})
    stored = configs.existing("steady_long")
    assert (stored.version, stored.flat[POSITIONS], stored.flat[INTERVAL]) == (4, 2, 1200)


@fleet_of_two
def test_several_versions_meanwhile_are_counted(editor: Client) -> None:
    data = disjoint()
    save_edit("steady_long", "lee", detail__risk__altcoin_leverage=5)
    assert "It is the last of 2 versions since you began." in text_of(editor.post(URL, data))


@fleet_of_two
def test_the_same_change_twice_has_nothing_left_to_save(editor: Client) -> None:
    data = form_data(detail__risk__max_positions="9")
    save_edit("steady_long", "mei", detail__risk__max_positions=9)
    said = text_of(editor.post(URL, data | {"step": "save"}))
    assert "Your change is in it already." in said
    assert "Nothing differs" in said


@fleet_of_two
def test_extension_keys_of_both_sides_are_kept(editor: Client) -> None:
    data = form_data(detail__extra='{"mine": 1}')
    save_edit("steady_long", "mei", detail__extra__theirs=2)
    preview = editor.post(URL, data)
    editor.post(URL, hidden_fields(preview) | {"step": "save"})

    flat = configs.existing("steady_long").flat
    assert (flat["detail.extra.mine"], flat["detail.extra.theirs"]) == (1, 2)


def test_fleet_settings_that_somebody_made_first_are_chosen_between(editor: Client) -> None:
    made = flat_of(make_fleet())
    edit.save(config_id=FLEET_ID, flat=made, expected_version=0, reason="first", actor="mei", may_change_fleet=True)
    data: dict[str, Any] = {
        **{path: str(value) for path, value in defaults(settings_of(FLEET_ID)).items() if value is not False},
        **{path: str(value) for path, value in made.items() if value is not False},
        "detail.manager.total_equity_usd": "5",
        "reason": "mine",
        "expected_version": "0",
    }
    url = f"{FLEET}change/"
    page = editor.post(url, data)
    contested = {c.path for c in page.context["contests"] if c.who == "contested"}
    assert "detail.manager.total_equity_usd" in contested
    assert b'value="base"' not in page.content

    choices = {f"take:{path}": "theirs" for path in contested} | chosen("mine", "detail.manager.total_equity_usd")
    preview = editor.post(url, hidden_fields(page) | choices, follow=True)
    editor.post(url, hidden_fields(preview) | {"step": "save"})
    stored = configs.existing(FLEET_ID)
    assert (stored.version, stored.flat["detail.manager.total_equity_usd"]) == (2, 5)


@fleet_of_two
def test_a_forged_way_on_is_refused(editor: Client) -> None:
    data = typed()
    assert editor.post(URL, data | {"step": "rebase", "theirs_version": "99"}).status_code == 400
    assert editor.post(URL, data | {"step": "rebase", "theirs_version": "2", "detail.extra": "{"}).status_code == 400
