"""Reading one YAML file: scalars, positions, aliases, and every way in which a file can be refused."""

import time
from pathlib import Path

import pytest

from twin.errors import InputError, Problem
from twin.scenario.text import BYTES_MAX, Place, parse, plain, positions, read


def refused(text: str) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        parse(text, "s.yaml")
    assert all(problem.file == "s.yaml" for problem in caught.value.problems)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-01-01", "2026-01-01"),
        ("2026-01-01 00:00:00", "2026-01-01 00:00:00"),
        ("12:30", "12:30"),
        ("yes", "yes"),
        ("true", True),
        ("~", None),
        ("60e6", 60e6),
        ("1.5e+3", 1500.0),
        ("1e6", 1e6),
        ("-.5", -0.5),
        ("7", 7),
        ("010", 10),
        ("1_000", 1000),
        ("0x10", 16),
        ("'7'", "7"),
        ("!!str 7", "7"),
        ("1.2.3", "1.2.3"),
    ],
)
def test_a_scalar_is_read_by_the_rules_of_yaml_1_2(text: str, value: object) -> None:
    read_value = plain(parse(f"a: {text}\n", "s.yaml"))["a"]
    assert read_value == value
    assert type(read_value) is type(value)


def test_every_key_path_has_the_line_of_its_key() -> None:
    places = positions(parse("a: 1\nb:\n  c:\n    - x\n    - {d: 2}\n", "s.yaml"))
    lines = {path: place.line for path, place in places.items()}
    assert lines == {
        (): 1,
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 3,
        ("b", "c", 0): 4,
        ("b", "c", 1): 5,
        ("b", "c", 1, "d"): 5,
    }


def test_an_alias_brings_the_anchors_content_and_a_merge_key_yields_to_own_keys() -> None:
    root = parse("a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd:\n  <<: [{y: 4}, *a]\n", "s.yaml")
    assert plain(root) == {"a": {"x": 1, "y": 2}, "b": {"x": 1, "y": 2}, "c": {"x": 1, "y": 3}, "d": {"x": 1, "y": 4}}
    assert positions(root)[("b",)] == Place("s.yaml", 2)
    assert positions(root)[("c", "x")] == Place("s.yaml", 1)


def test_a_byte_order_mark_and_windows_line_ends_are_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert plain(read(path)) == {"a": 1, "b": 2}


def test_all_keys_that_stand_twice_are_named_with_both_lines() -> None:
    first, second = refused("a: 1\nb: {c: 1,\n  c: 2}\na: 2\n")
    assert (first.line, first.key, first.message) == (3, "b.c", "stands twice, first on line 2")
    assert (second.line, second.key, second.remedy) == (4, "a", "keep one of the two")


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("a:\n\tb: 1\n", 2, "a tab stands where spaces must be"),
        ("a: 1\nb: [1,\n", 3, "is not YAML"),
        ("a: b: c\n", 1, "mapping values are not allowed here"),
        ("a: 1\nb: *x\n", 2, "the alias *x has no anchor &x"),
        ("a: 1\nb: &b [*b]\n", 2, "the alias *b stands inside its own anchor"),
        ("a: &a {<<: *a}\n", 1, "the alias *a stands inside its own anchor"),
        ("- a\n- b\n", 1, "must be a block of keys at its top level"),
        ("just text\n", 1, "must be a block of keys at its top level"),
        ("# only a comment\n", None, "is empty"),
        ("", None, "is empty"),
        ("a: 1\n---\nb: 2\n", 2, "more than one document"),
        ("a: 1\nb: \x01\n", 2, "control character #x01"),
        ("a: !!python/object:os.system x\n", 1, "is not understood"),
        ("a: !mine {}\n", 1, "is not understood"),
        ("a: 1\n2: 3\n", 2, "the key 2 is not text"),
        ("true: 3\n", 1, "the key true is not text"),
        ("? [1, 2]\n: 3\n", 1, "a key must be plain text"),
        ("a: {<<: 3}\n", 1, "<< must name a block"),
        ("a: " + "[" * 5000, 1, "nested deeper than 100 levels"),
        ("a: 1e999\n", 1, "too large"),
        ("a: " + "9" * 6000 + "\n", 1, "too large"),
    ],
)
def test_a_bad_file_is_refused_with_line_and_reason(text: str, line: int | None, part: str) -> None:
    problem = refused(text)[0]
    assert part in problem.message
    assert problem.line == line


@pytest.mark.parametrize("text", [".nan", ".inf", "-.inf", ".NaN"])
def test_nan_and_infinity_are_refused_with_line_and_key(text: str) -> None:
    (problem,) = refused(f"a:\n  b: {text}\n")
    assert (problem.line, problem.key, problem.remedy) == (2, "a.b", "write a finite number")
    assert text in problem.message


def test_an_alias_bomb_is_refused_in_less_than_a_second() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 20)]
    start = time.perf_counter()
    (problem,) = refused("\n".join(lines))
    assert time.perf_counter() - start < 1.0
    assert problem.message == "holds more than 200,000 entries once its aliases are written out"
    assert problem.line == 6


def test_a_file_that_is_not_utf_8_names_the_line(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"a: 1\nb: \xff\xfe\n")
    with pytest.raises(InputError) as caught:
        read(path)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.remedy) == (str(path), 2, "save it as UTF-8")


def test_a_file_longer_than_5_mb_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "s.yaml"
    path.write_bytes(b"#" * (BYTES_MAX + 1))
    with pytest.raises(InputError, match="is longer than 5 MB"):
        read(path)


def test_a_file_that_cannot_be_opened_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: Is a directory"):
        read(tmp_path)
