from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import save_edit
from tests.traders.admin.browsing import FLEET, STEADY, text_of
from traders.models import PromptText, TraderRuntimeState
from traders.schema.prompts import read_prompt
from traders.schema.settings.fleet import FLEET_ID

pytestmark = pytest.mark.usefixtures("fleet")

URL = f"{STEADY}history/"


@pytest.fixture
def three_versions(fleet: None) -> None:
    save_edit("steady_long", "mei", "cut leverage", detail__risk__major_coin_leverage=10)
    save_edit("steady_long", "lee", "two at once", detail__risk__max_positions=4, detail__llm__model="gpt-5")


@pytest.mark.usefixtures("three_versions")
def test_every_version_says_who_when_why_and_what(editor: Client) -> None:
    page = editor.get(URL)

    assert [line.version for line in page.context["lines"]] == [3, 2, 1]
    said = text_of(page)
    assert "v3 latest lee page just now two at once" in said
    assert "Model - model: deepseek-chat → gpt-5 Risk - max positions: 3 → 4 shield raises risk" in said
    assert "v2 mei page just now cut leverage Risk - major coin leverage: 20x → 10x shield lowers risk" in said
    assert "v1 cli:test sync just now initial first version" in said


@pytest.mark.usefixtures("three_versions")
def test_the_version_that_the_engine_runs_is_marked(editor: Client) -> None:
    TraderRuntimeState.objects.filter(pk="steady_long").update(active_config_version=2)
    assert "v2 active mei" in text_of(editor.get(URL))


def test_a_long_history_takes_no_more_queries(editor: Client) -> None:
    def queries(url: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert editor.get(url).status_code == 200
        return len(captured)

    save_edit("steady_long", detail__risk__max_positions=4)
    few = queries(URL)
    for number in range(60):
        save_edit("steady_long", detail__risk__max_positions=5 + number % 2)
    assert queries(URL) <= few + 1  # the version before the page's oldest
    assert queries(f"{URL}?page=2") <= few + 1
    assert few <= 12


def test_pages_join_without_a_gap(editor: Client) -> None:
    for number in range(30):
        save_edit("steady_long", detail__risk__max_positions=5 + number % 2)
    first, second = (editor.get(f"{URL}?page={page}").context["lines"] for page in (1, 2))

    assert [line.version for line in [*first, *second]] == list(range(31, 0, -1))
    assert all(len(line.rows) == 1 for line in [*first, *second[:-1]])


@pytest.mark.usefixtures("three_versions")
def test_two_versions_stand_side_by_side(editor: Client) -> None:
    page = editor.get(f"{STEADY}compare/?a=3&b=1")

    assert [row.path for row in page.context["rows"]] == [
        *("detail.llm.model", "detail.risk.max_positions", "detail.risk.major_coin_leverage"),
    ]
    said = text_of(page)
    assert said.index("v1 Restore") < said.index("v3 latest")
    assert "3 differ ·" in said
    assert "detail.journal.dir" not in said
    assert "detail.journal.dir" in text_of(editor.get(f"{STEADY}compare/?a=3&b=1&all=1"))


@pytest.mark.usefixtures("three_versions")
def test_without_a_choice_the_last_change_is_compared(editor: Client) -> None:
    page = editor.get(f"{STEADY}compare/")
    assert (page.context["left"].version, page.context["right"].version) == (2, 3)


@pytest.mark.parametrize("query", ["a=1&b=9", "a=x", "a=0&b=1"])
def test_a_version_that_never_was_leads_back(editor: Client, query: str) -> None:
    answer = editor.get(f"{STEADY}compare/?{query}", follow=True)
    assert answer.redirect_chain == [(URL, 302)]
    assert "There is no such version" in text_of(answer)


def test_a_changed_prompt_is_compared_line_by_line(editor: Client) -> None:
    text = read_prompt("prompts/manager/long.tmpl", b"{{/* Version: v1.0.0 */}}\nSell what falls.\n")
    PromptText.objects.create(sha256=text.sha256, path=text.path, version=text.version, body=text.body)
    save_edit("steady_long", **{"detail.prompts.system_sha256": text.sha256})

    said = text_of(editor.get(f"{STEADY}compare/"))
    assert "- Buy what rises. + Sell what falls." in said


@pytest.mark.usefixtures("three_versions")
def test_one_version_is_read_as_a_whole(editor: Client) -> None:
    said = text_of(editor.get(f"{STEADY}versions/2/"))
    assert "Version 2 mei · just now · cut leverage" in said
    assert "Major coin leverage 10x" in said
    assert "Decision interval 3 min" in said

    answer = editor.get(f"{STEADY}versions/9/", follow=True)
    assert answer.redirect_chain == [(URL, 302)]


def test_the_fleets_settings_have_a_history_too(editor: Client) -> None:
    save_edit(FLEET_ID, "mei", "new capital", detail__manager__total_equity_usd=25000)

    said = text_of(editor.get(f"{FLEET}history/"))
    assert (
        "v2 latest mei page just now new capital Fleet - total equity: 10,000 USD → 25,000 USD shield raises risk"
        in said
    )
    assert "10,000 USD 25,000 USD" in text_of(editor.get(f"{FLEET}compare/"))
    assert "Total equity 10,000 USD" in text_of(editor.get(f"{FLEET}versions/1/"))
