"""The CI definitions call make, with targets that there are, and are well-formed."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FILES = [ROOT / ".github" / "workflows" / "ci.yml", *sorted((ROOT / "ci").iterdir())]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_what_make_is_asked_for_exists(file: Path) -> None:
    called = set(re.findall(r"\bmake ([a-z]+)", file.read_text()))
    assert {"test", "generate"} <= called <= TARGETS
    if file.suffix == ".yml":
        assert yaml.safe_load(file.read_text())
