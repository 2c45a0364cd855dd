"""The three-way rule: the file may change what it changed, never what an operator changed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from traders.schema.paths import ABSENT, Change, Flat, apply, diff, same
from traders.versions.edit.rules import rebase
from traders.versions.rules.merge import (
    NO_PREFERENCES,
    UNITS,
    ChangedBy,
    Divergence,
    Merge,
    MergeSide,
    Preferences,
    merge_declared,
    three_way,
    unit_of,
)
from traders.versions.undo.rules import reversal_of

PATH = "detail.risk.max_positions"
EXTRA = "detail.extra.desk"
TEMPLATE, VERSION, SHA256 = unit_of("detail.prompts.system_template")


def merged(base: Any, file: Any, stored: Any, prefer: Preferences = NO_PREFERENCES, path: str = PATH) -> Merge:
    """One path with these three values; ABSENT leaves a side without the path."""
    sides = [{path: value} if value is not ABSENT else {} for value in (base, file, stored)]
    return merge_declared(base=sides[0], file=sides[1], stored=sides[2], prefer=prefer.of("a"))


def prompt(name: str) -> Flat:
    return {TEMPLATE: f"prompts/{name}.tmpl", VERSION: f"v{name}", SHA256: name * 64}


@pytest.mark.parametrize(
    ("base", "file", "stored", "changes", "new_base"),
    [
        pytest.param(3, 3, 3, [], 3, id="nothing changed"),
        pytest.param(3, 4, 3, [Change(PATH, 3, 4)], 4, id="the file changed it: applied"),
        pytest.param(3, 3, 5, [], 3, id="the operator changed it: kept"),
        pytest.param(3, 4, 4, [], 4, id="both made the same change: only the base moves"),
        pytest.param(3, Decimal("4.0"), 4, [], 4, id="the same change written otherwise"),
        pytest.param(3, Decimal("3.00"), 5, [], 3, id="the file writes the same value otherwise"),
        pytest.param(1, True, 1, [Change(PATH, 1, True)], True, id="true is not 1"),
        pytest.param(None, "x", None, [Change(PATH, None, "x")], "x", id="null is a value"),
    ],
)
def test_a_change_of_one_side(base: Any, file: Any, stored: Any, changes: list[Change], new_base: Any) -> None:
    merge = merged(base, file, stored)

    assert merge.changes == changes
    assert merge.divergences == []
    assert same(merge.base[PATH], new_base)


def test_different_changes_on_both_sides_conflict_and_keep_the_base() -> None:
    merge = merged(3, 4, 5)

    assert merge.changes == []
    assert merge.divergences == [Divergence(PATH, 3, 4, 5)]
    assert merge.base == {PATH: 3}


def test_an_operators_change_back_to_the_base_is_no_conflict() -> None:
    """Stored as the base again: the file's change is the only one."""
    assert merged(3, 4, 3).changes == [Change(PATH, 3, 4)]


def test_a_conflict_goes_away_when_the_file_goes_back() -> None:
    merge = merged(3, 3, 5)

    assert (merge.changes, merge.divergences, merge.base) == ([], [], {PATH: 3})


def test_a_preferred_file_is_applied() -> None:
    merge = merged(3, 4, 5, Preferences(everywhere=MergeSide.YAML))

    assert merge.changes == [Change(PATH, 5, 4)]
    assert merge.divergences == []
    assert merge.base == {PATH: 4}


def test_a_preferred_database_only_moves_the_base() -> None:
    merge = merged(3, 4, 5, Preferences(everywhere=MergeSide.DB))

    assert (merge.changes, merge.divergences) == ([], [])
    assert merge.base == {PATH: 4}
    again = merged(4, 4, 5)
    assert (again.changes, again.divergences) == ([], [])


def test_a_preference_does_not_undo_what_only_the_operator_changed() -> None:
    assert merged(3, 3, 5, Preferences(everywhere=MergeSide.YAML)).changes == []


def test_a_preference_does_not_hold_back_what_only_the_file_changed() -> None:
    assert merged(3, 4, 3, Preferences(everywhere=MergeSide.DB)).changes == [Change(PATH, 3, 4)]


@pytest.mark.parametrize(
    ("by_path", "side"),
    [
        ({PATH: MergeSide.YAML}, MergeSide.YAML),
        ({f"a:{PATH}": MergeSide.YAML}, MergeSide.YAML),
        ({f"b:{PATH}": MergeSide.YAML}, MergeSide.DB),
        ({f"a:{PATH}": MergeSide.YAML, PATH: MergeSide.DB}, MergeSide.YAML),
        ({"detail.risk.min_confidence": MergeSide.YAML}, MergeSide.DB),
        ({}, MergeSide.DB),
    ],
)
def test_the_nearest_preference_wins(by_path: dict[str, MergeSide], side: MergeSide) -> None:
    assert Preferences(everywhere=MergeSide.DB, by_path=by_path).of("a")(PATH) is side


def test_without_a_preference_nobody_wins() -> None:
    assert NO_PREFERENCES.of("a")(PATH) is None


def test_preferences_per_path_settle_only_those_paths() -> None:
    merge = merge_declared(
        base={"a": 1, "b": 1, "c": 1},
        file={"a": 2, "b": 2, "c": 2},
        stored={"a": 3, "b": 3, "c": 3},
        prefer=Preferences(by_path={"a": MergeSide.YAML, "b": MergeSide.DB}).of("x"),
    )

    assert merge.changes == [Change("a", 3, 2)]
    assert merge.divergences == [Divergence("c", 1, 2, 3)]
    assert merge.base == {"a": 2, "b": 2, "c": 1}


class TestExtensionKeys:
    """They may be absent on any side."""

    @pytest.mark.parametrize(
        ("base", "file", "stored", "changes", "new_base"),
        [
            pytest.param(ABSENT, 1, ABSENT, [Change(EXTRA, ABSENT, 1)], {EXTRA: 1}, id="added in the file"),
            pytest.param(1, ABSENT, 1, [Change(EXTRA, 1, ABSENT)], {}, id="removed from the file"),
            pytest.param(ABSENT, ABSENT, 1, [], {}, id="added by the operator"),
            pytest.param(1, 1, ABSENT, [], {EXTRA: 1}, id="removed by the operator"),
            pytest.param(ABSENT, 1, 1, [], {EXTRA: 1}, id="added by both"),
            pytest.param(1, ABSENT, ABSENT, [], {}, id="removed by both"),
        ],
    )
    def test_added_or_removed(self, base: Any, file: Any, stored: Any, changes: list[Change], new_base: Flat) -> None:
        merge = merged(base, file, stored, path=EXTRA)

        assert (merge.changes, merge.divergences, merge.base) == (changes, [], new_base)

    @pytest.mark.parametrize(
        ("base", "file", "stored"),
        [
            pytest.param(ABSENT, 1, 2, id="added differently"),
            pytest.param(1, ABSENT, 2, id="removed from the file, changed by the operator"),
            pytest.param(1, 2, ABSENT, id="changed in the file, removed by the operator"),
        ],
    )
    def test_in_conflict(self, base: Any, file: Any, stored: Any) -> None:
        merge = merged(base, file, stored, path=EXTRA)

        assert merge.divergences == [Divergence(EXTRA, base, file, stored)]
        assert merge.changes == []
        assert merge.base == ({} if base is ABSENT else {EXTRA: base})

    def test_a_removal_that_is_preferred_removes(self) -> None:
        merge = merged(1, ABSENT, 2, Preferences(everywhere=MergeSide.YAML), path=EXTRA)

        assert merge.changes == [Change(EXTRA, 2, ABSENT)]
        assert merge.base == {}

    def test_a_key_is_compared_as_a_whole(self) -> None:
        merge = merged({"BTC": 1}, {"BTC": 1, "ETH": 2}, {"BTC": 3}, path=EXTRA)

        assert [divergence.path for divergence in merge.divergences] == [EXTRA]


class TestPrompts:
    """Template, version and text of a prompt are one choice."""

    def test_a_prompt_changed_in_the_file_is_applied_whole(self) -> None:
        merge = merge_declared(base=prompt("a"), file=prompt("b"), stored=prompt("a"), prefer=NO_PREFERENCES.of("x"))

        assert apply(prompt("a"), merge.changes) == prompt("b") == merge.base

    def test_a_prompt_whose_text_alone_changed_conflicts_with_another_template(self) -> None:
        edited = prompt("a") | {SHA256: "c" * 64}
        merge = merge_declared(base=prompt("a"), file=edited, stored=prompt("b"), prefer=NO_PREFERENCES.of("x"))

        assert merge.changes == []
        assert {divergence.path for divergence in merge.divergences} == {TEMPLATE, VERSION, SHA256}
        assert merge.base == prompt("a")

    @pytest.mark.parametrize("path", [TEMPLATE, VERSION, SHA256])
    def test_a_preference_for_any_of_its_paths_decides_them_all(self, path: str) -> None:
        prefer = Preferences(by_path={path: MergeSide.YAML}).of("x")
        merge = merge_declared(base=prompt("a"), file=prompt("b"), stored=prompt("c"), prefer=prefer)

        assert apply(prompt("c"), merge.changes) == prompt("b")
        assert merge.divergences == []

    def test_the_two_prompts_of_a_trader_are_apart(self) -> None:
        assert unit_of("detail.prompts.executor_sha256")[0] == "detail.prompts.executor_template"
        assert unit_of("detail.prompts.executor_sha256") != unit_of(SHA256)
        assert unit_of(PATH) == (PATH,)


class TestWithoutABase:
    """A configuration that no file declared so far."""

    def test_equal_values_are_adopted(self) -> None:
        merge = merge_declared(base=None, file={"a": 1, "b": 2}, stored={"a": Decimal("1.0"), "b": 2}, prefer=no_one)

        assert (merge.changes, merge.divergences) == ([], [])
        assert merge.base == {"a": 1, "b": 2}

    def test_different_values_conflict_and_equal_ones_beside_them_are_adopted(self) -> None:
        merge = merge_declared(base=None, file={"a": 1, "b": 2}, stored={"a": 1, "b": 3}, prefer=no_one)

        assert merge.changes == []
        assert merge.divergences == [Divergence("b", ABSENT, 2, 3)]
        assert merge.base == {"a": 1}

    def test_what_only_one_side_has_conflicts(self) -> None:
        merge = merge_declared(base=None, file={EXTRA: 1}, stored={"detail.extra.mine": 2}, prefer=no_one)

        assert merge.divergences == [
            Divergence(EXTRA, ABSENT, 1, ABSENT),
            Divergence("detail.extra.mine", ABSENT, ABSENT, 2),
        ]

    def test_a_preferred_file_makes_it_the_files(self) -> None:
        file, stored = {"a": 1, EXTRA: 1}, {"a": 2, "detail.extra.mine": 2}
        merge = merge_declared(
            base=None, file=file, stored=stored, prefer=Preferences(everywhere=MergeSide.YAML).of("x")
        )

        assert apply(stored, merge.changes) == file == merge.base


def no_one(path: str) -> None:
    return None


paths = st.sampled_from(["a", "b", "c", EXTRA, TEMPLATE, VERSION, SHA256])
values = st.sampled_from([0, 1, 2, True, None, Decimal("1.0"), "x"])
sides = st.dictionaries(paths, values)
preferences = st.builds(
    Preferences,
    everywhere=st.none() | st.sampled_from(MergeSide),
    by_path=st.dictionaries(paths, st.sampled_from(MergeSide), max_size=2),
)


@given(sides, sides, sides, preferences)
def test_merging_again_changes_nothing(base: Flat, file: Flat, stored: Flat, preferred: Preferences) -> None:
    merging_again_changes_nothing(base, file, stored, preferred)


@given(st.fixed_dictionaries(dict.fromkeys(["a", "b", TEMPLATE, VERSION], values)), sides, preferences)
def test_merging_again_changes_nothing_where_there_was_no_base(file: Flat, edits: Flat, preferred: Preferences) -> None:
    stored = file | {path: value for path, value in edits.items() if path in file}
    merging_again_changes_nothing(None, file, stored, preferred)


def merging_again_changes_nothing(base: Flat | None, file: Flat, stored: Flat, preferred: Preferences) -> None:
    first = merge_declared(base=base, file=file, stored=stored, prefer=preferred.of("x"))
    after = apply(stored, first.changes)

    second = merge_declared(base=first.base, file=file, stored=after, prefer=NO_PREFERENCES.of("x"))

    assert second.changes == []
    assert diff(second.base, first.base) == []
    assert {d.path for d in second.divergences} == {d.path for d in first.divergences}


@given(sides, sides, sides)
def test_what_the_operator_alone_changed_stays(base: Flat, file: Flat, stored: Flat) -> None:
    merge = merge_declared(base=base, file=file, stored=stored, prefer=no_one)

    for change in merge.changes:
        unit = unit_of(change.path)
        assert any(not same(base.get(path, ABSENT), file.get(path, ABSENT)) for path in unit)
        assert all(same(stored.get(path, ABSENT), base.get(path, ABSENT)) for path in unit)


@given(st.none() | sides, sides, sides)
def test_a_preferred_file_leaves_no_conflict(base: Flat | None, file: Flat, stored: Flat) -> None:
    for side in MergeSide:
        merge = merge_declared(base=base, file=file, stored=stored, prefer=Preferences(everywhere=side).of("x"))
        assert merge.divergences == []
        assert diff(merge.base, file) == []


@given(sides, sides)
def test_an_untouched_configuration_follows_its_file(base: Flat, file: Flat) -> None:
    merge = merge_declared(base=base, file=file, stored=base, prefer=no_one)

    assert diff(apply(base, merge.changes), file) == []
    assert merge.divergences == []


flats = st.dictionaries(st.sampled_from(["a", "b", *UNITS[0]]), st.integers(0, 2))


@given(flats, flats, flats)
def test_every_use_of_the_rule_agrees_on_who_changed_what(base: Flat, theirs: Flat, mine: Flat) -> None:
    sides = three_way(base=base, theirs=theirs, mine=mine)

    mirrored = three_way(base=base, theirs=mine, mine=theirs)
    assert {unit: MIRROR.get(changed, changed) for unit, changed in sides.items()} == mirrored
    merged = rebase(base=base, theirs=theirs, mine=mine)
    assert {unit for unit, changed in sides.items() if changed is ChangedBy.ONLY_MINE} == set(merged.only_mine)
    declared = merge_declared(base=base, file=mine, stored=theirs, prefer=no_one)
    conflicts = {unit_of(one.path) for one in declared.divergences}
    assert conflicts == {unit for unit, changed in sides.items() if changed is ChangedBy.CONTESTED}
    undone = reversal_of(before=mine, after=base, now=theirs)
    assert {unit_of(change.path) for change in undone.contested} == conflicts


MIRROR = {ChangedBy.ONLY_MINE: ChangedBy.ONLY_THEIRS, ChangedBy.ONLY_THEIRS: ChangedBy.ONLY_MINE}


def test_an_edit_of_two_sides_that_differ_nowhere_is_empty() -> None:
    assert three_way(base={"a": 1}, theirs={"a": 1}, mine={"a": Decimal("1.0")}) == {}
