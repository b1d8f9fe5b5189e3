"""Rooms whose steps need no torch import none: it costs each of them seconds, and asks for an extra."""

import subprocess
import sys

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


def test_none_of_them_imports_torch() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, *ROOMS], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
