"""docs/reliability.md promises what tests show: each of its faults names one that is there."""

import re
from pathlib import Path

from places import PROJECT

CLUSTER = re.compile(r"`(?P<file>\w+)(?:::(?P<name>\w+))?`")
LOCAL = re.compile(r"`(test_\w+)`|`(tests/[\w/]+\.py)`")
LAYERS = ("apiserver", "cluster")
COUNTING = "tests/local/monitoring/test_prometheus_metrics.py"


def test_every_fault_on_a_cluster_has_a_test() -> None:
    faults = rows("## Faults")
    assert len(faults) > 60, "the table is not read as it is written"
    for fault, *_, tests in faults:
        named = list(CLUSTER.finditer(tests))
        assert named or tests == "the same", fault
        for test in named:
            paths = [path for layer in LAYERS for path in (PROJECT / "tests" / layer).rglob(f"test_{test['file']}.py")]
            assert any(defined(path, f"test_{test['name'] or ''}") for path in paths), f"{fault}: {test[0]}"


def test_every_fault_of_counting_has_a_test() -> None:
    faults = rows("## When traffic cannot be counted")
    assert len(faults) >= 6, "the table is not read as it is written"
    for fault, *_, tests in faults:
        named = LOCAL.findall(tests)
        assert named, fault
        for name, path in named:
            assert defined(path or COUNTING, name or "test_"), f"{fault}: {name or path}"


def rows(heading: str) -> list[list[str]]:
    """The cells of each fault in the table below a heading; neither its head nor the names of its groups."""
    _, section = (PROJECT / "docs" / "reliability.md").read_text().split(f"{heading}\n")
    lines = [line for line in section.split("\n## ")[0].splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] != "fault" and not row[0].startswith("**")]


def defined(path: str | Path, name: str) -> bool:
    """Whether a file has a test whose name is this, or begins with `test_`."""
    file = PROJECT / path
    return file.exists() and re.search(rf"def {name}{'' if name == 'test_' else '[(]'}", file.read_text()) is not None
