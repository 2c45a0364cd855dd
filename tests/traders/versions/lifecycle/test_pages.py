"""Clone, retire and unretire, from a trader's page and for those chosen on the list."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client

from tests.factories import make_trader, new_trader, save_edit, sync_traders
from tests.traders.admin.browsing import STEADY, TRADERS, hidden_fields, text_of
from tests.traders.conftest import Login
from traders.versions import services as configs

RETIRE, UNRETIRE, CLONE = f"{TRADERS}retire/", f"{TRADERS}bring-back/", f"{STEADY}clone/"


@pytest.fixture
def three(db: None) -> None:
    sync_traders(*(make_trader(name, allocation_pct=Decimal(10)) for name in ("a", "b", "c")))


def retired(name: str) -> bool:
    return bool(configs.existing(name).flat["detail.retired"])


def save(client: Client, url: str, page: Any, **typed: str) -> Any:
    return client.post(url, hidden_fields(page) | {"step": "save", "reason": "done with it"} | typed, follow=True)


@pytest.mark.usefixtures("three")
def test_retiring_says_in_numbers_what_it_does_and_is_one_change_set(editor: Client) -> None:
    page = editor.get(f"{RETIRE}?trader=a&trader=b")
    said = text_of(page)
    assert "Retires 2 traders, frees 20.00 % allocation" in said
    assert "10.00 % allocated 80.00 % free" in said
    assert not retired("a")

    done = save(editor, RETIRE, page)
    assert "Retired 2 traders." in text_of(done)
    assert (retired("a"), retired("b"), retired("c")) == (True, True, False)
    a, b = configs.existing("a"), configs.existing("b")
    assert a.change_set == b.change_set
    assert (a.reason, a.changed_by) == ("done with it", "editor")


@pytest.mark.usefixtures("three")
def test_unretiring_says_what_it_takes(editor: Client) -> None:
    save(editor, RETIRE, editor.get(f"{RETIRE}?trader=a"))
    page = editor.get(f"{UNRETIRE}?trader=a&trader=b")
    assert "Unretires 1 trader, takes 10.00 % allocation · 1 stays as it is" in text_of(page)
    assert "Unretired 1 trader." in text_of(save(editor, UNRETIRE, page))
    assert not retired("a")


@pytest.mark.usefixtures("three")
def test_unretiring_is_held_to_the_fleet_rule(editor: Client) -> None:
    save(editor, RETIRE, editor.get(f"{RETIRE}?trader=a"))
    new_trader("d", allocation_pct=Decimal(70))
    page = editor.get(f"{UNRETIRE}?trader=a")
    assert "makes the fleet's sum 100" in text_of(page)
    assert b'value="save"' not in page.content
    save(editor, UNRETIRE, page)
    assert retired("a")


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("reason", ["", " ", "x" * 1001])
def test_a_reason_is_required(editor: Client, reason: str) -> None:
    page = save(editor, RETIRE, editor.get(f"{RETIRE}?trader=a"), reason=reason)
    assert page.context["form"].errors["reason"]
    assert not retired("a")


@pytest.mark.usefixtures("three")
def test_what_is_retired_already_needs_no_retiring(editor: Client) -> None:
    save(editor, RETIRE, editor.get(f"{RETIRE}?trader=a"))
    assert "Retired already" in text_of(editor.get(f"{RETIRE}?trader=a"))
    assert "Not retired" in text_of(editor.get(f"{UNRETIRE}?trader=b"))


@pytest.mark.usefixtures("three")
def test_an_edit_in_between_is_kept(editor: Client) -> None:
    page = editor.get(f"{RETIRE}?trader=a")
    save_edit("a", detail__risk__max_positions=9)
    save(editor, RETIRE, page)
    assert retired("a")
    assert configs.existing("a").flat["detail.risk.max_positions"] == 9


@pytest.mark.usefixtures("three")
def test_an_unknown_trader_leads_back_to_the_list(editor: Client) -> None:
    assert "There is no trader “ghost”." in text_of(editor.get(f"{RETIRE}?trader=ghost", follow=True))
    assert "Choose at least one trader" in text_of(editor.get(RETIRE, follow=True))


def form(**typed: str) -> dict[str, str]:
    return {"new_id": "twin", "display_name": "Twin", "reason": "try it smaller"} | typed


@pytest.mark.usefixtures("fleet")
def test_a_clone_says_what_it_will_be_and_where_it_came_from(editor: Client) -> None:
    save_edit("steady_long", detail__risk__max_positions=9)
    said = text_of(editor.get(CLONE))
    assert "Clone steady_long version 2" in said
    assert "Allocation 0 %" in said

    done = editor.post(f"{CLONE}?version=1", form(), follow=True)
    assert "Made twin, version 1." in text_of(done)
    assert "Cloned from steady_long v1" in text_of(done)
    twin = configs.existing("twin")
    assert (twin.source, twin.changed_by, twin.reason) == ("clone", "editor", "try it smaller")
    assert twin.flat["detail.display_name"] == "Twin"
    assert twin.flat["detail.cloned_from"] == {"trader_id": "steady_long", "version": 1}
    assert (twin.flat["allocation_pct"], twin.flat["detail.auto_start"]) == (0, False)
    assert twin.flat["detail.risk.max_positions"] == 3


@pytest.mark.usefixtures("fleet")
@pytest.mark.parametrize(
    ("typed", "field", "message"),
    [
        ({"new_id": ""}, "new_id", "Give the trader an id"),
        ({"new_id": "a twin"}, "new_id", "1 to 64 letters"),
        ({"new_id": "STEADY_LONG"}, "new_id", "steady_long exists already"),
        ({"reason": ""}, "reason", "Say why"),
        ({"display_name": "x" * 500}, "display_name", "Must be a text"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(editor: Client, typed: dict[str, str], field: str, message: str) -> None:
    page = editor.post(CLONE, form(**typed))
    assert message in str(page.context["form"].errors[field])
    assert configs.stored("twin") is None


@pytest.mark.usefixtures("fleet")
def test_a_version_that_is_not_there_leads_to_the_history(editor: Client) -> None:
    for version in ("9", "x", "0", "99999999999"):
        answer = editor.get(f"{CLONE}?version={version}", follow=True)
        assert answer.redirect_chain[-1][0] == f"{STEADY}history/"
    assert editor.get(f"{TRADERS}nobody/clone/", follow=True).redirect_chain[-1][0] == TRADERS


@pytest.mark.usefixtures("fleet")
def test_only_whoever_may_change_clones_and_retires(login: Login) -> None:
    viewer = login("viewer")
    for url in (f"{RETIRE}?trader=steady_long", f"{UNRETIRE}?trader=steady_long", CLONE):
        assert viewer.get(url).status_code == 403
        assert viewer.post(url, form(chosen="steady_long", step="save", seen='{"steady_long":1}')).status_code == 403
        assert login("anonymous").get(url).status_code == 302
    said = text_of(viewer.get(f"{STEADY}history/"))
    assert "Clone" not in said
    assert "Retire" not in said
    assert configs.existing("steady_long").version == 1
