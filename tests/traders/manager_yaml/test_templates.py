"""A template that no engine could use is found when it is saved or synced."""

from __future__ import annotations

from pathlib import Path

import pytest

from traders.manager_yaml.prompts import InvalidPrompt, judged
from traders.manager_yaml.templates import template_problem, unknown_fields

SHIPPED = sorted((Path(__file__).resolve().parents[3] / "etc" / "prompts").rglob("*.tmpl"))


@pytest.mark.parametrize(
    "body",
    [
        "Trade well.",
        "{{/* Version: v1.0.0 }} */}}{{ .Trader.ID }}",
        '{{ printf "%.2f }}" .Config.MinRiskReward }}',
        "{{ if gt .SharpeRatio 1.0 }}a{{ else if .OpenPositions }}b{{ else }}c{{ end }}",
        "{{- range $i, $coin := .CandidateCoins -}}{{ $coin.Name }} {{ .Name | printf `%s` }}{{- end -}}",
        "{{ with .Trader }}{{ .ID }}{{ end }}{{ len .CandidateCoins }}",
        "a } b { c }} d",
    ],
)
def test_a_template_of_engines_is_taken(body: str) -> None:
    assert template_problem(body) is None
    assert unknown_fields(body) == []


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_the_shipped_templates_are_taken(path: Path) -> None:
    body = path.read_text()
    assert template_problem(body) is None
    assert unknown_fields(body) == []


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("a\n{{ .Trader.ID", "line 2 opens {{ without }}"),
        ("{{ if .Trader }}\nx", "line 1 opens if without end"),
        ("x\n{{ end }}", "line 2 has an end without a beginning"),
        ("{{ else }}", "an else without if, range or with"),
        ("{{ upper .Trader.ID }}", "calls upper, which is no function of templates"),
        ("{{ .Trader.ID | toJson }}", "calls toJson"),
        ("{{ if .Trader }}a{{ else }}b{{ else }}c{{ end }}", "which no engine can read: line 1: a second else"),
        ("x\n{{ .Trader.ID ) }}", "line 2: . is not expected here"),
        ("safe\u202e text", "U+202E, which turns the direction"),
        ("a\u2066b", "U+2066"),
    ],
)
def test_what_no_engine_can_use_is_refused_with_its_line(body: str, words: str) -> None:
    with pytest.raises(InvalidPrompt, match=words.replace("{", "\\{").replace("+", "\\+")):
        judged("prompts/a.tmpl", body.encode(), None)


def test_a_field_that_engines_do_not_give_is_a_doubt() -> None:
    found = judged("prompts/a.tmpl", b"{{ .SharpRatio }} {{ range .CandidateCoins }}{{ .Any }}{{ end }}", None)
    assert found.doubt == ", which names .SharpRatio, and engines give no such field"
