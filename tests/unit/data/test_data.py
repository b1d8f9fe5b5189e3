"""Ingesting and validating: bad input is told apart, named, and leaves nothing half written."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from pandera.pandas import Check, Column, DataFrameSchema
from pyarrow import parquet
from seaway.data import Availability, RuleSet, TableRules, ingest, validate
from seaway.errors import DataUnreadable, InvalidSpec, ValidationFailed
from seaway_examples.flights.source import parse_months, parse_rows

HERE = __name__


def two_tables(rows: int = 2) -> dict[str, pa.Table]:
    return {"a": pa.table({"x": list(range(rows))}), "b": pa.table({"y": ["p", "q"]})}


def no_tables() -> dict[str, pa.Table]:
    return {}


def test_each_table_becomes_a_file_with_rows_schema_and_hash(tmp_path):
    tables = ingest(f"{HERE}:two_tables", {"rows": 3}, tmp_path)
    assert tables.rows == {"a": 3, "b": 2}
    assert tables.schema == {"a": {"x": "int64"}, "b": {"y": "string"}}
    assert parquet.read_table(tmp_path / "a.parquet")["x"].to_pylist() == [0, 1, 2]
    assert ingest(f"{HERE}:two_tables", {"rows": 3}, tmp_path).sha256 == tables.sha256
    assert ingest(f"{HERE}:two_tables", {"rows": 4}, tmp_path).sha256 != tables.sha256


def test_an_unknown_option_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(InvalidSpec, match="no option mnths; it takes rows"):
        ingest(f"{HERE}:two_tables", {"mnths": "1"}, tmp_path)


def test_an_empty_table_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(DataUnreadable, match="no rows for a"):
        ingest(f"{HERE}:two_tables", {"rows": 0}, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    with pytest.raises(DataUnreadable, match="no table"):
        ingest(f"{HERE}:no_tables", {}, tmp_path / "out")


@pytest.mark.parametrize("months", [None, "", "all", " ALL ", [], list(range(1, 13))])
def test_every_way_to_say_all_months(months):
    assert parse_months(months) == list(range(1, 13))


@pytest.mark.parametrize("months", ["2,1", [1, 2], "1, 2,2"])
def test_months_as_text_or_numbers(months):
    assert parse_months(months) == [1, 2]


@pytest.mark.parametrize("months", ["13", [0], "1;2", "Jan"])
def test_a_month_that_does_not_exist(months):
    with pytest.raises(InvalidSpec, match="from 1 to 12"):
        parse_months(months)


@pytest.mark.parametrize(
    ("rows", "number"), [(None, 0), ("", 0), (0, 0), ("0", 0), (5000, 5000), (6.0, 6), ("5000", 5000), ("6.0", 6)]
)
def test_rows_as_kfp_hands_them_on(rows, number):
    assert parse_rows(rows) == number


@pytest.mark.parametrize("rows", [-1, "-1", 2.5, "few", "nan", "inf", float("inf")])
def test_what_is_no_number_of_rows(rows):
    with pytest.raises(InvalidSpec, match="whole number"):
        parse_rows(rows)


RULES = RuleSet(
    tables={
        "trips": TableRules(
            DataFrameSchema({"id": Column("Int64"), "speed": Column("Float64", Check.in_range(0, 100), nullable=True)}),
            key=("id",),
            ordered=(("start", "end"),),
        )
    },
    availability=(Availability("trips", at="start", known_later=("end",), inputs=("speed",)),),
)
LEAKY = RuleSet(
    tables=RULES.tables, availability=(Availability("trips", at="start", known_later=("end",), inputs=("end",)),)
)


def write_trips(folder: Path, **changes: list) -> Path:
    day = pd.Timestamp("2013-01-01", tz="UTC")
    columns = {"id": [1, 2, 3], "speed": [1.0, None, 3.0], "start": [day] * 3, "end": [day] * 3} | changes
    pd.DataFrame(columns).to_parquet(folder / "trips.parquet")
    return folder


def failures(folder: Path, rules: str = "RULES") -> dict[str, tuple[str, int]]:
    outcome = validate(folder, f"{HERE}:{rules}", folder / "report.html")
    return {failure.rule: (failure.column, failure.count) for failure in outcome.failures}


def test_good_tables_pass_and_are_reported(tmp_path):
    assert failures(write_trips(tmp_path)) == {}
    assert "all hold" in (tmp_path / "report.html").read_text()


@pytest.mark.parametrize(
    ("changes", "rule", "column", "count"),
    [
        ({"speed": [500.0, -1.0, 3.0]}, "in_range(0, 100)", "speed", 2),
        ({"id": [1, 1, 1]}, "key is unique", "id", 2),
        ({"id": [1, None, 3]}, "not_nullable", "id", 1),
        ({"speed": ["a", "b", "c"]}, "dtype('Float64')", "speed", 3),
        ({"end": [pd.Timestamp("2012-01-01", tz="UTC")] * 3}, "start is not after end", "end", 3),
    ],
)
def test_a_broken_rule_is_named_with_column_and_count(tmp_path, changes, rule, column, count):
    assert failures(write_trips(tmp_path, **changes))[rule] == (column, count)
    assert rule.split("(")[0] in (tmp_path / "report.html").read_text()


def test_a_missing_column_and_a_missing_table_fail(tmp_path):
    write_trips(tmp_path)
    frame = pd.read_parquet(tmp_path / "trips.parquet").drop(columns="speed")
    frame.to_parquet(tmp_path / "trips.parquet")
    assert failures(tmp_path)["column_in_dataframe"] == ("speed", 1)
    (tmp_path / "trips.parquet").rename(tmp_path / "others.parquet")
    assert failures(tmp_path)["table exists"] == ("(table)", 1)


def test_an_input_known_only_later_is_refused(tmp_path):
    assert failures(write_trips(tmp_path), "LEAKY") == {"no label leakage: known at start": ("end", 1)}


def test_the_message_names_rule_table_column_count_and_examples(tmp_path):
    outcome = validate(write_trips(tmp_path, speed=[500.0, 1.0, 3.0]), f"{HERE}:RULES", tmp_path / "report.html")
    with pytest.raises(ValidationFailed, match=r"in_range\(0, 100\): trips.speed, 1 times, such as 500.0"):
        outcome.raise_for_failures()


def test_missing_and_truncated_tables_are_told_apart_from_bad_ones(tmp_path):
    with pytest.raises(DataUnreadable, match="no Parquet file"):
        validate(tmp_path, f"{HERE}:RULES", tmp_path / "report.html")
    file = write_trips(tmp_path) / "trips.parquet"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(DataUnreadable, match="not a readable Parquet file"):
        validate(tmp_path, f"{HERE}:RULES", tmp_path / "report.html")


def test_rules_must_be_a_rule_set(tmp_path):
    with pytest.raises(InvalidSpec, match="RuleSet"):
        validate(write_trips(tmp_path), f"{HERE}:write_trips", tmp_path / "report.html")
