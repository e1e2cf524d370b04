"""The laws of merging: overrides, designs, files that extend files, catalogue blocks, ranges."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_model import Small

from twin.errors import InputError, Problem
from twin.scenario.load import load
from twin.scenario.merge import Notes, nested, override
from twin.scenario.ranges import Range, settle
from twin.scenario.study import Study
from twin.scenario.text import Node, Place, plain

Loader = Callable[..., "Study[Small]"]
Problems = Callable[..., list[Problem]]

BASE = """
name: small
sites:
  north: {feeders: {A: {rated_kw: 10}}, protection: {ups: {rated_kw: 5, modules: 3}}}
  south: {feeders: {A: {rated_kw: 20}, B: {rated_kw: 30}}, steps: [1, 2, 3]}
"""

KEYS = st.sampled_from(["a", "b", "c", "low", "high"])
SCALARS = st.integers(-3, 3) | st.text("xyz", max_size=3) | st.booleans()
TREES = st.recursive(SCALARS | st.lists(SCALARS, max_size=3), lambda below: st.dictionaries(KEYS, below, max_size=4))
BLOCKS = st.dictionaries(KEYS, TREES, max_size=4)


def node(value: Any) -> Node:
    place = Place("s.yaml", 1)
    if isinstance(value, dict):
        return Node({key: node(child) for key, child in value.items()}, place)
    return Node([node(child) for child in value] if isinstance(value, list) else value, place)


def merged(base: Any, over: Any) -> Any:
    notes = Notes()
    result = settle(override(node(base), nested(node(over), notes), notes), notes).tree
    assert not notes.problems
    return result


@given(BLOCKS)
def test_an_override_with_itself_changes_nothing(block: dict[str, Any]) -> None:
    assert merged(block, block) == block


@given(BLOCKS, BLOCKS)
def test_an_override_laid_on_twice_is_the_same_as_once(base: dict[str, Any], over: dict[str, Any]) -> None:
    once = merged(base, over)
    assert merged(once, over) == once


@given(BLOCKS)
def test_a_null_removes_a_key_and_leaves_the_others(block: dict[str, Any]) -> None:
    for key in block:
        assert merged(block, {key: None}) == {name: value for name, value in block.items() if name != key}


@given(BLOCKS, BLOCKS, BLOCKS)
def test_overrides_of_different_keys_may_come_in_any_order(a: Any, b: Any, base: Any) -> None:
    b = {key: value for key, value in b.items() if key not in a}
    assert merged(merged(base, a), b) == merged(merged(base, b), a)


def test_mappings_merge_and_lists_and_scalars_replace() -> None:
    base = {"m": {"a": 1, "b": 2}, "l": [1, 2, 3], "s": 1}
    assert merged(base, {"m": {"b": 3, "c": 4}, "l": [9], "s": "x"}) == {
        "m": {"a": 1, "b": 3, "c": 4},
        "l": [9],
        "s": "x",
    }


def test_dotted_nested_and_starred_overrides_say_the_same() -> None:
    base = {"sites": {"n": {"p": {"a": 1}}, "s": {"p": {"a": 2, "b": 3}}}}
    wanted = {"sites": {"n": {"p": {"a": 7}}, "s": {"p": {"a": 7, "b": 3}}}}
    for over in ({"sites.*.p.a": 7}, {"sites": {"*": {"p": {"a": 7}}}}, {"sites.n.p.a": 7, "sites": {"s.p": {"a": 7}}}):
        assert merged(base, over) == wanted


def test_a_named_entry_wins_over_the_star_in_any_order() -> None:
    base = {"sites": {"n": {"a": 1}, "s": {"a": 2}}}
    for over in ({"sites.n.a": 8, "sites.*.a": 7}, {"sites.*.a": 7, "sites.n.a": 8}):
        assert merged(base, over) == {"sites": {"n": {"a": 8}, "s": {"a": 7}}}


def test_a_block_of_another_law_or_kind_replaces_instead_of_merging() -> None:
    base = {"d": {"law": "lognormal", "median": 1, "sigma": 2}}
    assert merged(base, {"d": {"law": "exponential", "mean": 3}}) == {"d": {"law": "exponential", "mean": 3}}
    assert merged(base, {"d": {"law": "lognormal", "median": 3}}) == {
        "d": {"law": "lognormal", "median": 3, "sigma": 2}
    }
    assert merged({"d": {"value": 1, "low": 0, "high": 2}}, {"d": {"law": "fixed"}}) == {"d": {"law": "fixed"}}
    assert merged(base, {"d": {"value": 4}}) == {"d": 4}


def test_designs_follow_like_chains_and_keep_their_order(study: Loader) -> None:
    loaded = study(
        BASE
        + """
designs:
  plus: {like: bare, sites.*.feeders.A.rated_kw: 99}
  bare: {sites.north.protection: {ups: null}}
  same: {}
"""
    )
    assert list(loaded.designs) == ["plus", "bare", "same"]
    assert loaded.base.sites["north"].protection.ups is not None
    assert loaded.designs["same"] == loaded.base
    assert loaded.designs["bare"].sites["north"].protection.ups is None
    assert loaded.designs["plus"].sites["north"].protection.ups is None
    assert [site.feeders["A"].rated_kw for site in loaded.designs["plus"].sites.values()] == [99, 99]
    assert loaded.design_differences("bare")[0][0] == "sites.north.protection.ups"
    assert ("sites.south.feeders.A.rated_kw", 20.0, 99.0) in loaded.design_differences("plus")


def test_without_designs_the_base_is_the_one_design(study: Loader) -> None:
    loaded = study(BASE)
    assert loaded.designs == {"base": loaded.base}
    assert loaded.design_differences("base") == []


@pytest.mark.parametrize(
    ("design", "key", "part", "remedy"),
    [
        ("b: {like: aa}", "designs.b.like", "no design 'aa'", "did you mean a?"),
        ("b: {like: c}\n  c: {like: b}", "designs.c.like", "the chain of like comes back to b", None),
        ("b: {like: b}", "designs.b.like", "the chain of like comes back to b", None),
        ("b: 3", "designs.b", "must be a block of overrides", "write {} for a design without overrides"),
        ("b:", "designs.b", "must be a block of overrides", "write {} for a design without overrides"),
        ("base: {}", "designs.base", "cannot be the name of a design", None),
        ("b: {designs: {}}", "designs.b.designs", "cannot stand inside a design", None),
        ("b: {sites.n..x: 1}", "designs.b: sites.n..x", "empty part", "write one dot between names"),
        (
            "b: {sites.north.steps: [1], sites: {north: {steps: [2]}}}",
            "designs.b: sites.north.steps",
            "is set twice",
            None,
        ),
        ("b: {jobs.*.gpus: 3}", "designs.b: jobs.*", "* matches nothing", None),
        ("b: {sites.west: null}", "designs.b: sites.west", "nothing to remove", "known here: north, south"),
        ("b: {sites.*.stepps: null}", "designs.b: sites.north.stepps", "unknown key", "did you mean steps?"),
        ("b: {sites.north.steps.x: 1}", "designs.b: sites.north.steps", "must be a list", None),
    ],
)
def test_a_bad_design_is_named_with_its_line(problems: Problems, design: str, key: str, part: str, remedy: str) -> None:
    problem = problems(f"{BASE}designs:\n  a: {{}}\n  {design}\n")[0]
    assert problem.key == key
    assert part in problem.message
    assert remedy is None or problem.remedy == remedy
    assert problem.line == (9 if "\n" in design else 8)


def test_removing_what_only_one_of_all_sites_has_is_right(study: Loader) -> None:
    loaded = study(BASE + "designs:\n  b: {sites.*.protection: null, sites.*.feeders.B: null}\n")
    assert set(loaded.designs["b"].sites["south"].feeders) == {"A"}


def test_a_file_overrides_the_file_that_it_extends(write: Callable[..., Path]) -> None:
    write(BASE + "designs:\n  a: {sites.north.feeders.A.rated_kw: 1}\n  gone: {}\n", "base/far.yaml")
    write("extends: far.yaml\nname: middle\n", "base/near.yaml")
    path = write(
        "extends: base/near.yaml\nsites.*.export_allowed: true\nsites: {north: {feeders: {A: {rated_kw: 11}}}}\n"
        "designs: {a: {sites.*.steps: [5]}, gone: null, new: {like: a}}\n"
    )
    loaded = load(path, Small)
    assert loaded.name == "middle"
    assert loaded.base.sites["north"].feeders["A"].rated_kw == 11
    assert all(site.export_allowed for site in loaded.base.sites.values())
    assert list(loaded.designs) == ["a", "new"]
    assert loaded.designs["new"].sites["north"].feeders["A"].rated_kw == 1
    assert loaded.designs["new"].sites["south"].steps == (5,)


def test_an_error_names_the_file_and_line_of_the_layer_that_made_it(write: Callable[..., Path]) -> None:
    below = write(BASE.replace("rated_kw: 30", "rated_kw: -30"), "below.yaml")
    path = write("extends: below.yaml\n\nsites.north.feeders.A.rated_kw: 0\ndesigns:\n  d:\n    sites.south.steps: x\n")
    with pytest.raises(InputError) as caught:
        load(path, Small)
    places = {problem.key: (problem.file, problem.line) for problem in caught.value.problems}
    assert places == {
        "sites.south.feeders.B.rated_kw": (str(below), 5),
        "sites.north.feeders.A.rated_kw": (str(path), 3),
        "designs.d: sites.south.steps": (str(path), 6),
    }


@pytest.mark.parametrize(
    ("link", "part"),
    [
        ("s.yaml", "comes back to s.yaml"),
        ("b.yaml", "comes back to s.yaml"),
        ("bb.yaml", "no file bb.yaml"),
        ("[1]", "name"),
    ],
)
def test_a_bad_extends_is_refused(write: Callable[..., Path], link: str, part: str) -> None:
    write("extends: s.yaml\n", "b.yaml")
    path = write(f"name: x\nextends: {link}\n")
    with pytest.raises(InputError) as caught:
        load(path, Small)
    (problem,) = caught.value.problems
    assert part in problem.message
    assert problem.key == "extends"
    assert problem.remedy == ("did you mean b.yaml?" if link == "bb.yaml" else None)


def test_a_type_stands_on_a_catalogue_block_and_own_keys_win(study: Loader) -> None:
    loaded = study(
        """
sites: {n: {feeders: {}, protection: {ups: {type: big, modules: 9}}, rows: [{type: small}]}}
catalogue:
  small: {rated_kw: 5, modules: 2, auxiliary_kw: 1}
  big: {type: small, rated_kw: 50}
designs:
  swapped: {sites.n.protection.ups.type: small}
  retyped: {catalogue.small.auxiliary_kw: 7}
  quiet: {sites.n.protection.ups.auxiliary_kw: null}
"""
    )
    ups = loaded.base.sites["n"].protection.ups
    assert ups is not None
    assert (ups.rated_kw, ups.modules, ups.auxiliary_kw) == (50, 9, 1)
    assert loaded.base.sites["n"].rows[0].rated_kw == 5
    assert loaded.design_differences("swapped") == [("sites.n.protection.ups.rated_kw", 50.0, 5.0)]
    assert loaded.design_differences("quiet") == [("sites.n.protection.ups.auxiliary_kw", 1.0, 0.0)]
    assert [one[2] for one in loaded.design_differences("retyped")] == [7.0, [{**ups_of(5, 2, 7)}]]


def ups_of(rated_kw: float, modules: int, auxiliary_kw: float) -> dict[str, Any]:
    return {"source": None, "rated_kw": rated_kw, "modules": modules, "auxiliary_kw": auxiliary_kw}


@pytest.mark.parametrize(
    ("catalogue", "part", "key"),
    [
        ("{bigg: {rated_kw: 1}}", "no block 'big' in the catalogue", "sites.n.protection.ups.type"),
        ("{}", "no block 'big' in the catalogue", "sites.n.protection.ups.type"),
        ("{big: 3}", "must be a block of keys", "catalogue.big"),
        ("[]", "must be a block of named blocks", "catalogue"),
        ("{big: {type: bag}, bag: {type: big}}", "stands on itself", "sites.n.protection.ups.type"),
        ("{big: {inner: {type: big}}}", "stands on itself", "sites.n.protection.ups.inner.type"),
    ],
)
def test_a_bad_type_is_refused(problems: Problems, catalogue: str, part: str, key: str) -> None:
    text = f"sites: {{n: {{feeders: {{}}, protection: {{ups: {{type: big, rated_kw: 3}}}}}}}}\ncatalogue: {catalogue}\n"
    found = [problem for problem in problems(text) if part in problem.message]
    assert key in [problem.key for problem in found]
    assert "bigg" not in catalogue or found[0].remedy == "did you mean bigg?"


def test_a_catalogue_that_unfolds_without_end_is_refused(problems: Problems) -> None:
    blocks = [f"  b{i}: {{x: {{type: b{i + 1}}}, y: {{type: b{i + 1}}}}}" for i in range(40)]
    (problem,) = problems("a: {type: b0}\ncatalogue:\n" + "\n".join(blocks) + "\n  b40: {}\n")
    assert "the catalogue unfolds into more than" in problem.message


def test_a_range_becomes_its_value_and_is_written_down(study: Loader) -> None:
    loaded = study(
        """
sites:
  n:
    feeders:
      A:
        rated_kw: {value: 5, low: 1, high: 9, source: a guess}
        failure_probability: {value: 0.5, source: a book}
designs:
  d: {sites.n.feeders.A.rated_kw: {high: 20}}
  fixed: {sites.n.feeders.A.rated_kw: 6}
"""
    )
    path = ("sites", "n", "feeders", "A", "rated_kw")
    assert loaded.base.sites["n"].feeders["A"].rated_kw == 5
    assert loaded.ranges == {path: Range(5, 1, 9, "a guess")}
    assert loaded.design_ranges["d"] == {path: Range(5, 1, 20, "a guess")}
    assert loaded.design_ranges["fixed"] == {}
    assert loaded.sources == {path: "a guess", (*path[:-1], "failure_probability"): "a book"}


@pytest.mark.parametrize(
    ("block", "key", "part"),
    [
        ("{value: 5, low: 6, high: 9}", "rated_kw", "value 5 is below low 6"),
        ("{value: 5, low: 1, high: 4}", "rated_kw", "value 5 is above high 4"),
        ("{value: 5, low: 7, high: 3}", "rated_kw", "low 7 is above high 3"),
        ("{value: 5, low: 1}", "rated_kw", "has low but no high"),
        ("{value: 5, low: x, high: 9}", "rated_kw.low", "must be a number"),
        ("{value: 5, low: -1, high: 9}", "rated_kw.low", "must be greater than 0, is -1"),
        ("{value: 5, source: 3}", "rated_kw.source", "must be text"),
        ("{value: -5, low: -6, high: 9}", "rated_kw", "must be greater than 0, is -5"),
    ],
)
def test_a_bad_range_is_refused(problems: Problems, block: str, key: str, part: str) -> None:
    found = {
        problem.key: problem
        for problem in problems(f"sites:\n  n:\n    feeders:\n      A:\n        rated_kw: {block}\n")
    }
    assert len(found) == 1
    problem = found[f"sites.n.feeders.A.{key}"]
    assert part in problem.message
    assert problem.line == 5


def test_a_law_with_a_key_named_value_is_not_a_range() -> None:
    notes = Notes()
    block = {"a": {"law": "fixed", "value": 3}, "b": {"value": 3, "more": 1}, "c": {"low": 1, "high": 2}}
    settled = settle(node(block), notes)
    assert (settled.tree, settled.ranges) == (block, {})
    assert plain(node(block)) == block
