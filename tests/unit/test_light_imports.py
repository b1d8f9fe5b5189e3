"""Rooms whose steps need no torch import none: it costs each of them seconds, and asks for an extra."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
from pyarrow import parquet as pq

ROOMS = (
    "approvals", "data", "data.augmentation", "features", "labeling", "monitoring", "notices", "reporting", "rollout",
    "storage",
)  # fmt: skip
PROGRAM = """
import importlib, sys
for room in sys.argv[1:]:
    importlib.import_module(f"seaway.{room}")
    if "torch" in sys.modules:
        sys.exit(f"seaway.{room} imports torch")
"""


LOOK = """
import sys
from pathlib import Path
from seaway.data.augmentation.siblings import refuse_siblings
refuse_siblings(Path(sys.argv[1]), Path(sys.argv[1]))
sys.exit("pyarrow" in sys.modules)
"""


def test_none_of_them_imports_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *ROOMS], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_a_look_for_changed_copies_leaves_a_process_that_can_be_forked(tmp_path: Path) -> None:
    """Arrow starts a thread when it is imported, and a step that has torch hands it on by a fork."""
    pq.write_table(pa.table({"size": [1.0]}), tmp_path / "rows.parquet")
    subprocess.run([sys.executable, "-c", LOOK, str(tmp_path / "rows.parquet")], check=True)
