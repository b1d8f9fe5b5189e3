"""What the how-to guides show is what works: their code is run as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from documents import blocks
from places import PROJECT

GUIDES = PROJECT / "docs" / "how-to"
SEAWAY = [sys.executable, "-c", "from seaway.cli import main; main()"]
COUNTED = '''

@dsl.pipeline(name="counted")
def counted(path: str):
    """Count."""
    imported = dsl.importer(artifact_uri=path, artifact_class=dsl.Dataset)
    count_positives(examples=imported.output)
'''


def code(guide: str) -> str:
    """The first Python block of a guide."""
    return next(iter(blocks(GUIDES / guide, "python"))).text


def seaway(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SEAWAY_HOME": str(folder / "home")}
    return subprocess.run([*SEAWAY, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_the_pipeline_of_the_guide_registers_a_model_and_reuses_its_data(tmp_path: Path) -> None:
    (tmp_path / "late.py").write_text(code("write-a-pipeline.md"))
    first = seaway(tmp_path, "run", "late.py", "-p", "epochs=1")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "late version 1" in first.stdout
    again = seaway(tmp_path, "run", "late.py", "-p", "epochs=2")
    assert again.stdout.count("cached") == 4
    assert "late version 2" in again.stdout
    assert seaway(tmp_path, "compile", "late.py").stdout.strip() == "late.yaml"


@pytest.mark.parametrize(("label", "told"), [("late", "2 of 3 rows are positive"), ("delayed", "lacks the column")])
def test_the_component_of_the_guide_counts_and_says_what_is_missing(tmp_path: Path, label: str, told: str) -> None:
    import pandas as pd

    pd.DataFrame({"late": [1, 0, 1]}).to_parquet(tmp_path / "rows.parquet")
    program = code("write-a-component.md") + COUNTED
    program = program.replace("examples=imported.output", f"examples=imported.output, label={label!r}")
    (tmp_path / "counted.py").write_text(program)
    done = seaway(tmp_path, "run", "counted.py", "-p", f"path={tmp_path / 'rows.parquet'}")
    assert told in done.stdout + done.stderr
    assert done.returncode == (1 if label == "delayed" else 0)
