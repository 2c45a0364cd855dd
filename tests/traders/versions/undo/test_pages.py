"""Undo of a change set, and the fleet restored to a moment."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from tests.factories import make_trader, new_trader, save_edit, sync_traders
from tests.traders.admin.browsing import TRADERS, hidden_fields, text_of
from tests.traders.conftest import Login
from traders.schema.settings.fleet import FLEET_ID
from traders.templatetags.display import moment_text
from traders.versions import services as configs
from traders.versions.bulk.rules import BulkVerb, Operation
from traders.versions.bulk.services import propose_bulk, save_bulk
from traders.versions.undo.choice import ConfigChoice, choice_of

pytestmark = pytest.mark.usefixtures("fleet")

LEVERAGE, POSITIONS = "detail.risk.major_coin_leverage", "detail.risk.max_positions"
BOTH = ("quick_short", "steady_long")


def changed_together() -> str:
    """Halves the leverage of both traders and sets their positions; the address of its undo."""
    operations = [Operation(LEVERAGE, BulkVerb.TIMES, Decimal("0.5")), Operation(POSITIONS, BulkVerb.SET, 9)]
    seen = propose_bulk(trader_ids=BOTH, operations=operations).seen
    saved = save_bulk(trader_ids=BOTH, operations=operations, seen=seen, reason="halve", actor="mei")
    return f"{TRADERS}changes/{saved[0].change_set}/undo/"


def ticked(page: Any, *, config: Any = BOTH, path: Any = (POSITIONS, LEVERAGE), **typed: Any) -> dict[str, Any]:
    hidden = {name: values for name, values in hidden_fields(page).items() if name in ("seen", "previewed")}
    return {**hidden, "config": list(config), "path": list(path), "reason": "was wrong", "step": "save", **typed}


def values(trader_id: str) -> tuple[int, int]:
    flat = configs.existing(trader_id).flat
    return flat[LEVERAGE], flat[POSITIONS]


def test_a_change_set_is_previewed_and_undone_as_one_change_set(editor: Client) -> None:
    url = changed_together()

    page = editor.get(url)
    said = text_of(page)
    assert "4 settings would change in 2 configurations" in said
    assert "Raises risk in 2 places" in said
    assert "10x 20x shield raises risk" in said
    assert values("steady_long") == (10, 9)

    done = editor.post(url, ticked(page), follow=True)
    stored = [configs.existing(name) for name in BOTH]
    assert [values(name) for name in BOTH] == [(20, 3), (20, 3)]
    assert {(at.source, at.changed_by, at.reason) for at in stored} == {("undo", "editor", "was wrong")}
    (change_set,) = {at.change_set for at in stored}
    assert done.redirect_chain == [(f"{TRADERS}changes/{change_set}/", 302)]
    assert "Made 2 new versions in this change set." in text_of(done)


def test_only_chosen_traders_and_settings_go_back(editor: Client) -> None:
    url = changed_together()
    choice = {"config": ["steady_long"], "path": [POSITIONS]}

    page = editor.post(url, ticked(editor.get(url), step="preview", **choice))
    assert "1 setting would change in 1 configuration" in text_of(page)
    assert page.context["form"]["reason"].value() == "was wrong"
    assert not page.context["form"].errors
    editor.post(url, ticked(page, **choice))

    assert (values("steady_long"), values("quick_short")) == ((10, 3), (10, 9))


def test_what_was_not_previewed_is_not_saved(editor: Client) -> None:
    url = changed_together()

    page = editor.post(url, ticked(editor.get(url), config=["steady_long"]))

    assert "preview it, then save" in text_of(page)
    assert values("steady_long") == (10, 9)
    editor.post(url, ticked(page, config=["steady_long"]))
    assert (values("steady_long"), values("quick_short")) == ((20, 3), (10, 9))


def test_a_setting_touched_since_stays_unless_it_is_ticked(editor: Client) -> None:
    url = changed_together()
    save_edit("steady_long", detail__risk__major_coin_leverage=15)

    page = editor.get(url)
    said = text_of(page)
    assert "1 setting was changed since. It keeps its current value unless you tick it." in said
    assert "Risk - major coin leverage detail.risk.major_coin_leverage 15x 20x" in said
    take = {"take": [f"steady_long {LEVERAGE}"]}
    page = editor.post(url, ticked(page, step="preview", **take))
    assert "4 settings would change" in text_of(page)
    editor.post(url, ticked(page, **take))

    assert values("steady_long") == (20, 3)


def test_an_edit_after_the_preview_is_not_run_over(editor: Client) -> None:
    url = changed_together()
    page = editor.get(url)
    save_edit("steady_long", actor="lee", detail__risk__major_coin_leverage=15)

    again = editor.post(url, ticked(page))

    assert "Another change was saved meanwhile (steady_long: Risk - major coin leverage)" in text_of(again)
    assert (values("steady_long"), values("quick_short")) == ((15, 9), (10, 9))
    editor.post(url, ticked(again))
    assert (values("steady_long"), values("quick_short")) == ((15, 3), (20, 3))


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"config": []}, "Choose at least one configuration."),
        ({"path": []}, "Choose at least one setting."),
        ({"config": ["nobody"]}, "nobody is not in this list."),
        ({"reason": ""}, "Say why, in a few words."),
    ],
)
def test_a_choice_that_cannot_be_is_told_and_changes_nothing(editor: Client, typed: Any, said: str) -> None:
    url = changed_together()
    page = editor.post(url, ticked(editor.get(url), **typed))

    assert said in text_of(page)
    assert values("steady_long") == (10, 9)


@pytest.mark.parametrize("seen", ["", "[]", '{"steady_long": "2"}', "{"])
def test_a_post_without_the_versions_seen_is_refused(editor: Client, seen: str) -> None:
    url = changed_together()
    assert editor.post(url, ticked(editor.get(url), seen=seen)).status_code == 400


def test_what_would_break_the_fleet_rule_cannot_be_saved(editor: Client) -> None:
    saved = save_edit("steady_long", allocation_pct=Decimal(1))
    assert saved is not None
    save_edit("quick_short", allocation_pct=Decimal(80))
    url = f"{TRADERS}changes/{saved.change_set}/undo/"

    page = editor.get(url)
    assert "above the 90 % that a reserve of 10 % leaves" in text_of(page)
    assert b'value="save"' not in page.content
    again = editor.post(url, ticked(page, config=["steady_long"], path=["allocation_pct"]))
    assert again.context["form"].errors
    assert configs.existing("steady_long").flat["allocation_pct"] == 1


def test_undoing_what_made_a_trader_retires_it(editor: Client) -> None:
    saved = new_trader("third")
    assert saved is not None
    url = f"{TRADERS}changes/{saved.change_set}/undo/"

    page = editor.get(url)
    assert "1 trader was made by this change set: it is retired, never deleted." in text_of(page)
    editor.post(url, ticked(page, config=["third"], path=[]))

    assert configs.existing("third").flat["detail.retired"] is True


def boxes(page: Any) -> dict[str, bool]:
    return {name: ticked for name, _title, ticked in page.context["boxes"]}


def again(client: Client, url: str, page: Any, step: str, **changed: Any) -> Any:
    """The form of the page posted with this step, its boxes as they stand."""
    form = page.context["form"]
    posted = {
        "config": [name for name, ticked in boxes(page).items() if ticked],
        "path": sorted(form.ticked_paths),
        "find": form.choice.find,
        "reason": "was wrong",
        "step": step,
    }
    hidden = {name: hidden_fields(page)[name] for name in ("seen", "previewed", "shown", "others")}
    return client.post(url, {**hidden, **posted, **changed}, follow=True)


def test_all_and_none_tick_the_boxes_without_scripts(editor: Client) -> None:
    url = changed_together()
    page = again(editor, url, editor.get(url), "none")
    assert boxes(page) == {"quick_short": False, "steady_long": False}
    assert "Nothing is chosen" in text_of(page)
    assert "0 / 2 chosen" in text_of(page)
    assert "Choose at least one" not in text_of(page)
    assert "Choose at least one configuration." in text_of(again(editor, url, page, "save"))

    page = again(editor, url, page, "all")
    assert boxes(page) == {"quick_short": True, "steady_long": True}
    page = again(editor, url, page, "no-paths")
    assert (page.context["form"].ticked_paths, "Nothing is chosen" in text_of(page)) == (set(), True)
    page = again(editor, url, page, "all-paths")
    assert page.context["form"].ticked_paths == {LEVERAGE, POSITIONS}
    again(editor, url, page, "save")
    assert [values(name) for name in BOTH] == [(20, 3), (20, 3)]


def test_a_filter_keeps_what_is_chosen_beside_it(editor: Client) -> None:
    url = changed_together()
    page = again(editor, url, editor.get(url), "filter", find="QUICK")
    assert boxes(page) == {"quick_short": True}
    page = again(editor, url, page, "none")
    assert (boxes(page), page.context["form"].choice.chosen) == ({"quick_short": False}, {"steady_long"})
    page = again(editor, url, page, "filter", find="nothing, of the kind")
    assert "No id holds “nothing, of the kind”. What is chosen stays chosen." in text_of(page)
    assert page.context["form"].choice.chosen == {"steady_long"}
    page = again(editor, url, page, "filter", find="")
    assert boxes(page) == {"quick_short": False, "steady_long": True}
    again(editor, url, page, "save")
    assert (values("steady_long"), values("quick_short")) == ((20, 3), (10, 9))


def test_boxes_that_do_not_fit_on_the_page_are_ticked_as_well(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traders.versions.undo.choice.MOST_BOXES", 1)
    url = changed_together()
    page = editor.get(url)
    assert boxes(page) == {"quick_short": True}
    assert "1 more matches: filter to see it." in text_of(page)
    assert page.context["form"].choice.carried == "*"
    page = again(editor, url, page, "preview", config=[])
    assert page.context["form"].choice.chosen == {"steady_long"}
    page = again(editor, url, page, "none")
    assert page.context["form"].choice.chosen == frozenset()
    page = again(editor, url, page, "all")
    again(editor, url, page, "save", config=[])
    assert "differs" not in text_of(editor.get(url))
    assert [values(name) for name in BOTH] == [(10, 9), (10, 9)], "what is posted is not what was shown"
    page = again(editor, url, page, "preview", config=[])
    again(editor, url, page, "save")
    assert (values("steady_long"), values("quick_short")) == ((20, 3), (10, 9))


def test_the_choice_of_a_set_of_ten_thousand_is_a_short_form() -> None:
    names = [f"trader_{number:05d}" for number in range(10_000)]
    choice = ConfigChoice(tuple(names), frozenset(names))
    assert (len(choice.shown), choice.unshown, choice.carried) == (100, 9_900, "*")
    found, unknown = choice_of(names, ticked=[], shown=" ".join(choice.shown), carried="*", find="_00001")
    assert (len(found.chosen), found.matching, unknown) == (9_900, ["trader_00001"], [])
    assert len(found.with_matching(ticked=True).chosen) == 9_901
    assert choice_of(names, ticked=["ghost"], shown="", carried="", find="")[1] == ["ghost"]


def test_the_fleets_settings_need_their_own_permission(login: Login) -> None:
    change_set = configs.existing("steady_long").change_set
    url = f"{TRADERS}changes/{change_set}/undo/"
    editor = login("editor")
    User.objects.get(username="editor").user_permissions.remove(Permission.objects.get(codename="change_managerconfig"))

    page = editor.get(url)
    assert FLEET_ID not in page.context["form"].config_ids
    assert "your account may not change them" in text_of(page)
    editor.post(url, ticked(page, config=[FLEET_ID, *BOTH], path=[]))
    assert configs.existing(FLEET_ID).version == 1
    only_fleet = save_edit(FLEET_ID, detail__manager__allocation_strategy="equal")
    assert only_fleet is not None
    assert editor.get(f"{TRADERS}changes/{only_fleet.change_set}/undo/").status_code == 403


def restore_url() -> str:
    return f"{TRADERS}restore-to/?at={moment_text(configs.existing('steady_long').changed_at)}"


def test_the_fleet_goes_back_to_a_moment_as_one_change_set(editor: Client) -> None:
    url = restore_url()
    changed_together()
    save_edit(FLEET_ID, detail__manager__allocation_strategy="equal")
    new_trader("later")

    page = editor.get(url)
    said = text_of(page)
    assert "5 settings would change in 3 configurations" in said
    assert "1 trader made since stays as it is." in said
    everything = {"config": [FLEET_ID, *BOTH], "path": page.context["form"].paths}
    editor.post(url, ticked(page, **everything))

    stored = [configs.existing(name) for name in (FLEET_ID, *BOTH)]
    assert {at.source for at in stored} == {"restore"}
    assert len({at.change_set for at in stored}) == 1
    assert values("steady_long") == (20, 3)
    assert configs.existing("later").version == 1
    assert "Nothing would change" in text_of(editor.get(url))


def test_a_prompt_goes_back_with_all_its_paths(editor: Client) -> None:
    url = restore_url()
    sync_traders(make_trader(detail__prompts__system_version="v2.0.0"), make_trader("quick_short"))
    page = editor.get(url)
    assert page.context["form"].paths == ["detail.display_name", "detail.prompts.system_template"]

    choice = {"config": ["steady_long"], "path": ["detail.prompts.system_template"]}
    page = editor.post(url, ticked(page, step="preview", **choice))
    editor.post(url, ticked(page, **choice))

    assert configs.existing("steady_long").flat["detail.prompts.system_version"] == "v1.0.0"


def test_nothing_to_restore_is_said(editor: Client) -> None:
    assert "Nothing differs" in text_of(editor.get(restore_url()))
    answer = editor.get(f"{TRADERS}restore-to/?at=soon", follow=True)
    assert "“soon” is no moment" in text_of(answer)


def test_only_those_who_may_change_can_undo(login: Login) -> None:
    url = restore_url()
    assert login("viewer").get(url).status_code == 403
    assert login("viewer").post(url, {"step": "save", "reason": "x"}).status_code == 403
    assert login("outsider").get(url).status_code == 403
    assert login("anonymous").get(url).status_code == 302
    guarded = Client(enforce_csrf_checks=True)
    guarded.cookies = login("editor").cookies
    assert guarded.post(url, {"step": "save", "reason": "x"}).status_code == 403
