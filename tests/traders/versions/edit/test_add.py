from __future__ import annotations

import pytest
from django.test import Client

from tests.traders.admin.browsing import TRADERS, form_data, hidden_fields, text_of
from traders.versions import services as configs

URL = f"{TRADERS}add/"


def new(trader_id: str, **typed: str) -> dict[str, str]:
    return form_data(**typed) | {"id": trader_id, "expected_version": "0", "allocation_pct": "5"}


@pytest.mark.usefixtures("fleet")
def test_a_trader_is_added_with_its_first_version(editor: Client) -> None:
    assert "Id" in text_of(editor.get(URL))
    preview = editor.post(URL, new("third", reason="a third idea"))
    assert "A new trader, version 1" in text_of(preview)

    done = editor.post(URL, hidden_fields(preview) | {"step": "save"}, follow=True)
    stored = configs.existing("third")
    assert (stored.version, stored.reason, stored.changed_by) == (1, "a third idea", "editor")
    assert done.redirect_chain == [(f"{TRADERS}third/history/", 302)]


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("trader_id", "said"),
    [
        ("", "Give the trader an id"),
        ("two words", "1 to 64 letters, digits"),
        ("steady_long", "The trader steady_long exists already."),
        ("Steady_Long", "The trader steady_long exists already."),
    ],
)
def test_a_wrong_id_is_told_at_its_field(editor: Client, trader_id: str, said: str) -> None:
    page = editor.post(URL, new(trader_id))
    assert said in str(page.context["form"]["id"].errors)


@pytest.mark.usefixtures("fleet")
def test_the_empty_form_names_what_is_missing(editor: Client) -> None:
    page = editor.post(URL, {"id": "third", "expected_version": "0", "reason": "x", "step": "preview"})
    wrong = set(page.context["form"].errors)
    assert "detail.prompts.system_template" in wrong


def test_without_prompts_it_says_how_to_get_some(editor: Client) -> None:
    assert "python manage.py sync_traders etc/manager.yaml" in text_of(editor.get(URL))
