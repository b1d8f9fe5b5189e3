"""The notebooks of the examples run from their first cell to their last."""

from pathlib import Path

import dev_pages
import pytest
from dev_pages import artifact, write_run
from seaway.notebooks import NotebookSpec, execute

ROOT = Path(__file__).parents[3]
NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda file: file.stem)
def test_it_runs_as_a_step_would_run_it(notebook: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("SEAWAY_HOME", str(home))
    for day, score in ((1, 0.71), (2, 0.75)):
        metrics = artifact("", "Metrics", auc=score)
        write_run(home, f"2026010{day}-1", dev_pages.step(1, "Train", {"metrics": metrics}), arguments={"epochs": day})
    found = execute(NotebookSpec(str(notebook)), tmp_path / "outputs", tmp_path / "page.html")
    assert found.metrics == {"runs": 2.0, "seconds": 6.0}
    shown = found.files["comparison"].read_text()
    assert "Train: auc" in shown and "0.71" in shown and "0.75" in shown and "epochs" in shown
