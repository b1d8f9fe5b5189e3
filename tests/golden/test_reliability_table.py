"""docs/reliability.md promises what tests show: each of its faults names one that is there."""

import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
ROW = re.compile(r"^\| (?P<fault>[^|]+) \| [^|]+ \| (?P<tests>`.+`) \|$", re.MULTILINE)
TEST = re.compile(r"`(?P<file>\w+)(?:::(?P<name>\w+))?`")


def test_every_fault_has_a_test() -> None:
    _, faults = (PROJECT / "docs" / "reliability.md").read_text().split("## Faults")
    rows = list(ROW.finditer(faults))
    missing = [
        f"{row['fault']}: {test[0]}"
        for row in rows
        for test in TEST.finditer(row["tests"])
        if not exists(**test.groupdict())
    ]
    assert len(rows) > 40, "the table is not read as it is written"
    assert missing == []


def exists(file: str, name: str | None) -> bool:
    path = PROJECT / "tests" / "cluster" / f"test_{file}.py"
    return path.exists() and (name is None or f"def test_{name}(" in path.read_text())
