"""Merging with sources, on small trees and on a schema made for it."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field

from codecctl.engine.profile.shape import shape_of
from codecctl.engine.profile.tree import Source, Tree, leaves


class Flat(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["flat"]
    width: int
    slope: float


class Step(BaseModel):
    model_config = ConfigDict(extra="forbid")
    type: Literal["step"]
    width: int
    height: float


class AtEpoch(BaseModel):
    model_config = ConfigDict(extra="forbid")
    epoch: int


class AtStep(BaseModel):
    model_config = ConfigDict(extra="forbid")
    step: int


Part = Annotated[Flat | Step, Field(discriminator="type")]


class Root(BaseModel):
    model_config = ConfigDict(extra="forbid")
    part: Part
    parts: tuple[Part, ...]
    sizes: tuple[int, ...]
    start: AtEpoch | AtStep


FILE = Source("file.toml")
OTHER = Source("other.toml")
FLAT = {"type": "flat", "width": 4, "slope": 0.5}
VALUES: dict[str, object] = {
    "part": FLAT,
    "parts": [FLAT, {"type": "step", "width": 1, "height": 2.0}],
    "sizes": [3, 4],
    "start": {"epoch": 5},
}


@pytest.fixture
def tree() -> Tree:
    tree = Tree(shape_of(Root), FILE)
    assert tree.merge(VALUES, FILE) == []
    return tree


def test_tables_merge_and_lists_replace(tree: Tree) -> None:
    tree.merge({"part": {"slope": 2.0}, "sizes": [7]}, OTHER)
    assert tree.values["part"] == {"type": "flat", "width": 4, "slope": 2.0}
    assert tree.values["sizes"] == [7]


def test_every_value_keeps_the_source_that_set_it_last(tree: Tree) -> None:
    tree.merge({"part": {"slope": 2.0}}, OTHER)
    assert tree.sources["part", "slope"] is OTHER
    assert tree.sources["part", "width"] is FILE


def test_what_is_merged_in_is_a_copy(tree: Tree) -> None:
    fragment: dict[str, object] = {"sizes": [1]}
    tree.merge(fragment, OTHER)
    fragment["sizes"].append(2)  # type: ignore[attr-defined]  # the test knows that it is a list
    assert tree.values["sizes"] == [1]


def test_another_type_drops_what_it_does_not_know_and_keeps_what_it_does(tree: Tree) -> None:
    tree.merge({"part": {"type": "step"}}, OTHER)
    assert tree.values["part"] == {"type": "step", "width": 4}
    assert ("part", "slope") not in tree.sources


def test_the_same_type_again_drops_nothing(tree: Tree) -> None:
    tree.merge({"part": {"type": "flat"}}, OTHER)
    assert tree.values["part"] == FLAT


def test_an_unknown_type_drops_nothing(tree: Tree) -> None:
    tree.merge({"part": {"type": "flatt"}}, OTHER)
    assert tree.values["part"] == {**FLAT, "type": "flatt"}


def test_of_keys_that_exclude_each_other_the_last_stays(tree: Tree) -> None:
    tree.merge({"start": {"step": 100}}, OTHER)
    assert tree.values["start"] == {"step": 100}
    tree.merge({"start": {"epoch": 2}}, FILE)
    assert tree.values["start"] == {"epoch": 2}
    assert tree.sources["start", "epoch"] is FILE
    assert ("start", "step") not in tree.sources


def test_a_position_changes_one_entry_of_a_list(tree: Tree) -> None:
    tree.merge({"parts": {"1": {"height": 9.0}}}, OTHER)
    assert tree.values["parts"] == [FLAT, {"type": "step", "width": 1, "height": 9.0}]
    assert tree.sources["parts", "1", "height"] is OTHER
    assert tree.sources["parts", "0", "slope"] is FILE


def test_a_star_changes_every_entry(tree: Tree) -> None:
    tree.merge({"parts": {"*": {"width": 8}}}, OTHER)
    assert [part["width"] for part in tree.values["parts"]] == [8, 8]  # type: ignore[attr-defined]  # a list


def test_an_entry_of_another_type_is_pruned_alone(tree: Tree) -> None:
    tree.merge({"parts": {"0": {"type": "step", "height": 1.0}}}, OTHER)
    assert tree.get(("parts", "0")) == {"type": "step", "width": 4, "height": 1.0}


def test_a_position_in_a_plain_list_moves_the_source_of_the_whole_list(tree: Tree) -> None:
    tree.merge({"sizes": {"0": 9}}, OTHER)
    assert tree.values["sizes"] == [9, 4]
    assert tree.sources["sizes",] is OTHER


@pytest.mark.parametrize("position", ["2", "-1", "first"])
def test_a_position_that_a_list_does_not_have_is_a_misfit(tree: Tree, position: str) -> None:
    misfits = tree.merge({"parts": {position: {"width": 8}}}, OTHER)
    assert misfits == [f"parts: found entry {position}, allowed: 0 to 1 or *"]
    assert tree.values == VALUES


def test_withdrawing_a_source_removes_its_values_and_the_tables_that_it_leaves_empty() -> None:
    tree = Tree(shape_of(Root), FILE)
    tree.merge({"part": FLAT, "parts": [FLAT], "sizes": [1]}, OTHER)
    tree.merge({"part": {"width": 9}}, FILE)
    tree.withdraw(OTHER)
    assert tree.values == {"part": {"width": 9}}
    assert tree.sources == {("part", "width"): FILE}


def test_an_empty_table_has_a_source_and_yields_it_to_another_empty_table() -> None:
    tree = Tree(shape_of(Root), FILE)
    tree.merge({"part": {}}, OTHER)
    tree.merge({"part": {}}, FILE)
    tree.withdraw(OTHER)
    assert tree.values == {"part": {}}


def test_an_empty_table_laid_over_a_full_one_changes_nothing(tree: Tree) -> None:
    tree.merge({"part": {}}, OTHER)
    assert tree.values == VALUES
    assert OTHER not in tree.sources.values()


def test_a_new_owner_takes_the_table_but_not_what_others_set_in_it() -> None:
    tree, third = Tree(shape_of(Root), FILE), Source("third.toml")
    tree.own("part", FILE)
    tree.merge({"part": FLAT, "sizes": [1]}, FILE)
    tree.merge({"part": {"slope": 3.0}}, OTHER)
    tree.merge({"part": {"width": 9}}, third)
    tree.own("part", third)
    assert tree.values == {"part": {"slope": 3.0, "width": 9}}
    assert tree.source_of(("part", "type")) is third


def test_restoring_takes_values_and_sources_of_the_other_tree(tree: Tree) -> None:
    changed = Tree(shape_of(Root), FILE)
    changed.merge(VALUES, FILE)
    changed.merge({"start": {"step": 3}, "parts": [], "part": {"slope": 3.0}}, OTHER)
    for key in ("start", "parts", "part"):
        changed.restore((key,), tree)
    assert changed.values == VALUES
    assert changed.sources == tree.sources


def test_restoring_rebuilds_the_tables_above(tree: Tree) -> None:
    bare = Tree(shape_of(Root), FILE)
    bare.restore(("part", "slope"), tree)
    assert bare.values == {"part": {"slope": 0.5}}


def test_the_source_of_what_is_missing_is_the_one_of_its_neighbors(tree: Tree) -> None:
    tree.merge({"part": {"width": 9}}, OTHER)
    assert tree.source_of(("start", "nothing")) is FILE
    assert Tree(shape_of(Root), OTHER).source_of(("start",)) is OTHER


names = st.sampled_from(["a", "b", "c"])
fragments = st.recursive(
    st.dictionaries(names, st.integers() | st.lists(st.integers()), min_size=1, max_size=3),
    lambda below: st.dictionaries(names, below | st.integers(), min_size=1, max_size=3),
    max_leaves=8,
)


class Nothing(BaseModel):
    """A schema without unions, so that nothing is pruned."""


@given(first=fragments, second=fragments)
def test_the_second_fragment_wins_and_every_leaf_has_its_source(
    first: dict[str, object], second: dict[str, object]
) -> None:
    tree = Tree(shape_of(Nothing), FILE)
    tree.merge(first, FILE)
    # Merging a table into a list addresses its positions, which is another test's subject.
    misfits = tree.merge(second, OTHER)
    if not misfits:
        for leaf in leaves(second):
            if tree.sources.get(leaf) is OTHER:
                expected: object = second
                for part in leaf:
                    expected = expected[part]  # type: ignore[index]  # nested tables
                assert tree.get(leaf) == expected
    assert set(leaves(tree.values)) == set(tree.sources)
