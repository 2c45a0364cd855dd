from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from traders.schema.paths import ABSENT, Flat, diff, same
from traders.versions.edit.rules import ContestedChoice, rebase
from traders.versions.rules.merge import UNITS, unit_of

PROMPT = UNITS[0]
PATHS = ("allocation_pct", "detail.risk.max_positions", "detail.llm.model", "detail.extra.team", *PROMPT)
VALUES = st.one_of(st.integers(0, 3), st.sampled_from(["a", "b"]), st.booleans())


@st.composite
def sides(draw: st.DrawFn) -> tuple[Flat, Flat, Flat]:
    """A version and two edits of it; extension keys come and go."""
    base = {path: draw(VALUES) for path in PATHS}
    return base, _edited(draw, base), _edited(draw, base)


def _edited(draw: st.DrawFn, base: Flat) -> Flat:
    touched = draw(st.sets(st.sampled_from(PATHS)))
    flat = base | {path: draw(VALUES) for path in touched}
    if draw(st.booleans()):
        flat.pop("detail.extra.team")
    return flat


def moved(a: Flat, b: Flat) -> set[str]:
    """The paths that differ, whole units of them."""
    return {path for change in diff(a, b) for path in unit_of(change.path)}


@given(sides())
def test_disjoint_edits_merge_the_same_in_either_order(edits: tuple[Flat, Flat, Flat]) -> None:
    base, one, other = edits
    forth, back = rebase(base=base, theirs=one, mine=other), rebase(base=base, theirs=other, mine=one)
    assert set(forth.contested) == set(back.contested)
    if not forth.contested:
        assert diff(forth.merged({}), back.merged({})) == []
        assert moved(base, forth.merged({})) == moved(base, one) | moved(base, other)


@given(sides(), st.data())
def test_nothing_is_lost(edits: tuple[Flat, Flat, Flat], data: st.DataObject) -> None:
    base, theirs, mine = edits
    found = rebase(base=base, theirs=theirs, mine=mine)
    choices = {unit[0]: data.draw(st.sampled_from(ContestedChoice)) for unit in found.contested}
    merged = found.merged(choices)

    contested = {path for unit in found.contested for path in unit}
    by_take = {ContestedChoice.BASE: base, ContestedChoice.THEIRS: theirs, ContestedChoice.MINE: mine}
    for path in {*base, *theirs, *mine}:
        if path in contested:
            expected = by_take[choices[unit_of(path)[0]]]
        else:
            expected = mine if path in moved(base, mine) else theirs
        assert same(merged.get(path, ABSENT), expected.get(path, ABSENT)), path


@given(sides())
def test_whoever_changed_nothing_contests_nothing(edits: tuple[Flat, Flat, Flat]) -> None:
    base, theirs, _ = edits
    assert diff(rebase(base=base, theirs=theirs, mine=base).merged({}), theirs) == []
    assert diff(rebase(base=base, theirs=base, mine=theirs).merged({}), theirs) == []
    assert rebase(base=base, theirs=theirs, mine=theirs).contested == ()


def _whole(**changed: Any) -> Flat:
    flat: Flat = {"a": 1, "b": 1, **dict.fromkeys(PROMPT, "v1")}
    return flat | {name.replace("__", "."): value for name, value in changed.items()}


def test_what_both_touched_waits_for_a_choice() -> None:
    found = rebase(base=_whole(), theirs=_whole(a=2, b=2), mine=_whole(a=3))

    assert found.contested == (("a",),)
    assert found.only_theirs == (("b",),)
    assert found.undecided({}) == [("a",)]
    assert found.undecided({"a": ContestedChoice.MINE}) == []
    assert found.merged({"a": ContestedChoice.MINE}) == _whole(a=3, b=2)
    assert found.merged({"a": ContestedChoice.BASE}) == _whole(a=1, b=2)
    assert found.merged({}) == _whole(a=2, b=2)


def test_the_three_paths_of_a_prompt_are_one_choice() -> None:
    theirs = _whole() | {PROMPT[0]: "new.tmpl", PROMPT[2]: "d2"}
    mine = _whole() | {PROMPT[1]: "v2"}
    found = rebase(base=_whole(), theirs=theirs, mine=mine)

    assert found.contested == (PROMPT,)
    assert found.merged({PROMPT[0]: ContestedChoice.MINE}) == mine


def test_two_beginnings_contest_whatever_differs() -> None:
    found = rebase(base={}, theirs={"a": 1, "b": 2}, mine={"a": 1, "b": 3})
    assert found.agreed == (("a",),)
    assert found.contested == (("b",),)
