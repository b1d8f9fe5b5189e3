"""A notebook as a step of a pipeline, in a kernel of its own."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from notebooks import code, text, write
from seaway.notebooks import NotebookSpec, execute
from seaway_runs import SEAWAY, steps

PIPELINE = """
from kfp import dsl
from seaway.kfp import component
from seaway.notebooks import text_of
from seaway_components.notebooks import run_notebook


@component
def make(rows: dsl.Output[dsl.Dataset]):
    from pathlib import Path

    Path(rows.path).write_text("1\\n2\\n3\\n")


@dsl.pipeline(name="explored")
def explored(notebook: str = text_of("explore.ipynb"), params: dict = {"bins": 2}):
    run_notebook(notebook=notebook, params=params, data=make().outputs["rows"])
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("explored")
    (folder / "explored.py").write_text(PIPELINE)
    (folder / "mine.py").write_text("FACTOR = 2\n")
    (folder / "deep").mkdir()
    write(folder / "deep" / "words.ipynb", code("open('words.txt', 'w').write('beside it')"))
    write(
        folder / "explore.ipynb",
        text("# What the rows are like"),
        code("bins = 1\ndata = 'rows.csv'\noutputs = 'out'", "parameters"),
        code("from pathlib import Path\nimport mine\nrows = [mine.FACTOR * int(line) for line in open(data)]"),
        code("{'bins': bins, 'total': sum(rows)}", "metrics", "output:figures"),
        code("Path(outputs, 'rows.json').write_text(str(rows))\n1 / (bins - 7)"),
    )
    return folder


def ran(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "SEAWAY_HOME": str(project / "home")}
    command = [str(SEAWAY), "run", "explored.py", *words]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)


def step(project: Path) -> dict[str, Any]:
    [found] = [one for one in steps(project / "home") if one["name"] == "run-notebook"]
    return found


def test_parameters_go_in_and_what_tagged_cells_show_comes_out(project: Path) -> None:
    done = ran(project)
    assert done.returncode == 0, done.stdout + done.stderr
    outputs = step(project)["outputs"]
    folder = Path(outputs["outputs"]["uri"])
    assert json.loads((folder / "figures.json").read_text()) == {"bins": 2, "total": 12}
    assert (folder / "rows.json").read_text() == "[2, 4, 6]"
    assert outputs["metrics"]["metadata"] == {"bins": 2.0, "total": 12.0}
    assert "What the rows are like" in Path(outputs["page"]["uri"]).read_text()
    assert "4 cells, kept figures" in done.stdout


def test_a_module_that_the_notebook_imports_is_one_that_the_step_depends_on(project: Path) -> None:
    (project / "mine.py").write_text("FACTOR = 3\n")
    assert ran(project).returncode == 0
    assert step(project)["outputs"]["metrics"]["metadata"]["total"] == 18.0
    assert ran(project).returncode == 0
    assert step(project)["state"] == "cached", step(project)["why"]


def test_a_failing_cell_is_the_reason_and_the_page_is_there(project: Path) -> None:
    failed = ran(project, "-p", 'params={"bins": 7}', "-p", "notebook=explore.ipynb")
    assert failed.returncode == 1
    told = "Cell 5 of explore.ipynb failed: ZeroDivisionError: division by zero, at `1 / (bins - 7)`."
    assert told in step(project)["reason"]
    pages = [file for file in (project / "home").rglob("page") if "ZeroDivisionError" in file.read_text()]
    assert len(pages) == 1


def test_an_unknown_parameter_fails_before_anything_runs(project: Path) -> None:
    failed = ran(project, "-p", 'params={"bin": 7}')
    assert failed.returncode == 1 and "takes no bin; it has bins, data, outputs." in step(project)["reason"]


def test_a_notebook_runs_in_its_own_folder_and_leaves_nothing_else_there(project: Path) -> None:
    before = {*project.iterdir(), project / "home"}
    done = ran(project, "-p", "params={}", "-p", "notebook=deep/words.ipynb")
    assert done.returncode == 1 and "takes no data" in step(project)["reason"]
    page = project / "home" / "page.html"
    execute(NotebookSpec(str(project / "deep" / "words.ipynb")), project / "home" / "out", page)
    assert {file.name for file in (project / "deep").iterdir()} == {"words.ipynb", "words.txt"}
    assert {*project.iterdir()} == before


def test_no_kernel_is_left_of_a_run_that_is_ended(tmp_path: Path) -> None:
    started = tmp_path / "started"
    write(
        tmp_path / "slow.ipynb",
        code(f"import os, time\nopen({str(started)!r}, 'w').write(str(os.getpid()))\ntime.sleep(900)"),
    )
    (tmp_path / "slow.py").write_text(
        "from kfp import dsl\nfrom seaway_components.notebooks import run_notebook\n\n\n"
        "@dsl.pipeline(name='slow')\ndef slow():\n    run_notebook(notebook='slow.ipynb')\n"
    )
    environment = {**os.environ, "SEAWAY_HOME": str(tmp_path / "home")}
    with subprocess.Popen([str(SEAWAY), "run", "slow.py"], cwd=tmp_path, env=environment) as process:
        while not (started.exists() and started.read_text()):
            assert process.poll() is None
            time.sleep(0.1)
        kernel = psutil.Process(int(started.read_text()))
        process.send_signal(signal.SIGTERM)
        process.wait(120)
    psutil.wait_procs([kernel], 60)
    assert not kernel.is_running()
