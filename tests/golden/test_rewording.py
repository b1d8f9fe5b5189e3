"""Rewording changes the page beside what was reworded, and nothing else that is generated."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from places import PROJECT

FOLDERS = ("components", "docs", "examples", "kustomize", "manifests", "pipelines", "sdk/seaway", "tools")
PACKAGES = {"seaway": "sdk/seaway", **{f"seaway_{tree}": tree for tree in ("components", "pipelines", "examples")}}
INSTALLED_FROM = ("requirements.lock", "pyproject.toml", "setup.py")
SUFFIXES = {".md", ".py", ".svg", ".yaml"}
TRAINED, INGESTED = "components/training/train_pytorch", "components/data/ingest_tables"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of all that generates and is generated, in which this environment finds the copy's packages."""
    copy = tmp_path / "project"
    for folder in FOLDERS:
        shutil.copytree(PROJECT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("Makefile", *INSTALLED_FROM):
        shutil.copy(PROJECT / file, copy)
        os.utime(copy / file, (0, 0))  # older than the environment, as after `make install`
    (copy / ".venv").symlink_to(PROJECT / ".venv")
    (tmp_path / "packages").mkdir()
    for name, folder in PACKAGES.items():
        (tmp_path / "packages" / name).symlink_to(copy / folder)
    return copy


def texts(project: Path) -> dict[str, str]:
    files = (file for folder in FOLDERS for file in (project / folder).rglob("*") if file.is_file())
    return {file.relative_to(project).as_posix(): file.read_text() for file in files if file.suffix in SUFFIXES}


def reword(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
    file.write_text(text.replace(old, new))


def test_a_docstring_changes_its_page_and_a_comment_nothing(project: Path) -> None:
    """Of a component, of a pipeline that another one contains, and in the body of a component."""
    trained, ingested = project / TRAINED / "component.py", project / INGESTED / "component.py"
    reword(trained, "Train a PyTorch model across", "Train a model of PyTorch across")
    reword(
        trained, "Of initial weights and of the order of rows.", "Of the weights at first.\n            And of rows."
    )
    reword(project / "pipelines/flights/pipeline.py", "Predict which flights", "Tell which flights")
    reword(project / "pipelines/flights/pipeline.py", "Passes of the network", "Rounds of the network")
    reword(ingested, "    from pathlib import Path\n", "    # As late as possible.\n\n    from pathlib import Path\n")
    before = texts(project)
    environment = {**os.environ, "PYTHONPATH": str(project.with_name("packages"))}
    subprocess.run(["make", "generate"], cwd=project, env=environment, check=True, capture_output=True)
    after = texts(project)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {f"{TRAINED}/README.md", "pipelines/flights/README.md"}
    assert "Train a model of PyTorch" in after[f"{TRAINED}/README.md"]
    assert "Rounds of the network" in after["pipelines/flights/README.md"]
