"""A text of the plain-Python layers is English for programs and translated on pages."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from pathlib import Path
from subprocess import run

import pytest
from django.test import override_settings
from django.utils import translation
from django.utils.translation import trans_real

from traders.schema.messages import TranslatableText, _, joined, message_of, verbatim
from traders.schema.problems import InvalidConfig, Problem
from traders.words import messages

CATALOGUE = r"""
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"

msgid "must be %(right)s, was %(value)s"
msgstr "war %(value)s, richtig: %(right)s"

msgid "a whole number"
msgstr "eine ganze Zahl"
"""
WRONG = _("must be %(right)s, was %(value)s", right=_("a whole number"), value="'20x'")


@pytest.fixture
def german(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "de" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "django.po").write_text(CATALOGUE)
    if run(["msgfmt", "-o", folder / "django.mo", folder / "django.po"], check=False).returncode:
        pytest.skip("there is no msgfmt")
    with override_settings(LOCALE_PATHS=[tmp_path], LANGUAGES=[("en", "English"), ("de", "Deutsch")]):
        monkeypatch.setattr(trans_real, "_translations", {})
        with translation.override("de"):
            yield


def test_a_text_is_english_for_programs() -> None:
    assert WRONG == "must be a whole number, was '20x'"
    assert str(Problem("allocation_pct", WRONG, "steady")) == "steady: allocation_pct must be a whole number, was '20x'"


@pytest.mark.usefixtures("german")
def test_a_page_translates_a_text_with_its_parameters() -> None:
    problem = Problem("allocation_pct", WRONG, "steady")

    assert messages.translated(WRONG) == "war '20x', richtig: eine ganze Zahl"
    assert messages.sentence(problem) == "War '20x', richtig: eine ganze Zahl."
    assert messages.line(problem) == "steady: allocation_pct war '20x', richtig: eine ganze Zahl"
    assert messages.why(InvalidConfig([problem])) == messages.line(problem)
    assert str(problem) == "steady: allocation_pct must be a whole number, was '20x'"


@pytest.mark.usefixtures("german")
def test_an_empty_text_stays_empty() -> None:
    assert messages.translated(_("")) == ""


def test_texts_are_joined_and_kept() -> None:
    both = joined("; ", [_("100 % of it"), _("%(share)s %% of it", share=5)])

    assert both == "100 % of it; 5 % of it"
    assert messages.translated(both) == both
    assert pickle.loads(pickle.dumps(both)).params == both.params


def test_an_exception_says_its_text_or_what_another_program_said() -> None:
    assert message_of(ValueError(WRONG)) is WRONG
    found = message_of(ValueError("100 % wrong"))
    assert isinstance(found, TranslatableText)
    assert found == verbatim("100 % wrong") == "100 % wrong"
    assert _("is not YAML: %(error)s", error=ValueError(WRONG)).params["error"] is WRONG


def test_a_missing_parameter_is_an_error() -> None:
    with pytest.raises(KeyError):
        _("must be %(right)s", value=1)
