"""Go text/template, as prompts use it: what is written, what is refused and where."""

from __future__ import annotations

from contextlib import suppress
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traders.schema.templates.evaluation import Evaluation
from traders.schema.templates.functions import FUNCTIONS
from traders.schema.templates.parsing import parse
from traders.schema.templates.tokens import TemplateFailed
from traders.schema.templates.values import Listing, Overview

DATA: dict[str, Any] = {
    "Config": {"MinConfidence": 75, "MinRiskReward": Decimal("2.50"), "Auto": True, "Model": "gpt-5"},
    "Coins": Listing(
        [Overview({"Symbol": "BTC", "Price": Decimal("50000.10")}, "BTC"), Overview({"Symbol": "ETH"}, "ETH")],
        "BTC, ETH",
    ),
    "Empty": [],
    "Map": {"b": 2, "a": 1},
    "Nothing": None,
    "Tag": "<a & 'b'>",
    "Double": lambda value: value * 2,
}
# One use of each function, and what it writes.
USES = {
    "and": ("{{ and .Config.Auto .Config.Model }}", "gpt-5"),
    "call": ("{{ call .Double 4 }}", "8"),
    "eq": ("{{ eq .Config.Model `x` `gpt-5` }}", "true"),
    "ge": ("{{ ge .Config.MinConfidence 75.0 }}", "true"),
    "gt": ("{{ gt .Config.MinRiskReward 2 }}", "true"),
    "html": ("{{ html .Tag }}", "&lt;a &amp; &#39;b&#39;&gt;"),
    "index": ("{{ index .Map `a` }}{{ (index .Coins 1).Symbol }}", "1ETH"),
    "js": ('{{ js "it\'s <b>" }}', "it\\'s \\u003Cb\\u003E"),
    "le": ("{{ le 1 0 }}", "false"),
    "len": ("{{ len .Coins }}{{ len `é` }}", "21"),
    "lt": ("{{ lt `a` `b` }}", "true"),
    "ne": ("{{ ne 1 1.0 }}", "false"),
    "not": ("{{ not .Empty }}", "true"),
    "or": ("{{ or .Nothing .Empty `fallback` }}", "fallback"),
    "print": ("{{ print 1 2 `a` 3 }}", "1 2a3"),
    "printf": ('{{ printf "%.2f %d%% %s %q" .Config.MinRiskReward 5 .Coins `x` }}', '2.50 5% BTC, ETH "x"'),
    "println": ("{{ println 1 `a` }}", "1 a\n"),
    "slice": ("{{ slice `abcd` 1 3 }}{{ len (slice .Coins 1) }}", "bc1"),
    "urlquery": ("{{ urlquery `a b&c` }}", "a+b%26c"),
}


def rendered(template: str) -> str:
    return Evaluation(parse(template), DATA).run()


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_each_function_that_templates_may_call_is_carried_out(name: str) -> None:
    template, text = USES[name]

    assert rendered(template) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{/* Version: v1 }} */}}\nplain }} text", "\nplain }} text"),
        ("{{ .Config.MinConfidence }} {{ .Config.MinRiskReward }} {{ .Config.Auto }}", "75 2.5 true"),
        ("{{ .Nothing }} {{ .Coins }} {{ .Map }} {{ .Empty }}", "n/a BTC, ETH map[a:1 b:2] []"),
        ("a  {{- 3 -}}  b {{- /* c */ -}} c", "a3bc"),
        ("{{ 1.5e3 }} {{ 0x1F }} {{ 'a' }} {{ -2 }}", "1500 31 97 -2"),
        (r'{{ "tab\t\"\u00e9\x41\101" }}{{ `raw\n"` }}', 'tab\t"éAAraw\\n"'),
        ("{{ if .Empty }}a{{ else if .Config.Auto }}b{{ else }}c{{ end }}", "b"),
        ("{{ with .Nothing }}a{{ else with .Map }}{{ .a }}{{ else }}c{{ end }}", "1"),
        ("{{ range $i, $c := .Coins }}{{ if $i }}, {{ end }}{{ $i }}={{ $c.Symbol }}{{ end }}", "0=BTC, 1=ETH"),
        (
            "{{ range .Map }}{{ . }}{{ end }}{{ range 3 }}{{ . }}{{ end }}{{ range .Empty }}x{{ else }}none{{ end }}",
            "12012none",
        ),
        (
            "{{ range 9 }}{{ if eq . 1 }}{{ continue }}{{ end }}{{ if gt . 3 }}{{ break }}{{ end }}{{ . }}{{ end }}",
            "023",
        ),
        (
            "{{ $x := 1 }}{{ range 3 }}{{ $x = . }}{{ end }}{{ $x }}{{ if $x := 6 }}{{ $x }}{{ end }}{{ $x }}",
            "262",
        ),
        ("{{ range .Coins }}{{ $.Config.MinConfidence }}{{ end }}", "7575"),
        ('{{ define "row" }}[{{ .Symbol }}]{{ end }}{{ range .Coins }}{{ template "row" . }}{{ end }}', "[BTC][ETH]"),
        ('{{ block "b" .Map }}{{ .a }}{{ end }}{{ template "b" .Map }}', "11"),
        ("{{ .Config.MinRiskReward | printf `%06.1f|%-4d|%+d` | len }}", ""),
        ('{{ printf "%06.1f|%-4d|%+d|%*d|%x" -2.5 7 3 3 1 255 }}', "-002.5|7   |+3|  1|ff"),
        ("{{ (printf `%v` .Map).Length }}", ""),
        ("{{ or (and .Nothing .Nothing.Never) 4 }}", "4"),
    ],
)
def test_what_a_template_writes(template: str, text: str) -> None:
    if text:
        assert rendered(template) == text
    else:
        with pytest.raises(TemplateFailed):
            rendered(template)


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("a\n{{ .Config.MaxRisk }}", "line 2: there is no field .Config.MaxRisk; there are Auto, MinConfidence, "),
        ("{{ if .Gone }}{{ end }}", "line 1: there is no field .Gone; there are Coins, Config, "),
        ("{{ $.Map.c }}", "there is no field $.Map.c; there are a, b"),
        ("{{ range .Coins }}{{ .Price }}{{ end }}", "there is no field .Price; there are Symbol"),
        ("{{ .Tag.Length }}", "there is no field .Tag.Length: it would be of a single value"),
        ("{{ index .Map `c` }}", "index: there is no c"),
        ("{{ index .Coins 2 }}", "index: 2 is out of range, the last is 1"),
        ("{{ slice `abc` 2 1 }}", "slice: 2 is after 1"),
        ("{{ len 3 }}", "len needs a text, a list or a map, was 3"),
        ("{{ gt `a` 1 }}", "gt cannot compare a and 1"),
        ("{{ eq `a` 1 }}", "a and 1 cannot be compared"),
        ("{{ eq 1 }}", "eq needs two values"),
        ("{{ not }}", "not does not take 0 values"),
        ("{{ and }}", "and does not take 0 values"),
        ("{{ call .Tag }}", "call needs a function"),
        ("{{ printf `%d` .Tag }}", "printf cannot write"),
        ("{{ printf `%d` 1.5 }}", "printf cannot write 1.5 as %d"),
        ("{{ printf `%d` }}", "printf has no value for %d"),
        ("{{ printf `a` 1 }}", "printf has no verb for 1"),
        ("{{ printf `%2000d` 1 }}", "printf writes at most 1000 places"),
        ("{{ range .Tag }}{{ end }}", "range needs a list, a map or a whole number"),
        ("{{ nil }}", "nil is no value to write"),
        ("{{ $x }}", "there is no variable $x"),
        ("{{ $x = 1 }}", "there is no variable $x"),
        ("{{ template `x` }}", "there is no template 'x'"),
        ("{{ .Config 3 }}", ".Config takes no arguments"),
        ("{{ 3 | .Config }}", ".Config takes no arguments"),
        ("{{ range 1000000 }}x{{ end }}", "takes more than 200,000 steps"),
        ('{{ define "r" }}{{ template "r" }}{{ end }}{{ template "r" }}', "include each other more than 50 deep"),
        ("{{ $t := printf `%1000d` 1 }}{{ range 9000 }}{{ $t }}{{ end }}", "longer than 4,000,000 characters"),
    ],
)
def test_what_cannot_be_written_is_refused_with_its_line_and_name(template: str, words: str) -> None:
    with pytest.raises(TemplateFailed) as caught:
        rendered(template)

    assert words in str(caught.value)
    assert str(caught.value).startswith("line ")


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("x\n{{ .A", "line 2: {{ without }}"),
        ("{{ }}", "the action is empty"),
        ("{{ if .A }}", "if without end"),
        ("{{ end }}", "end without a beginning"),
        ("{{ if .A }}{{ else }}{{ else }}{{ end }}", "a second else"),
        ("{{ define `a` }}{{ else }}{{ end }}", "define has no else"),
        ("{{ break }}", "break stands in no range"),
        ("{{ .A | }}", "a value is missing"),
        ("{{ (.A }}", "a bracket is not closed"),
        ("{{ .A ) }}", ") is not expected here"),
        ("{{ .A ? }}", "'?' is not expected here"),
        ("{{ upper .A }}", "upper is not expected here"),
        ("{{ template .A }}", "a name in quotation marks is expected"),
        ("{{ $a, $b := .A }}", "more variables than values"),
        ("{{ 'ab' }}", "is not one character"),
        ("{{ 1e9999999 }}", "1e9999999 is no number"),
        ("{{ if 1 }}" * 200 + "{{ end }}" * 200, "actions stand in each other more than 100 deep"),
        ("{{ " + "(" * 200 + "1" + ")" * 200 + " }}", "brackets stand in each other more than 100 deep"),
    ],
)
def test_what_is_no_template_is_refused_when_it_is_read(template: str, words: str) -> None:
    with pytest.raises(TemplateFailed) as caught:
        parse(template)

    assert words in str(caught.value)


@given(st.text(st.characters(codec="utf-8", exclude_characters="{"), max_size=200))
def test_a_text_without_actions_is_written_as_it_is(text: str) -> None:
    assert rendered(text) == text


@given(
    st.lists(
        st.sampled_from(
            (
                *("{{ ", " }}", "{{- ", " -}}", "if", "range", "end", "else", ".", ".Coins", "$x", ":=", "|", "(", ")"),
                *("printf", "`%d`", '"a"', "1", "index", "with", "define", "template", "break", "text", ",", "=", " "),
            )
        ),
        max_size=25,
    )
)
def test_any_text_is_rendered_or_refused(parts: list[str]) -> None:
    with suppress(TemplateFailed):
        rendered("".join(parts))
