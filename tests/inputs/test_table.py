"""The CSV reader: every kind of bad file gives one message with the file and the row."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from twin.errors import InputError, Problem
from twin.inputs.table import read_table


def written(path: Path, text: str | bytes) -> Path:
    data = text.encode() if isinstance(text, str) else text
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def read_kw(path: Path, *required: str, **bounds: object) -> None:
    table = read_table(path, required)
    table.numbers("kw", **bounds)
    table.refuse()


def problems_of(path: Path, *required: str, **bounds: object) -> list[Problem]:
    with pytest.raises(InputError) as caught:
        read_kw(path, *required, **bounds)
    assert {problem.file for problem in caught.value.problems} == {str(path)}
    return caught.value.problems


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_plain_and_gzipped_files_read_alike(tmp_path, name):
    table = read_table(written(tmp_path / name, "name,kw\na,1.5\nb,2\n"), ["kw"])
    assert table.columns["name"] == ("a", "b")
    np.testing.assert_array_equal(table.numbers("kw"), [1.5, 2.0])
    table.refuse()


def test_a_byte_order_mark_and_windows_line_ends_change_nothing(tmp_path):
    table = read_table(written(tmp_path / "a.csv", b"\xef\xbb\xbfname,kw\r\na,1\r\nb,2\r\n"))
    assert table.columns["name"] == ("a", "b")
    np.testing.assert_array_equal(table.numbers("kw"), [1.0, 2.0])
    np.testing.assert_array_equal(table.lines, [2, 3])


@pytest.mark.parametrize("text", ["name,kw\na,1\nb,2\n", "name,kw\na,1\n,\n", "kw,name\n", "name,kw\na b,1\x0b\n"])
def test_quotes_and_line_ends_change_no_cell(tmp_path, text):
    quoted = "".join(",".join(f'"{cell}"' for cell in row.split(",")) + "\r\n" for row in text[:-1].split("\n"))
    tables = []
    for variant in (text, text[:-1], quoted):
        try:
            table = read_table(written(tmp_path / "a.csv", variant))
        except InputError as error:
            tables.append(str(error))
        else:
            tables.append((table.columns, table.lines.tolist(), table.faults))
    assert tables[0] == tables[1] == tables[2]


def test_a_missing_file_is_named(tmp_path):
    assert "no such file" in problems_of(tmp_path / "a.csv")[0].message


def test_a_folder_is_no_file(tmp_path):
    assert "cannot be read" in problems_of(tmp_path)[0].message


@pytest.mark.parametrize("text", ["", "\n\n"])
def test_an_empty_file_is_refused(tmp_path, text):
    assert "empty" in problems_of(written(tmp_path / "a.csv", text))[0].message


def test_an_empty_gzip_file_is_refused(tmp_path):
    assert "empty" in problems_of(written(tmp_path / "a.csv.gz", ""))[0].message


def test_a_header_without_rows_is_refused(tmp_path):
    assert "no rows" in problems_of(written(tmp_path / "a.csv", "name,kw\n"))[0].message


def test_missing_columns_are_all_named_with_the_nearest_one_there(tmp_path):
    first, second = problems_of(written(tmp_path / "a.csv", "name,rated_kw\na,1\n"), "rated_kwh", "volts")
    assert (first.line, first.remedy) == (1, "did you mean 'rated_kw'?")
    assert "'volts'" in second.message
    assert second.remedy == "columns: name, rated_kw"


def test_a_column_there_twice_is_refused(tmp_path):
    assert "'kw' is there twice" in problems_of(written(tmp_path / "a.csv", "kw,kw\n1,2\n"))[0].message


def long_file(path: Path) -> Path:
    """5,000 rows that gzip packs about equally, so that half of the file holds half of the rows."""
    rows = "".join(f"{row + 10_000},{row * 7919 % 10_007}\n" for row in range(5_000))
    return written(path, "name,kw\n" + rows)


@pytest.mark.parametrize("fraction", [0.3, 0.8])
def test_a_truncated_file_names_its_row(tmp_path, fraction):
    path = long_file(tmp_path / "a.csv.gz")
    data = path.read_bytes()
    path.write_bytes(data[: int(fraction * len(data))])
    (problem,) = problems_of(path)
    assert "truncated" in problem.message
    assert problem.line == pytest.approx(5_000 * fraction, abs=200)


def test_a_file_cut_in_its_checksum_is_truncated(tmp_path):
    path = written(tmp_path / "a.csv.gz", "name,kw\na,1\n")
    path.write_bytes(path.read_bytes()[:-2])
    assert "truncated" in problems_of(path)[0].message


def test_a_broken_gzip_file_names_its_row(tmp_path):
    path = long_file(tmp_path / "a.csv.gz")
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 200] = b"\xff" * 200
    path.write_bytes(data)
    (problem,) = problems_of(path)
    assert "broken" in problem.message
    assert problem.line == pytest.approx(2_500, abs=300)


def test_a_plain_file_named_gz_is_refused(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_text("name,kw\na,1\n")
    assert "not gzip" in problems_of(path)[0].message


def test_text_that_is_not_utf8_names_its_row(tmp_path):
    (problem,) = problems_of(written(tmp_path / "a.csv", "name,kw\na,1\nbäume,2\n".encode("latin-1")))
    assert problem.line == 3
    assert "UTF-8" in problem.message


def test_an_open_quote_names_the_row_where_it_starts(tmp_path):
    assert problems_of(written(tmp_path / "a.csv", 'name,kw\na,1\n"b,2\nc,3\n'))[0].line == 3


def test_short_and_long_rows_are_named_together_with_bad_numbers(tmp_path):
    problems = problems_of(written(tmp_path / "a.csv", "name,kw\na\nb,x\nc,1\nd,1,2\n"))
    assert [(problem.line, problem.message) for problem in problems] == [
        (2, "the row has 1 cells, the header 2"),
        (3, "'x' is not a number"),
        (5, "the row has 3 cells, the header 2"),
    ]
    assert problems[1].key == "kw"


def test_row_numbers_count_blank_lines_and_lines_within_quotes(tmp_path):
    path = written(tmp_path / "a.csv", 'name,kw\n\n"a\nb",1\nc,x\n')
    assert [problem.line for problem in problems_of(path)] == [5]


@pytest.mark.parametrize(
    ("cell", "bounds", "message"),
    [
        ("nan", {}, "nan is not a finite number"),
        ("inf", {}, "inf is not a finite number"),
        ("", {}, "is empty"),
        ("twelve", {}, "'twelve' is not a number"),
        ("-1", {"minimum": 0.0}, "-1 must not be below 0"),
        ("0", {"above": 0.0}, "0 must be above 0"),
        ("1.5", {"whole": True}, "1.5 must be a whole number"),
        ("1e300", {"whole": True}, "1e300 must be a whole number"),
        ("x", {"blank_is_nan": True}, "'x' is not a number"),
        ("nan", {"blank_is_nan": True}, "nan is not a finite number"),
    ],
)
def test_a_bad_cell_is_named_once_with_row_and_column(tmp_path, cell, bounds, message):
    (problem,) = problems_of(written(tmp_path / "a.csv", f"name,kw\na,1\nb,{cell}\n"), **bounds)
    assert (problem.line, problem.key, problem.message) == (3, "kw", message)


def test_blank_cells_can_stand_for_no_value(tmp_path):
    table = read_table(written(tmp_path / "a.csv", "name,kw\na,1\nb,\n"))
    np.testing.assert_array_equal(table.numbers("kw", blank_is_nan=True), [1.0, np.nan])
    table.refuse()


def test_ten_bad_rows_are_named_and_the_others_counted(tmp_path):
    problems = problems_of(written(tmp_path / "a.csv", "name,kw\n" + "a,x\n" * 25))
    assert [problem.line for problem in problems[:-1]] == list(range(2, 12))
    assert problems[-1].message == "and 15 more"


def test_kept_rows_keep_their_row_numbers(tmp_path):
    table = read_table(written(tmp_path / "a.csv", "name,kw\na,1\nb,2\nc,-3\n")).keep(np.array([False, True, True]))
    table.numbers("kw", minimum=0.0)
    with pytest.raises(InputError, match=r"a\.csv:4: kw"):
        table.refuse()
