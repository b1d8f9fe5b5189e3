"""`ci/gate` fails a merge where a pipeline's gate closes, and leaves the page that says why."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import PROJECT

PIPELINE = '''\
from kfp import dsl
from seaway.kfp import component
from seaway_components.evaluation import check_gate


@component
def measure(found: float, evaluation: dsl.Output[dsl.Artifact]):
    """Write what an evaluation has of its gate."""
    import json
    from pathlib import Path

    outcome = {"rule": "min_roc_auc", "passed": found >= 0.7, "value": found, "bound": 0.7, "says": "ROC AUC"}
    Path(evaluation.path).mkdir(parents=True)
    (Path(evaluation.path) / "evaluation.json").write_text(json.dumps({"gate": {"outcomes": [outcome]}}))


@dsl.pipeline(name="gated")
def gated(found: float = 0.8):
    """Show the gate, then stop at it."""
    evaluation = measure(found=found).outputs["evaluation"]
    shown = check_gate(evaluation=evaluation, stop=False)
    check_gate(evaluation=evaluation, stop=True).after(shown)
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "gated.py").write_text(PIPELINE)
    return tmp_path


def gate(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "SEAWAY_HOME": str(folder / ".seaway")}
    command = [PROJECT / "ci" / "gate", *words]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_closed_gate_fails_and_its_page_is_there_and_an_open_one_does_not(folder: Path) -> None:
    closed = gate(folder, "gated.py", "-p", "found=0.6")
    assert closed.returncode != 0
    assert "The gate stays closed" in closed.stdout + closed.stderr
    [page] = (folder / "gate").glob("*.html")
    assert "0.6" in page.read_text()

    opened = gate(folder, "gated.py", "-p", "found=0.9")
    assert opened.returncode == 0, opened.stderr
    pages = [file.read_text() for file in (folder / "gate").glob("*.html")]
    assert pages
    assert all("0.9" in text for text in pages)

    none = gate(folder, "nothing.py")
    assert none.returncode != 0
    assert "there was no run" in none.stderr
    assert not list((folder / "gate").iterdir()), "the page of an earlier run"
