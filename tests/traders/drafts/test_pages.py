"""Drafts: what was previewed can be loaded again, comes back, and is saved once."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import FLEET, STEADY, TRADERS, form_data, hidden_fields, text_of
from tests.traders.conftest import Login
from tests.traders.prompt_files import HEADER
from traders.drafts.rules import LONGEST, MOST_PER_ACCOUNT
from traders.models import FormDraft, ManagerConfigVersion, PromptText, TraderConfigVersion
from traders.schema.settings.fleet import FLEET_ID

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fleet")]

URL = f"{STEADY}change/"
POSITIONS = "detail.risk.max_positions"


def post(client: Client, url: str, data: dict[str, Any]) -> Any:
    return client.post(url, data)


def kept(client: Client, url: str = URL, **typed: Any) -> Any:
    """Opens the form, types and previews; the redirect to the draft."""
    form = client.get(url)
    data = form_data(**typed) if url == URL else typed
    answer = post(client, url, data | {"draft": hidden_fields(form)["draft"][0], "step": "preview"})
    assert answer.status_code == 302, text_of(answer)
    return answer


def saved(client: Client, preview: Any, **more: Any) -> Any:
    return post(client, URL, hidden_fields(preview) | {"step": "save"} | more)


def versions(trader_id: str = "steady_long") -> list[int]:
    return list(TraderConfigVersion.objects.filter(id=trader_id).order_by("version").values_list("version", flat=True))


def test_a_preview_is_a_page_that_can_be_loaded_again(editor: Client) -> None:
    answer = kept(editor, detail__risk__max_positions="4", reason="room for one more")

    for _load in range(2):
        preview = editor.get(answer.url)
        assert preview.status_code == 200
        assert "Save version 2" in text_of(preview)
        assert "room for one more" in text_of(preview)
    assert versions() == [1]


def test_back_leads_to_a_page_of_the_form_with_what_was_typed(editor: Client) -> None:
    preview = editor.get(kept(editor, detail__risk__max_positions="4", reason="why").url)

    answer = post(editor, URL, hidden_fields(preview) | {"step": "back"})
    form = editor.get(answer.url)

    assert answer.status_code == 302
    assert (form.context["form"][POSITIONS].value(), form.context["form"]["reason"].value()) == ("4", "why")
    assert "not saved yet" in text_of(form)


def test_a_form_with_mistakes_is_a_page_that_can_be_loaded_again(editor: Client) -> None:
    answer = kept(editor, detail__risk__max_positions="20x", reason="")

    said = text_of(editor.get(answer.url))

    assert "Say why, in a few words." in said
    assert "20x" in editor.get(answer.url).content.decode()


def test_a_fresh_form_offers_what_was_previewed_and_not_saved(editor: Client) -> None:
    answer = kept(editor, detail__risk__max_positions="4")

    form = editor.get(URL)

    assert "You previewed changes to version 1 at" in text_of(form)
    assert answer.url in form.content.decode()
    assert form.context["form"][POSITIONS].value() == "3"


def test_a_saved_draft_is_offered_no_more_and_leads_to_what_it_made(editor: Client) -> None:
    answer = kept(editor, detail__risk__max_positions="4")

    done = saved(editor, editor.get(answer.url))

    assert "You previewed changes" not in text_of(editor.get(URL))
    again = editor.get(answer.url, follow=True)
    assert again.redirect_chain[0][0] == done.url
    assert "These changes were saved" in text_of(again)
    assert FormDraft.objects.get().fields == []


def test_a_draft_of_an_older_version_leads_to_both_sides(editor: Client) -> None:
    answer = kept(editor, detail__risk__max_positions="4")
    save_edit("steady_long", detail__risk__max_positions=5)

    assert "You previewed changes to version 1 at" in text_of(editor.get(URL))
    assert "1 setting was changed on both sides" in text_of(editor.get(answer.url))


def test_a_discarded_draft_comes_back_nowhere(editor: Client) -> None:
    answer = kept(editor, detail__risk__max_positions="4")
    named = hidden_fields(editor.get(answer.url))["draft"][0]

    discarded = post(editor, answer.url, {"draft": named, "step": "discard"})

    assert (discarded.url, discarded.cookies["ended_drafts"].value) == (URL, named)
    assert not FormDraft.objects.exists()
    gone = editor.get(answer.url, follow=True)
    assert "kept no more" in text_of(gone)
    assert gone.redirect_chain[-1][0] == URL


def test_a_discard_leaves_what_was_saved(editor: Client) -> None:
    preview = editor.get(kept(editor, detail__risk__max_positions="4").url)
    saved(editor, preview)

    post(editor, URL, {"draft": hidden_fields(preview)["draft"][0], "step": "discard"})

    assert FormDraft.objects.count() == 1
    assert versions() == [1, 2]


def test_another_account_sees_no_draft_and_cannot_change_it(editor: Client, login: Login) -> None:
    answer = kept(editor, detail__risk__max_positions="4", reason="mine alone")
    named = str(FormDraft.objects.get().pk)
    other = login("superuser")

    assert "mine alone" not in other.get(answer.url, follow=True).content.decode()
    assert "You previewed changes" not in text_of(other.get(URL))
    post(other, URL, {"draft": named, "step": "discard"})
    theirs = post(other, URL, form_data(reason="theirs") | {"draft": named})

    assert named not in theirs.url
    assert "mine alone" in text_of(editor.get(answer.url))


def test_a_draft_of_one_page_opens_no_other(editor: Client) -> None:
    named = str(FormDraft.objects.get(pk=kept(editor).url.rpartition("=")[2]).pk)

    assert "kept no more" in text_of(editor.get(f"{TRADERS}quick_short/change/?draft={named}", follow=True))
    for nonsense in (uuid4(), "x", "", "0" * 400):
        assert editor.get(f"{URL}?draft={nonsense}", follow=True).redirect_chain == [(URL, 302)]


def test_the_page_of_a_draft_never_saves(editor: Client) -> None:
    answer = kept(editor, detail__risk__max_positions="4")
    draft = FormDraft.objects.get()
    draft.fields = [*draft.fields, ["step", "save"]]
    draft.save()

    assert "Save version 2" in text_of(editor.get(answer.url))
    assert versions() == [1]


@pytest.mark.parametrize(
    "typed",
    [
        {"reason": "with sk-abcdefghij0123456789abcdef"},
        {"detail__description": "see https://mei:hunter2hunter2@example.com/x"},
        {"detail__extra": '{"api_secret": "hunter2"}'},
        {"detail__extra": '{"api_secret": "hunter2"'},
    ],
)
def test_what_holds_a_secret_is_answered_and_never_kept(editor: Client, typed: dict[str, str]) -> None:
    form = editor.get(URL)

    page = post(editor, URL, form_data(**typed) | {"draft": hidden_fields(form)["draft"][0]})

    assert page.status_code == 200
    assert page.context["form"].errors
    assert not FormDraft.objects.exists()


def test_a_text_that_is_too_long_is_answered_and_not_kept(editor: Client) -> None:
    named = hidden_fields(editor.get(URL))["draft"][0]

    page = post(editor, URL, form_data(detail__description="long " * 120_000) | {"draft": named})

    assert page.status_code == 200
    assert not FormDraft.objects.exists()


def test_old_drafts_and_more_than_an_account_may_have_are_cleared_away(editor: Client, login: Login) -> None:
    login("superuser")
    mine, theirs = (User.objects.get(username=name).pk for name in ("editor", "superuser"))
    now = timezone.now()
    FormDraft.objects.create(account_id=theirs, page="/old/", kept_at=now - LONGEST - timedelta(hours=1))
    FormDraft.objects.create(account_id=theirs, page="/new/", kept_at=now)
    many = [
        FormDraft(account_id=mine, page=f"/{n}/", kept_at=now - timedelta(hours=n + 1)) for n in range(MOST_PER_ACCOUNT)
    ]
    FormDraft.objects.bulk_create(many)

    kept(editor)

    assert list(FormDraft.objects.filter(account_id=theirs).values_list("page", flat=True)) == ["/new/"]
    left = set(FormDraft.objects.filter(account_id=mine).values_list("page", flat=True))
    assert left == {URL, *(f"/{n}/" for n in range(MOST_PER_ACCOUNT - 1))}


def test_a_save_sent_twice_is_answered_with_the_version_it_made(editor: Client) -> None:
    preview = editor.get(kept(editor, detail__risk__max_positions="4").url)

    first, second = saved(editor, preview), saved(editor, preview)

    assert second.url == first.url
    assert versions() == [1, 2]
    assert "sent twice and saved once" in text_of(editor.get(second.url))


def test_the_same_draft_with_another_text_is_another_save(editor: Client) -> None:
    preview = editor.get(kept(editor, detail__risk__max_positions="4").url)
    saved(editor, preview)

    answer = saved(editor, preview, **{POSITIONS: "5"})

    assert answer.status_code == 200
    assert "1 setting was changed on both sides" in text_of(answer)
    assert versions() == [1, 2]


def test_a_preview_after_the_save_is_a_draft_of_its_own(editor: Client) -> None:
    preview = editor.get(kept(editor, detail__risk__max_positions="4").url)
    saved(editor, preview)

    answer = post(editor, URL, form_data(detail__risk__max_positions="6") | {"draft": hidden_fields(preview)["draft"]})

    assert "Save version 3" in text_of(editor.get(answer.url))
    assert FormDraft.objects.count() == 2


def test_a_save_that_is_stale_keeps_the_draft(editor: Client) -> None:
    preview = editor.get(kept(editor, detail__risk__max_positions="4").url)
    save_edit("steady_long", detail__risk__max_positions=5)

    saved(editor, preview)

    assert FormDraft.objects.get().answer == ""


def sent_twice(client: Client, url: str, data: dict[str, Any]) -> tuple[Any, Any]:
    form = client.get(url)
    data = hidden_fields(form) | data
    return post(client, url, data), post(client, url, data)


def test_a_clone_sent_twice_is_one_trader(editor: Client) -> None:
    copy = {"new_id": "copy", "display_name": "Copy", "reason": "a try"}

    first, second = sent_twice(editor, f"{STEADY}clone/", copy)

    assert (first.status_code, second.status_code, second.url) == (302, 302, first.url)
    assert versions("copy") == [1]


def test_a_restore_and_an_undo_sent_twice_are_one_version_each(editor: Client) -> None:
    save_edit("steady_long", detail__risk__max_positions=5)

    first, second = sent_twice(editor, f"{STEADY}versions/1/restore/", {"reason": "was better"})
    assert (first.status_code, second.url) == (302, first.url)
    assert versions() == [1, 2, 3]

    change_set = TraderConfigVersion.objects.get(id="steady_long", version=3).change_set
    url = f"{TRADERS}changes/{change_set}/undo/"
    ticked = {"config": ["steady_long"], "path": [POSITIONS], "reason": "as it was", "step": "save"}
    first, second = sent_twice(editor, url, ticked)
    assert (first.status_code, second.url) == (302, first.url)
    assert versions() == [1, 2, 3, 4]


def bulk_of(*traders: str) -> str:
    return f"{TRADERS}bulk/?" + "&".join(f"trader={name}" for name in traders)


def test_a_bulk_edit_is_kept_from_its_first_setting_on(editor: Client) -> None:
    url = bulk_of("steady_long", "quick_short")
    data = {"chosen": "steady_long quick_short", "step": "add", "add": POSITIONS, "reason": "all of them"}

    answer = post(editor, url, data | {"draft": hidden_fields(editor.get(url))["draft"][0]})
    page = editor.get(answer.url)

    assert answer.status_code == 302
    assert [row.setting.path for row in page.context["form"].rows] == [POSITIONS]
    assert page.context["form"]["reason"].value() == "all of them"
    assert html.escape(answer.url) in editor.get(url).content.decode()


def test_a_bulk_edit_sent_twice_is_one_change_set(editor: Client) -> None:
    url = bulk_of("steady_long", "quick_short")
    operation = {"op-0-path": POSITIONS, "op-0-do": "TIMES", "op-0-value": "2"}
    data = {"chosen": "steady_long quick_short", "step": "preview", "reason": "x", **operation}
    answer = post(editor, url, data | {"draft": hidden_fields(editor.get(url))["draft"][0]})
    preview = hidden_fields(editor.get(answer.url)) | {"step": "save"}

    first, second = post(editor, url, preview), post(editor, url, preview)

    assert second.url == first.url
    assert versions() == versions("quick_short") == [1, 2]


def test_the_text_of_a_prompt_is_kept(login: Login) -> None:
    admin = login("superuser")
    old = PromptText.objects.order_by("path").first()
    assert old is not None
    url = f"{TRADERS.replace('traderconfig', 'prompttext')}{old.sha256}/edit/"

    answer = kept(admin, url, body=f"{HEADER}Buy at dawn.\n", reason="earlier", users="", trader=[])

    assert answer.url.startswith(f"{url}?draft=")
    assert "Buy at dawn." in text_of(admin.get(answer.url))


def test_the_settings_of_the_fleet_are_kept(editor: Client) -> None:
    url = f"{FLEET}change/"
    data = form_data(FLEET_ID, detail__manager__reserve_equity_pct="5")

    answer = post(editor, url, data | {"draft": hidden_fields(editor.get(url))["draft"][0]})

    assert "Save version 2" in text_of(editor.get(answer.url))


def test_logging_out_clears_the_drafts_of_the_account(editor: Client, login: Login) -> None:
    kept(editor)
    kept(login("superuser"))

    assert "ended_drafts" not in editor.get("/admin/logout/").cookies
    answer = editor.post("/admin/logout/")

    assert answer.cookies["ended_drafts"].value == "all"
    assert [draft.account.username for draft in FormDraft.objects.all()] == ["superuser"]


def test_deleting_an_account_deletes_its_drafts(editor: Client) -> None:
    kept(editor)

    User.objects.get(username="editor").delete()

    assert not FormDraft.objects.exists()


def test_a_session_that_ends_at_the_save_leads_back_to_the_preview(editor: Client) -> None:
    answer = kept(editor, detail__risk__max_positions="4")
    preview = editor.get(answer.url)
    user = User.objects.get(username="editor")
    editor.session.flush()

    asked = post(editor, answer.url, hidden_fields(preview) | {"step": "save"})

    assert asked.url.startswith("/admin/login/?next=")
    assert versions() == [1]
    editor.force_login(user)
    assert "Save version 2" in text_of(editor.get(answer.url))


def test_the_form_says_whose_draft_it_is_and_whether_it_is_filled(editor: Client) -> None:
    pk = User.objects.get(username="editor").pk
    fresh = re.search(r'<input type="hidden" name="draft"[^>]*>', editor.get(URL).content.decode())
    filled = re.search(
        r'<input type="hidden" name="draft"[^>]*>', editor.get(kept(editor, reason="").url).content.decode()
    )

    assert fresh
    assert filled
    assert f'data-account="{pk}" data-page="{URL}">' in fresh.group()
    assert "data-filled" not in fresh.group()
    assert 'name="draft"' in filled.group()


def test_a_fresh_form_asks_for_drafts_once(editor: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        editor.get(URL)

    assert sum('FROM "form_drafts"' in query["sql"] for query in captured.captured_queries) == 1


@pytest.mark.parametrize("what", ["edit", "fleet", "restore", "bulk", "undo", "clone"])
def test_the_message_after_a_save_offers_the_change_and_its_undo(editor: Client, what: str) -> None:
    save_edit("steady_long", detail__risk__max_positions=5)
    undone = TraderConfigVersion.objects.get(id="steady_long", version=2).change_set
    url, data = {
        "edit": (URL, form_data(detail__risk__max_positions="4", step="save")),
        "fleet": (f"{FLEET}change/", form_data(FLEET_ID, detail__manager__reserve_equity_pct="5", step="save")),
        "restore": (f"{STEADY}versions/1/restore/", {"reason": "x"}),
        "bulk": (
            bulk_of("steady_long"),
            {"op-0-path": POSITIONS, "op-0-do": "SET", "op-0-value": "7", "step": "save", "reason": "x"}
            | {"chosen": "steady_long", "seen": '{"steady_long":2}'},
        ),
        "undo": (
            f"{TRADERS}changes/{undone}/undo/",
            {"config": ["steady_long"], "path": [POSITIONS], "reason": "x", "step": "save"},
        ),
        "clone": (f"{STEADY}clone/", {"new_id": "copy", "display_name": "Copy", "reason": "a try"}),
    }[what]

    done = editor.get(post(editor, url, hidden_fields(editor.get(url)) | data).url)

    made = max(
        newest
        for model in (TraderConfigVersion, ManagerConfigVersion)
        for newest in model.objects.values_list("change_set", flat=True)
    )
    page = done.content.decode()
    assert f'<a href="{TRADERS}changes/{made}/undo/">Undo</a></span>' in page
    assert (f'<a href="{TRADERS}changes/{made}/">Show the change</a>' in page) is (what not in ("bulk", "undo"))
    assert "Undo change set" in text_of(editor.get(f"{TRADERS}changes/{made}/undo/"))


def test_a_draft_of_one_trader_is_not_offered_for_another(editor: Client) -> None:
    sync_traders(make_trader(), make_trader("quick_short"), make_trader("third", allocation_pct=10))
    kept(editor, detail__risk__max_positions="4")

    assert "You previewed changes" not in text_of(editor.get(f"{TRADERS}third/change/"))
