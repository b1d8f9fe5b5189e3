"""A time keeps its zone in Arrow whatever an import has said, wherever somebody's module is imported."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from seaway.storage.time_zones import VARIABLE

RULES = "import pandera.pandas\nfrom kfp import dsl\nGIVEN = 1\n@dsl.component\ndef pipeline(): ...\n"
DOORS = {
    "an object by its name": "from seaway.storage import load_object; load_object('theirs:GIVEN')",
    "what steps need": "from seaway.kfp.local.fork_server import load; load('pandera.pandas')",
    "a pipeline's file": "from seaway.kfp.pipeline_file import load; load('theirs.py')",
}
ASK = """
import sys; assert "pandera" in sys.modules
import datetime, zoneinfo, pyarrow
print(pyarrow.array([datetime.datetime(2024, 3, 30, 10, tzinfo=zoneinfo.ZoneInfo("Asia/Tokyo"))]).view("int64")[0])
"""
TEN_IN_TOKYO = 1_711_760_400_000_000


def seen(door: str, folder: Path, **said: str) -> int:
    """Microseconds from 1970 to 10:00 in Tokyo, as Arrow has them in a process of its own."""
    (folder / "theirs.py").write_text(RULES)
    ours = {name: value for name, value in os.environ.items() if name != VARIABLE}  # which other tests' pandera has set
    environment = {**ours, "PYTHONPATH": str(folder), **said}
    command = [sys.executable, "-W", "ignore", "-c", DOORS[door] + ASK]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.parametrize("door", DOORS)
def test_a_zone_is_heeded(door: str, tmp_path: Path) -> None:
    assert seen(door, tmp_path) == TEN_IN_TOKYO


def test_a_user_who_has_said_that_none_shall_be_is_obeyed(tmp_path: Path) -> None:
    found = seen("an object by its name", tmp_path, PYARROW_IGNORE_TIMEZONE="1")
    assert found == TEN_IN_TOKYO + 9 * 3_600_000_000
