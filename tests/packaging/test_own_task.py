"""The task of docs/how-to/your-own-task.md, in a wheel of its own, is one of Seaway's by its entry point."""

import re
import sys
from pathlib import Path

from documents import ROOT, blocks
from wheel_environments import Environment, uv

PAGE = ROOT / "docs/how-to/your-own-task.md"
PROJECT = """
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[project]
name = "our-package"
version = "1"
"""
LEARN = """
import numpy as np
from seaway import tasks
task = tasks.named("upper", "hours", np.arange(100.0), "The training rows")
print(type(task).__module__, task.primary.name, task.target.facts["span"])
"""


def test_a_task_of_another_wheel_is_found_and_listed(installed: Environment, tmp_path: Path) -> None:
    (entry,) = (block.text for block in blocks(PAGE, "toml"))
    code = next(block.text for block in blocks(PAGE, "python"))
    for name, text in {
        "pyproject.toml": PROJECT + entry,
        "our_package/__init__.py": "",
        "our_package/upper.py": code,
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    uv("build", "--wheel", "--no-build-isolation", "--python", sys.executable, "--out-dir", tmp_path, tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    uv("pip", "install", "--no-deps", "--python", installed.folder, wheel)
    try:
        assert installed.python("-c", LEARN).split() == ["our_package.upper", "pinball", "89.1"]
        listed = installed.run("seaway", "backends")
        assert re.search(r"task.*\bupper\b", listed.stdout, re.DOTALL | re.IGNORECASE), listed.stdout + listed.stderr
    finally:
        uv("pip", "uninstall", "--python", installed.folder, "our-package")
