"""What an editor is told of this project names what there is."""

import json
import re
from typing import Any

import pytest
from places import PROJECT
from typed_commands import command, type_in

TASKS: list[dict[str, Any]] = json.loads((PROJECT / ".vscode" / "tasks.json").read_text())["tasks"]
CONTAINER: dict[str, Any] = json.loads((PROJECT / ".devcontainer" / "devcontainer.json").read_text())
TARGETS = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
PIPELINE = str(PROJECT / "tests" / "support" / "local" / "sample_pipeline.py")


@pytest.mark.parametrize("task", TASKS, ids=lambda task: str(task["label"]))
def test_a_task_runs_what_there_is(task: dict[str, Any]) -> None:
    program, *words = task["command"].replace("${file}", PIPELINE).split()
    assert task["type"] == "shell"
    if program == "make":
        assert set(words) <= TARGETS
    elif program == ".venv/bin/seaway":
        type_in(words)
    else:
        assert (program, words[:2]) == (".venv/bin/python", ["-m", "pytest"])


def test_the_container_installs_by_make_and_has_a_python_that_the_project_takes() -> None:
    make, target = CONTAINER["postCreateCommand"].split()
    assert make == "make" and target in TARGETS
    found = re.search(r"/python:(3\.\d+)-", CONTAINER["image"])
    assert found and f"Programming Language :: Python :: {found[1]}" in (PROJECT / "pyproject.toml").read_text()


def test_the_container_forwards_the_port_of_the_page() -> None:
    dev, _ = command(["dev"])
    assert CONTAINER["forwardPorts"] == [parameter.default for parameter in dev.params if parameter.name == "port"]
