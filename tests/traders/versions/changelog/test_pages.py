from __future__ import annotations

import csv

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_trader, save_edit, sync_traders
from tests.traders.admin.browsing import STEADY, TRADERS, text_of
from tests.traders.conftest import Login
from traders.schema.settings.fleet import FLEET_ID
from traders.versions import services as configs
from traders.versions.changelog import services as changelog

pytestmark = pytest.mark.usefixtures("fleet")

LOG = f"{TRADERS}changes/"


@pytest.fixture
def history(fleet: None) -> None:
    save_edit("steady_long", actor="mei", reason="cut after losses", detail__risk__major_coin_leverage=10)
    save_edit("quick_short", actor="lee", reason="room for more", detail__risk__max_positions=5)
    save_edit(FLEET_ID, actor="mei", reason="calmer", detail__manager__allocation_strategy="equal")


def reasons(client: Client, query: str = "") -> list[str]:
    return [shown.line.reason for shown in client.get(LOG + query).context["lines"]]


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ["calmer", "room for more", "cut after losses", "initial"]),
        ("?path=leverage", ["cut after losses"]),
        ("?path=Max+Positions", ["room for more"]),
        ("?path=detail.risk.max_positions", ["room for more"]),
        ("?path=leverage&config=quick_short", []),
        ("?config=steady_long", ["cut after losses", "initial"]),
        ("?config=@manager", ["calmer", "initial"]),
        ("?config=fleet", ["calmer", "initial"]),
        ("?config=STEADY", ["cut after losses", "initial"]),
        ("?config=t", ["room for more", "cut after losses", "initial"]),
        ("?config=t&path=leverage", ["cut after losses"]),
        ("?config=t&risk=raises", ["room for more"]),
        ("?actor=mei&source=admin", ["calmer", "cut after losses"]),
        ("?source=sync", ["initial"]),
        ("?risk=raises", ["room for more"]),
        ("?risk=raises&path=leverage", []),
        ("?risk=raises&config=quick_short", ["room for more"]),
        ("?risk=raises&config=steady_long", []),
        ("?until=2020-01-01T00:00", []),
    ],
)
def test_the_log_is_one_line_a_change_set_and_filtered(editor: Client, query: str, expected: list[str]) -> None:
    assert reasons(editor, query) == expected


@pytest.mark.usefixtures("history")
def test_traders_are_found_by_a_part_of_their_name_and_suggested(editor: Client) -> None:
    save_edit("quick_short", actor="lee", reason="a name", detail__display_name="Momentum")

    page = editor.get(f"{LOG}?config=moment")
    assert [shown.line.reason for shown in page.context["lines"]] == ["a name", "room for more", "initial"]
    said = page.content.decode()
    assert '<option value="quick_short">Momentum</option>' in said
    assert f"{LOG}{page.context['lines'][0].line.change_set}/?config=quick_short" in said

    lines = b"".join(editor.get(f"{LOG}csv/?config=moment")).decode().splitlines()
    assert all("quick_short" in line for line in lines[1:])


@pytest.mark.usefixtures("history")
def test_a_line_of_one_configuration_shows_old_and_new(editor: Client) -> None:
    said = text_of(editor.get(LOG))
    assert "Risk - major coin leverage: 20x → 10x shield lowers risk" in said
    assert "Risk - max positions: 3 → 5 shield raises risk" in said
    assert "Fleet - allocation strategy: empty → equal" in said


def test_a_line_of_many_counts_what_was_added_retired_and_changed(editor: Client) -> None:
    many = [make_trader(f"t{number}", allocation_pct=0) for number in range(6)]
    sync_traders(*many[:4])
    changed = make_trader("t2", allocation_pct=0, detail__risk__max_positions=9, detail__auto_start=True)
    kept = make_trader("t3", allocation_pct=0, detail__risk__max_positions=2)
    sync_traders(changed, kept, *many[4:], retire_missing=True, reason="the new plan")

    [shown] = [one for one in editor.get(LOG).context["lines"] if one.line.reason == "the new plan"]
    assert shown.sums == ["2 added", "4 retired"]
    assert [(one.label, one.traders, one.raising) for one in shown.counts] == [
        ("Risk - max positions", "2 traders", "raises risk of 1"),
        ("Identity - auto start", "1 trader", ""),
    ]
    assert "2 added, 4 retired" in text_of(editor.get(LOG))


@pytest.mark.usefixtures("history")
def test_words_say_which_settings_they_mean(editor: Client) -> None:
    said = text_of(editor.get(f"{LOG}?path=leverage"))
    assert "Changes of 2 settings:" in said
    assert "Risk - major coin leverage detail.risk.major_coin_leverage" in said


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("?path=leverij", "path", "No setting has “leverij” in its label or path."),
        ("?since=yesterday", "since", "“yesterday” is no moment"),
        ("?since=2099-01-01", "since", "2099-01-01 is yet to come."),
        ("?since=2026-01-02&until=2026-01-01", "until", "Must be after the beginning of the period."),
        ("?risk=some", "risk", "some is not one of the available choices."),
        ("?actor=nobody", "actor", "nobody is not one of the available choices."),
        ("?before=99999999999999999999", "before", "less than or equal to"),
    ],
)
def test_a_filter_that_cannot_be_is_told_and_kept(editor: Client, query: str, field: str, said: str) -> None:
    page = editor.get(LOG + query)

    assert said in str(page.context["form"][field].errors)
    assert page.context["lines"] == []
    assert editor.get(f"{LOG}csv/{query}").status_code == 302


def test_an_empty_answer_says_what_to_do_next(editor: Client) -> None:
    assert "There is no trader “nobody”" in text_of(editor.get(f"{LOG}?config=nobody"))
    assert "Show all changes" in text_of(editor.get(f"{LOG}?path=leverage"))


@pytest.mark.usefixtures("history")
def test_pages_follow_each_other_and_keep_the_filter(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changelog, "PAGE", 1)

    first = editor.get(f"{LOG}?actor=mei")
    second = editor.get(first.context["older"])

    assert [shown.line.reason for shown in first.context["lines"]] == ["calmer"]
    assert [shown.line.reason for shown in second.context["lines"]] == ["cut after losses"]
    assert (second.context["older"], second.context["newest"]) == ("", f"{LOG}?actor=mei")


@pytest.mark.usefixtures("history")
def test_the_csv_is_what_the_filter_shows(editor: Client) -> None:
    save_edit("steady_long", actor="mei", reason="=1+1", detail__risk__altcoin_leverage=9)

    answer = editor.get(f"{LOG}csv/?path=leverage")
    head, *lines = csv.reader(b"".join(answer.streaming_content).decode().splitlines())  # type: ignore[attr-defined]

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"].startswith('attachment; filename="changes-')
    rows = [dict(zip(head, line, strict=True)) for line in lines]
    assert [(row["reason"], row["path"], row["old"], row["new"], row["raises_risk"]) for row in rows] == [
        ("'=1+1", "detail.risk.altcoin_leverage", "10", "9", ""),
        ("cut after losses", "detail.risk.major_coin_leverage", "20", "10", ""),
    ]


@pytest.mark.usefixtures("history")
def test_a_change_set_opens_to_its_configurations(editor: Client) -> None:
    first, cut = configs.existing("quick_short"), configs.existing("steady_long")

    said = text_of(editor.get(f"{LOG}{cut.change_set}/"))
    assert "Risk - major coin leverage detail.risk.major_coin_leverage 20x 10x shield lowers risk" in said
    made = configs.version("steady_long", 1).change_set
    whole = text_of(editor.get(f"{LOG}{made}/"))
    assert "3 configurations · 3 of them new" in whole
    assert "Fleet settings v1" in whole
    only = text_of(editor.get(f"{LOG}{made}/?config={first.config_id}"))
    assert "quick_short" in only
    assert "steady_long" not in only


@pytest.mark.usefixtures("history")
def test_a_large_change_set_is_paged(editor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("traders.versions.changelog.change_set.PER_PAGE", 2)
    made = f"{LOG}{configs.version('steady_long', 1).change_set}/"

    first = editor.get(made)
    second = editor.get(f"{made}?after={first.context['after']}")

    shown = [[block.config.config_id for block in page.context["blocks"]] for page in (first, second)]
    assert shown == [[FLEET_ID, "quick_short"], ["steady_long"]]
    assert second.context["after"] == ""


@pytest.mark.parametrize("number", ["999999", "9" * 40])
def test_an_unknown_change_set_leads_back_to_the_log(editor: Client, number: str) -> None:
    for url in (f"{LOG}{number}/", f"{LOG}{number}/undo/"):
        answer = editor.get(url, follow=True)
        assert answer.redirect_chain == [(LOG, 302)]
        assert f"There is no change set {number}" in text_of(answer)


@pytest.mark.usefixtures("history")
def test_when_did_this_change_is_one_click_from_a_traders_history(editor: Client) -> None:
    page = editor.get(f"{STEADY}history/").content.decode()

    assert f"{LOG}?config=steady_long&amp;path=detail.risk.major_coin_leverage" in page
    assert f'href="{LOG}?config=steady_long"' in page


@pytest.mark.usefixtures("history")
def test_the_log_costs_the_same_however_many_changes(editor: Client) -> None:
    with CaptureQueriesContext(connection) as few:
        editor.get(LOG)
    for positions in range(6, 12):
        save_edit("steady_long", detail__risk__max_positions=positions)
    with CaptureQueriesContext(connection) as many:
        editor.get(LOG)
    assert len(many) == len(few)


def test_a_viewer_reads_the_log_and_is_offered_no_undo(login: Login) -> None:
    set_url = f"{LOG}{configs.existing('steady_long').change_set}/"
    assert login("viewer").get(LOG).status_code == 200
    page = login("viewer").get(set_url)
    assert page.status_code == 200
    assert b"/undo/" not in page.content
    for url in (LOG, f"{LOG}csv/", set_url, f"{set_url}undo/"):
        assert login("outsider").get(url).status_code == 403
        assert login("anonymous").get(url).status_code == 302
    assert login("viewer").get(f"{set_url}undo/").status_code == 403
    assert login("viewer").post(f"{set_url}undo/", {"step": "save", "reason": "x"}).status_code == 403
