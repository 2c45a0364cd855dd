from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from tests.factories import save_edit
from tests.traders.admin.browsing import FLEET, STEADY, form_data, hidden_fields, save, text_of
from traders.fleet import services as fleet_services
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs

pytestmark = pytest.mark.usefixtures("fleet")

URL = f"{STEADY}change/"


def test_a_change_is_previewed_and_saved_with_its_reason(editor: Client) -> None:
    preview = editor.post(URL, form_data(detail__risk__max_positions="4", reason="room for one more"))

    said = text_of(preview)
    assert "Version 2 would change 1 setting" in said
    assert "Risk - max positions detail.risk.max_positions 3 4 shield raises risk" in said
    assert configs.existing("steady_long").version == 1

    done = editor.post(URL, hidden_fields(preview) | {"step": "save"}, follow=True)
    stored = configs.existing("steady_long")
    assert (stored.version, stored.flat["detail.risk.max_positions"]) == (2, 4)
    assert (stored.changed_by, stored.reason, stored.source) == ("editor", "room for one more", "admin")
    assert "Saved version 2." in text_of(done)
    assert done.redirect_chain == [(f"{STEADY}history/", 302)]


def test_the_preview_says_what_the_fleet_has_left(editor: Client) -> None:
    said = text_of(editor.post(URL, form_data(allocation_pct="25.5")))

    assert "45.50 % allocated 44.50 % free 10.00 % reserve" in said
    assert "Before: 40.00 % allocated, 50.00 % free." in said


def test_what_raises_risk_is_counted(editor: Client) -> None:
    typed: dict[str, Any] = {"detail__risk__stop_loss_enabled": None, "detail__risk__min_confidence": "60"}
    said = text_of(editor.post(URL, form_data(**typed, detail__risk__altcoin_leverage="5")))

    assert "Raises risk in 2 places" in said
    assert "Risk - stop-loss: on → off" in said
    assert "10x 5x shield lowers risk" in said


@pytest.mark.parametrize(
    ("name", "typed", "said"),
    [
        ("detail.risk.max_positions", "20x", "Must be a whole number from 1 to 1000, was &#x27;20x&#x27;."),
        ("detail.risk.max_positions", "", "Must be a whole number from 1 to 1000, was &#x27;&#x27;."),
        ("detail.risk.major_coin_leverage", "201", "Must be a whole number from 1 to 200 (x), was 201."),
        ("detail.risk.major_coin_leverage", "1.5", "was &#x27;1.5&#x27;"),
        ("detail.order.slippage_bps", "1e400", "was &#x27;1e400&#x27;"),
        ("allocation_pct", "12.345", "at most 2 decimals"),
        ("allocation_pct", "-1", "from 0 to 100"),
        ("allocation_pct", "NaN", "from 0 to 100"),
        ("allocation_pct", "90", "above the 90 % that a reserve of 10 % leaves"),
        ("detail.llm.decision_interval_seconds", "3x", "such as 45s, 3m or 1h30m"),
        ("detail.display_name", " ", "of 1 to 120 characters"),
        ("detail.order.style", "iceberg", "limit_ioc, market_ioc"),
        ("detail.extra", "{", "Not JSON: line 1, column 2"),
        ("detail.prompts.system_template", "[]", "Choose one of the stored texts."),
        ("detail.description", "sk-" + "ant-api03-" + "A1b2C3d4" * 8, "history keeps secrets for ever"),
        ("reason", "", "Say why, in a few words."),
    ],
)
def test_a_wrong_value_is_told_at_its_field_and_kept(editor: Client, name: str, typed: str, said: str) -> None:
    page = editor.post(URL, form_data() | {name: typed})

    field = page.context["form"][name]
    assert list(page.context["form"].errors) == [name]
    assert said in str(field.errors)
    assert field.value() == typed
    assert "autofocus" in str(field)
    assert configs.existing("steady_long").version == 1


def test_all_wrong_values_are_told_at_once(editor: Client) -> None:
    data = form_data(detail__risk__max_positions="20x", detail__risk__altcoin_leverage="0", reason="")
    page = editor.post(URL, data)

    wrong = {"detail.risk.max_positions", "detail.risk.altcoin_leverage", "reason"}
    assert set(page.context["form"].errors) == wrong
    assert "3 places need a correction" in text_of(page)


def test_a_field_that_cannot_be_read_does_not_hide_what_is_wrong_in_others(editor: Client) -> None:
    data = form_data(detail__risk__max_positions="20x", allocation_pct="90", detail__extra="{", reason="")
    page = editor.post(URL, data | {"detail.prompts.system_template": "[]"})
    wrong = {"detail.risk.max_positions", "detail.extra", "detail.prompts.system_template", "reason"}
    assert set(page.context["form"].errors) == wrong
    assert "4 places need a correction" in text_of(page)


def test_every_wrong_key_of_a_json_text_is_told(editor: Client) -> None:
    page = editor.post(URL, form_data(detail__extra='{"1st": 1, "team": "alpha", "with blank": 2}'))
    said = str(page.context["form"].errors["detail.extra"])
    assert "1st" in said
    assert "with blank" in said
    assert "team" not in said


@pytest.mark.parametrize(
    ("path", "typed", "stored"),
    [
        ("detail.llm.decision_interval_seconds", "5 min", 300),
        ("detail.risk.max_positions", "１２", 12),
        ("detail.exec_guards.max_daily_loss_usd", "2,500", 2500),
    ],
)
def test_a_number_is_taken_as_people_type_it(editor: Client, path: str, typed: str, stored: int) -> None:
    save(editor, **{path.replace(".", "__"): typed})
    assert configs.existing("steady_long").flat[path] == stored


def test_bands_the_wrong_way_round_are_told_at_the_lower_end(editor: Client) -> None:
    low = "detail.exec_guards.alt_position_value_min_equity_multiple"
    high = "detail.exec_guards.alt_position_value_max_equity_multiple"
    page = editor.post(URL, form_data() | {low: "5", high: "2"})
    assert list(page.context["form"].errors) == [low]


def test_back_to_the_form_keeps_everything(editor: Client) -> None:
    preview = editor.post(URL, form_data(detail__risk__max_positions="4", detail__description="a\nb", reason="why"))
    page = editor.post(URL, hidden_fields(preview) | {"step": "back"}, follow=True)

    form = page.context["form"]
    assert not form.errors
    assert form["detail.risk.max_positions"].value() == "4"
    assert form["detail.description"].value() == "a\nb"
    assert form["reason"].value() == "why"
    changed = {line.setting.path for part in page.context["parts"] for line in part.lines if line.changed}
    assert changed == {"detail.risk.max_positions", "detail.description"}


def test_nothing_differs_makes_no_version(editor: Client) -> None:
    preview = editor.post(URL, form_data())
    assert "Nothing differs" in text_of(preview)
    assert "Save version" not in text_of(preview)

    editor.post(URL, form_data() | {"step": "save"})
    assert configs.existing("steady_long").version == 1


def test_a_switch_left_out_of_the_post_is_off(editor: Client) -> None:
    save(editor, detail__risk__stop_loss_enabled=None)
    assert configs.existing("steady_long").flat["detail.risk.stop_loss_enabled"] is False


def test_extension_keys_are_edited_as_json(editor: Client) -> None:
    save(editor, detail__extra='{"team": "alpha", "fee": 0.10}')
    flat = configs.existing("steady_long").flat
    assert (flat["detail.extra.team"], flat["detail.extra.fee"]) == ("alpha", Decimal("0.10"))

    save(editor, detail__extra='{"fee": 0.10}')
    assert "detail.extra.team" not in configs.existing("steady_long").flat


def test_retiring_and_unretiring_is_an_edit(editor: Client) -> None:
    save(editor, detail__retired="on")
    assert fleet_services.overview().allocation.allocated_pct == 20

    save(editor, detail__retired=None)
    assert fleet_services.overview().allocation.allocated_pct == 40


def test_the_origin_of_a_clone_is_shown_and_kept(editor: Client) -> None:
    save_edit("steady_long", detail__cloned_from={"trader_id": "quick_short", "version": 1})
    assert "Cloned from quick_short v1" in text_of(editor.get(URL))

    save(editor, detail__risk__max_positions="5")
    origin = configs.existing("steady_long").flat["detail.cloned_from"]
    assert origin == {"trader_id": "quick_short", "version": 1}


def test_a_long_text_is_compared_line_by_line(editor: Client) -> None:
    save_edit("steady_long", detail__description="one\ntwo\nthree")
    preview = editor.post(URL, form_data(detail__description="one\n2\nthree"))
    assert "- two + 2" in text_of(preview)


@pytest.mark.parametrize("version", ["", "x", "99"])
def test_a_form_without_its_version_is_refused(editor: Client, version: str) -> None:
    assert editor.post(URL, form_data(expected_version=version)).status_code == 400


def test_markup_in_a_value_stays_text(editor: Client) -> None:
    page = save(editor, detail__display_name="<script>alert(1)</script>", reason="<b>why</b>")
    assert b"<script>alert" not in page.content
    assert b"<b>why</b>" not in page.content


def test_the_fleets_settings_are_edited_the_same_way(editor: Client) -> None:
    url = f"{FLEET}change/"
    wrong = editor.post(url, form_data(FLEET_ID, detail__manager__reserve_equity_pct="70"))
    assert "leaves" in str(wrong.context["form"]["detail.manager.reserve_equity_pct"].errors)

    said = text_of(editor.post(url, form_data(FLEET_ID, detail__manager__reserve_equity_pct="5")))
    assert "40.00 % allocated 55.00 % free 5.00 % reserve" in said
    assert "10 % 5 % shield raises risk" in said

    save(editor, FLEET_ID, detail__manager__reserve_equity_pct="5")
    assert configs.existing(FLEET_ID).version == 2
