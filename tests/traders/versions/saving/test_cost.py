"""What a warm save of one trader costs: statements, files, validations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.factories import make_trader, sync_traders
from traders.manager_yaml import file_cache
from traders.manager_yaml.yaml import document
from traders.models import FormDraft, TraderConfig
from traders.versions import services as configs
from traders.versions.edit import services as edit
from traders.versions.edit.forms.config import posted

pytestmark = pytest.mark.django_db

# The read before, savepoint and release, the locks of fleet and trader, a change set with its moment, the two rows.
STATEMENTS = 8


@pytest.fixture
def _trader(monkeypatch: pytest.MonkeyPatch) -> None:
    sync_traders(make_trader())
    # A checkout of this moment is as good as one of last year.
    monkeypatch.setattr(file_cache, "_SETTLED_NS", -1_000_000_000)


class Cost:
    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files: list[Any] = []
        self.validated: list[str] = []
        for module, name, seen in ((document, "read_bytes", self.files), (edit, "validate_trader", self.validated)):
            monkeypatch.setattr(module, name, noting(getattr(module, name), seen))

    def of(self, save: Callable[[], Any]) -> list[str]:
        """The statements of a save, after one that warmed up."""
        save()
        self.files.clear()
        self.validated.clear()
        with CaptureQueriesContext(connection) as captured:
            save()
        return [query["sql"] for query in captured.captured_queries]


def noting(function: Callable[..., Any], seen: list[Any]) -> Callable[..., Any]:
    def noted(*args: Any, **options: Any) -> Any:
        seen.append(args[0])
        return function(*args, **options)

    return noted


def reads_of(statements: list[str]) -> Counter[str]:
    """{table: how many statements read it}."""
    found = (re.search(r'\bFROM "?(\w+)', sql) for sql in statements if sql.lstrip().startswith("SELECT"))
    return Counter(match[1] for match in found if match)


def save_by_service() -> None:
    stored = configs.existing("steady_long")
    positions = stored.flat["detail.risk.max_positions"] + 1
    edit.save(
        config_id="steady_long",
        flat=stored.flat | {"detail.risk.max_positions": positions},
        expected_version=stored.version,
        reason="more",
        actor="mei",
    )


def save_by_model() -> None:
    row = TraderConfig.objects.get(pk="steady_long")
    row.detail["risk"]["max_positions"] += 1
    row._change_reason = "more"
    row.save()


@pytest.mark.usefixtures("_trader")
def test_a_warm_save_of_one_trader_by_its_form(admin_client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the eight: session and account, the entry of the admin's log, the note of its draft. The savepoint is that
    around all."""
    address = "/admin/traders/traderconfig/steady_long/change/"
    form = admin_client.get(address).context["form"]
    account = User.objects.get(username="admin")
    previewed = [FormDraft.objects.create(account=account, page=address) for _save in range(2)]

    def save() -> None:
        stored = configs.existing("steady_long")
        positions = stored.flat["detail.risk.max_positions"] + 1
        typed = posted(form, stored.flat | {"detail.risk.max_positions": positions})
        answer = admin_client.post(
            address,
            typed
            | {"reason": "more", "expected_version": str(stored.version), "step": "save"}
            | {"draft": str(previewed.pop().pk)},
        )
        assert answer.status_code == 302

    cost = Cost(monkeypatch)
    statements = cost.of(save)[1:]

    # The last one asks whether the trader is pinned: the page then says that the version will not run.
    assert len(statements) == STATEMENTS + 5
    read = reads_of(statements)
    assert (read["trader_config"], read["trader_config_versions"], read["manager_config"]) == (1, 1, 1)
    assert cost.files == []
    assert cost.validated == ["steady_long"]


@pytest.mark.usefixtures("_trader")
@pytest.mark.parametrize("save", [save_by_service, save_by_model])
def test_a_warm_save_of_one_trader(save: Callable[[], None], monkeypatch: pytest.MonkeyPatch) -> None:
    cost = Cost(monkeypatch)

    statements = cost.of(save)

    assert len(statements) == STATEMENTS
    assert cost.files == []
    assert cost.validated == ["steady_long"]
    assert reads_of(statements)["manager_config"] == 1
