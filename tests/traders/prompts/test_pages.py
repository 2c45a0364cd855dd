"""The pages of prompts: read, compare, create, edit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.traders.admin.browsing import hidden_fields, text_of
from tests.traders.admin.people import browser_of
from tests.traders.prompt_files import DIGEST, HEADER, LONG, PromptFiles, X, Y
from traders.accounts.rules import Role
from traders.models import PromptText, TraderConfigVersion
from traders.versions import services as configs

pytestmark = pytest.mark.django_db

PROMPTS = "/admin/traders/prompttext/"


@pytest.fixture
def files(tmp_path: Path, settings: Any) -> PromptFiles:
    return PromptFiles(tmp_path, settings)


@pytest.fixture
def operator() -> Client:
    return browser_of(Role.OPERATOR)


def digest(trader_id: str = X) -> str:
    return str(configs.existing(trader_id).flat[DIGEST])


def typed(body: str, *traders: str, **others: str) -> dict[str, Any]:
    data = {"body": body.replace("\n", "\r\n"), "users": f"{X} {Y}", "trader": list(traders), "reason": "clearer"}
    return data | {"step": "preview"} | others


def test_the_list_says_what_a_text_is_and_who_uses_it(files: PromptFiles, operator: Client) -> None:
    files.edit("Sell high.\n", Y)
    page = operator.get(PROMPTS)
    shown = {text.sha256: text.summary for text in page.context["cl"].result_list}
    assert shown[digest(X)].traders == shown[digest(Y)].traders == 1
    assert not shown[digest(X)].differs
    assert shown[digest(Y)].differs
    assert digest(X)[:12] in text_of(page)
    assert "3 of 3" in text_of(page)


def test_the_list_finds_by_path_version_and_digest(files: PromptFiles, operator: Client) -> None:
    for query in ("LONG", digest()[:20]):
        assert [text.path for text in operator.get(PROMPTS, {"q": query}).context["cl"].result_list] == [LONG]
    assert len(operator.get(PROMPTS, {"q": "v1.0.0"}).context["cl"].result_list) == 2
    files.edit("Sell high.\n")
    assert len(operator.get(PROMPTS, {"used": "1"}).context["cl"].result_list) == 2
    assert "No text matches" in text_of(operator.get(PROMPTS, {"q": "nothing"}))


def test_an_empty_list_says_how_to_begin(operator: Client) -> None:
    text = text_of(operator.get(PROMPTS))
    assert "No prompt texts yet" in text
    assert "sync_traders etc/manager.yaml" in text


def test_the_list_asks_the_same_few_queries_for_any_number_of_texts(
    files: PromptFiles, operator: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        files.edit(f"Text {number}.\n")
    operator.get(PROMPTS)
    with django_assert_max_num_queries(13):
        assert len(operator.get(PROMPTS).context["cl"].result_list) == 14


def test_a_text_is_shown_with_its_traders_and_its_file(files: PromptFiles, operator: Client) -> None:
    page = operator.get(f"{PROMPTS}{digest()}/change/")
    assert "Buy low." in text_of(page)
    assert "Used by 2 traders" in text_of(page)
    assert b'id="file"' not in page.content

    files.write("Buy lower.\n")
    text = text_of(operator.get(f"{PROMPTS}{digest()}/change/"))
    assert "the next sync brings the file's text to them" in text
    assert "- Buy low. + Buy lower." in text


def test_a_missing_file_is_told(files: PromptFiles, operator: Client) -> None:
    files.prompt.unlink()
    assert "file not usable" in text_of(operator.get(PROMPTS))
    assert f"a trader names '{LONG}', but there is no file" in text_of(operator.get(f"{PROMPTS}{digest()}/change/"))


def test_two_texts_are_compared_line_by_line(files: PromptFiles, operator: Client) -> None:
    before = digest()
    files.edit("Buy low.\nSell high.\n")
    text = text_of(operator.get(f"{PROMPTS}compare/", {"a": before, "b": digest()}))
    assert "+ Sell high." in text
    assert "- Buy low." not in text
    assert "the same text" in text_of(operator.get(f"{PROMPTS}compare/", {"a": before, "b": before}))
    assert "Choose two stored texts" in text_of(operator.get(f"{PROMPTS}compare/", {"a": before, "b": "nothing"}))


def test_an_edit_is_previewed_for_each_trader_and_saved_as_one_change_set(files: PromptFiles, operator: Client) -> None:
    url = f"{PROMPTS}{digest()}/edit/"
    form = operator.get(url)
    assert form.context["shown"] == [(X, True), (Y, True)]

    preview = operator.post(url, typed(f"{HEADER}Sell high.\n", X, Y))
    assert "2 traders would get the new text" in text_of(preview)
    assert "- Buy low. + Sell high." in text_of(preview)
    assert TraderConfigVersion.objects.filter(version=2).count() == 0
    answer = operator.post(url, hidden_fields(preview) | {"step": "save"}, follow=True)

    assert "Moved 2 traders to the new text." in text_of(answer)
    assert PromptText.objects.get(pk=digest()).body == f"{HEADER}Sell high.\n"
    versions = TraderConfigVersion.objects.filter(version=2)
    assert {(row.source, row.history_user_id, row.change_set) for row in versions} == {
        ("prompt", "operator", versions[0].change_set)
    }
    assert "Written by operator : clearer" in text_of(operator.get(f"{PROMPTS}{digest()}/change/"))


def test_an_unticked_trader_keeps_the_old_text(files: PromptFiles, operator: Client) -> None:
    url = f"{PROMPTS}{digest()}/edit/"
    preview = operator.post(url, typed(f"{HEADER}Sell high.\n", Y))
    operator.post(url, hidden_fields(preview) | {"step": "save"})
    assert (files.text(X), files.text(Y)) == ("Buy low.\n", "Sell high.\n")


def test_back_to_the_form_loses_nothing(files: PromptFiles, operator: Client) -> None:
    url = f"{PROMPTS}{digest()}/edit/"
    preview = operator.post(url, typed(f"{HEADER}Sell high.\n", Y))
    form = operator.post(url, hidden_fields(preview) | {"step": "back"}, follow=True)
    assert form.context["shown"] == [(X, False), (Y, True)]
    assert "Sell high." in form.content.decode()
    assert 'value="clearer"' in form.content.decode()


def test_what_is_wrong_stands_at_its_place_and_nothing_typed_is_lost(files: PromptFiles, operator: Client) -> None:
    url = f"{PROMPTS}{digest()}/edit/"
    page = operator.post(url, typed("{{/* Version: v9 */}}\nSell high.\n", X, reason=""))
    text = text_of(page)
    assert "Say why, in a few words." in text
    page = operator.post(url, typed("{{/* Version: v9 */}}\nSell high.\n", X))
    assert "of version v9, but executor.yaml expects v1.0.0" in text_of(page)
    assert "Sell high." in page.content.decode()
    assert page.context["shown"] == [(X, True), (Y, False)]


def test_the_text_as_it_was_is_not_saved(files: PromptFiles, operator: Client) -> None:
    page = operator.post(f"{PROMPTS}{digest()}/edit/", typed(f"{HEADER}Buy low.\n", X, Y, step="save"))
    assert "Nothing differs" in text_of(page)
    assert configs.existing(X).version == 1


def test_a_trader_that_moved_since_the_preview_is_named_and_the_rest_can_go_on(
    files: PromptFiles, operator: Client
) -> None:
    url = f"{PROMPTS}{digest()}/edit/"
    preview = operator.post(url, typed(f"{HEADER}Mine.\n", X, Y))
    files.edit("Theirs.\n", Y)

    answer = operator.post(url, hidden_fields(preview) | {"step": "save"})
    assert "1 trader was given another text since the preview: trader_y" in text_of(answer)
    assert configs.existing(X).version == 1

    operator.post(url, hidden_fields(answer) | {"step": "save"})
    assert (files.text(X), files.text(Y)) == ("Mine.\n", "Theirs.\n")


def test_a_new_text_is_stored_with_its_writer_and_reason(files: PromptFiles, operator: Client) -> None:
    data = {"path": "prompts/new.tmpl", "body": f"{HEADER}New.\r\n", "reason": "an idea"}
    answer = operator.post(f"{PROMPTS}add/", data, follow=True)
    text = text_of(answer)
    assert "Stored the text. Choose it in a trader's form, under Prompts." in text
    assert "Written by operator : an idea" in text
    assert PromptText.objects.get(path="prompts/new.tmpl").body == f"{HEADER}New.\n"
    assert "prompts/new.tmpl" in operator.get(f"/admin/traders/traderconfig/{X}/change/").content.decode()


def test_a_new_text_that_cannot_be_stored_says_why(files: PromptFiles, operator: Client) -> None:
    data = {"path": "../new.tmpl", "body": "New.\r\n", "reason": "an idea"}
    page = operator.post(f"{PROMPTS}add/", data)
    assert "leads out of it" in text_of(page)
    assert "no header such as" in text_of(page)
    assert "New." in page.content.decode()
    assert PromptText.objects.count() == 2


def test_an_unknown_text_leads_back_to_the_list(operator: Client) -> None:
    for page in ("change", "edit"):
        answer = operator.get(f"{PROMPTS}{'0' * 64}/{page}/", follow=True)
        assert answer.redirect_chain == [(PROMPTS, 302)]
        assert "There is no prompt text" in text_of(answer)


def test_a_viewer_reads_and_is_offered_nothing_more(files: PromptFiles) -> None:
    viewer = browser_of(Role.VIEWER)
    for url in (PROMPTS, f"{PROMPTS}{digest()}/change/", f"{PROMPTS}compare/"):
        page = viewer.get(url)
        assert page.status_code == 200
        assert b"/edit/" not in page.content
        assert b"New text<" not in page.content
    url = f"{PROMPTS}{digest()}/edit/"
    assert viewer.get(url).status_code == 403
    assert viewer.post(url, typed(f"{HEADER}Mine.\n", X, step="save")).status_code == 403
    assert viewer.post(f"{PROMPTS}add/", {"path": "a", "body": "b", "reason": "c"}).status_code == 403
    assert browser_of(None).get(url).status_code == 302
