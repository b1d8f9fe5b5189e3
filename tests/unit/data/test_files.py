"""A file is read as it is meant: any dialect of CSV, and what is no value of its column is told."""

import gzip
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.data.files import columns, read_file, repeated_names
from seaway.errors import DataUnreadable, InvalidSpec

NUMBERS = st.lists(st.floats(-1e6, 1e6).map(lambda value: round(value, 2)), min_size=2, max_size=20)


def written(folder: Path, text: str, encoding: str = "utf-8", name: str = "rows.csv") -> Path:
    (folder / name).write_bytes(text.encode(encoding))
    return folder / name


def kinds(path: Path) -> dict[str, str]:
    return {column.name: column.kind for column in columns(path)[1]}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_dialects_and_encodings_are_found_out(tmp_path: Path, encoding: str, separator: str) -> None:
    lines = [["größe", "stadt", "da"], ["1.5", "Köln", "true"], ["2", '"a, b; c"', "false"], ["", "", ""]]
    path = written(tmp_path, "\n".join(separator.join(line) for line in lines) + "\n", encoding)
    assert kinds(path) == {"größe": "number", "stadt": "text", "da": "truth"}
    table = read_file(str(path), kinds(path))
    assert table.to_pydict() == {"größe": [1.5, 2, None], "stadt": ["Köln", "a, b; c", None], "da": [1, 0, None]}


@settings(max_examples=25, deadline=None)
@given(values=NUMBERS)
def test_numbers_with_a_decimal_comma_are_the_same_numbers(
    tmp_path_factory: pytest.TempPathFactory, values: list[float]
) -> None:
    texts = [f"{value:,.2f}".translate(str.maketrans(",.", ".,")) for value in values]
    path = written(tmp_path_factory.mktemp("comma"), "x;y\n" + "".join(f"{text};a\n" for text in texts))
    (x, _) = columns(path)[1]
    assert x.kind == "decimal comma"
    assert read_file(str(path), {"x": x.kind})["x"].to_pylist() == values


def test_values_that_are_none_of_their_column_are_told_and_missing(tmp_path: Path) -> None:
    rows = [*(str(number) for number in range(96)), "n/a", "?", "inf", "about 5"]
    path = written(tmp_path, "x\n" + "\n".join(rows) + "\n")
    count, (x,) = columns(path)
    assert (count, x.kind, x.missing, x.strangers, x.strange) == (100, "number", 4, 2, ("about 5", "inf"))
    assert (x.low, x.high, x.whole, x.distinct) == (0, 95, True, 96)
    assert read_file(str(path), {"x": "number"})["x"].null_count == 4


def test_a_column_of_many_kinds_is_text(tmp_path: Path) -> None:
    path = written(tmp_path, "x\n1\ntwo\n3\nfour\n")
    assert kinds(path) == {"x": "text"}


def test_times_are_utc_and_quotes_in_names_are_no_sql(tmp_path: Path) -> None:
    path = written(tmp_path, 'at,"x""; DROP TABLE rows; --"\n2024-01-01T10:00:00+02:00,1\n2024-01-02,2\n')
    found = kinds(path)
    assert list(found.values()) == ["time", "number"]
    table = read_file(str(path), found)
    assert table["at"].cast("int64").to_pylist()[0] == pd.Timestamp("2024-01-01T08:00:00Z").value // 1000
    assert table.column_names[1] == 'x"; DROP TABLE rows; --'


def test_parquet_keeps_what_it_says_and_lists_are_other(tmp_path: Path) -> None:
    frame = pd.DataFrame({"n": [1.5, None], "t": ["a", "b"], "b": [True, False], "l": [[1], [2, 3]]})
    frame.to_parquet(tmp_path / "rows.parquet")
    assert kinds(tmp_path / "rows.parquet") == {"n": "number", "t": "text", "b": "truth", "l": "other"}


def test_what_cannot_be_read_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="does not exist"):
        columns(tmp_path / "none.csv")
    with pytest.raises(DataUnreadable, match="no file of rows by its name"):
        columns(written(tmp_path, "x", name="rows.xlsx"))
    with pytest.raises(DataUnreadable, match="cannot be read"):
        columns(written(tmp_path, "no parquet", name="rows.parquet"))
    with pytest.raises(DataUnreadable, match="no column z"):
        read_file(str(written(tmp_path, "x,y\n1,2\n")), {"z": "text"})
    with pytest.raises(InvalidSpec, match="cannot be read as 'colour'"):
        read_file(str(written(tmp_path, "x,y\n1,2\n")), {"x": "colour"})


@pytest.mark.parametrize(
    ("texts", "kind", "value"),
    [
        (["1,200", "34", "5,678.5"], "thousands comma", 1200.0),
        (["1,2", "34", "5.678,5"], "decimal comma", 1.2),
        (["13.05.2020", "1.6.2020", "31.12.2021"], "time %d.%m.%Y", pd.Timestamp("2020-05-13", tz="UTC")),
        (["5/13/2020", "6/1/2020"], "time %m/%d/%Y", pd.Timestamp("2020-05-13", tz="UTC")),
        (["13/5/2020", "1/6/2020"], "time %d/%m/%Y", pd.Timestamp("2020-05-13", tz="UTC")),
        (["2", "1.6.2020", "x"], "text", "2"),
        (["$1,200.50", "-$34", "5"], "thousands comma with unit", 1200.5),
        (["1,50 €", "€34", "1.005,75€"], "decimal comma with unit", 1.5),
        (["12.5%", "3 %", "n/a"], "number with unit", 12.5),
        (["$1 a day", "$2 a day", "3"], "text", "$1 a day"),
    ],
)
def test_numbers_and_dates_are_read_as_people_write_them(
    tmp_path: Path, texts: list[str], kind: str, value: object
) -> None:
    path = written(tmp_path, "x\n" + "".join(f'"{text}"\n' for text in texts))
    assert kinds(path) == {"x": kind}
    assert read_file(str(path), {"x": kind})["x"].to_pylist()[0] == value


def test_columns_of_one_name_are_kept_apart_and_told(tmp_path: Path) -> None:
    path = written(tmp_path, "\n".join(["x;y;x", "1;a;2", "3;b;4"]), "utf-8-sig")
    assert repeated_names(path) == {"x": 2}
    assert read_file(str(path), kinds(path)).to_pydict() == {"x": [1, 3], "y": ["a", "b"], "x_1": [2, 4]}


def test_a_line_break_in_quotes_belongs_to_its_value(tmp_path: Path) -> None:
    path = written(tmp_path, 'a,b\n"one\ntwo",1\n"three, four",2\n')
    assert read_file(str(path), kinds(path)).to_pydict() == {"a": ["one\ntwo", "three, four"], "b": [1, 2]}


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_file_of_two_encodings_is_refused_with_the_line(tmp_path: Path, ending: str) -> None:
    """Read as Latin-1, as a file of that is, the first line would be other words without a word."""
    lines = ['{"a": "Köln", "b": 1}', '{"a": "Bonn", "b": 2}', '{"a": "Köln", "b": 3}']
    lines = lines if ending == "jsonl" else ["a,b", "Köln,1", "Köln,2"]
    path = tmp_path / f"rows.{ending}"
    path.write_bytes("\n".join(lines[:2]).encode() + b"\n" + lines[2].encode("latin-1"))
    with pytest.raises(DataUnreadable, match=rf"rows\.{ending}:3 is no UTF-8, and other lines are"):
        columns(path)


def test_wide_characters_that_are_cut_off_are_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_bytes("a,b\nKöln,1\n".encode("utf-16")[:-1])
    with pytest.raises(DataUnreadable, match=r"rows\.csv is cut off or damaged"):
        columns(path)


def test_latin_1_is_never_taken_for_wide_characters(tmp_path: Path) -> None:
    path = written(tmp_path, "a,b\nJosé,1\nMüller,2\n", "latin-1")
    assert read_file(str(path), kinds(path))["a"].to_pylist() == ["José", "Müller"]


def test_lines_of_json_are_a_table_and_mixed_values_texts(tmp_path: Path) -> None:
    lines = ['{"n": 1, "t": "a", "l": [1], "m": 1}', '{"n": "n/a", "t": null, "m": "x"}', '{"n": 2.5, "t": "b"}']
    path = written(tmp_path, "\n".join(lines), name="rows.jsonl")
    assert kinds(path) == {"n": "number", "t": "text", "l": "other", "m": "text"}
    found = read_file(str(path), {"n": "number", "t": "text", "m": "text"})
    assert found.to_pydict() == {"n": [1, None, 2.5], "t": ["a", None, "b"], "m": ["1", "x", None]}


def test_a_packed_file_is_read_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "rows.csv.gz").write_bytes(gzip.compress(b"x,y\n1,a\n2,b\n"))
    assert kinds(tmp_path / "rows.csv.gz") == {"x": "number", "y": "text"}


def test_a_class_has_no_name_that_says_that_there_is_none(tmp_path: Path) -> None:
    path = written(tmp_path, "x\nyes\nNA\nno\n?\n")
    assert read_file(str(path), {"x": "class"})["x"].to_pylist() == ["yes", None, "no", None]
    assert read_file(str(path), {"x": "text"})["x"].to_pylist() == ["yes", "NA", "no", "?"]


def test_a_column_that_is_optional_may_be_missing_and_is_empty_then(tmp_path: Path) -> None:
    (tmp_path / "recent.csv").write_text("x;plan\n1,5;a\n2,5;b\n")
    kinds = {"x": "decimal comma", "out": "class", "paid": "number"}
    rows = read_file(str(tmp_path / "recent.csv"), kinds, optional=["out", "paid"])
    assert (rows["x"].to_pylist(), rows["out"].null_count, rows["paid"].null_count) == ([1.5, 2.5], 2, 2)
    with pytest.raises(DataUnreadable, match="has no column paid;"):
        read_file(str(tmp_path / "recent.csv"), kinds, optional=["out"])
