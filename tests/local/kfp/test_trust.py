"""A run can be trusted with other people's pipelines: parameters, empty loops, metrics, the cache, and neighbours."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

SEAWAY = Path(sys.executable).with_name("seaway")
STEP = """
from typing import List

from kfp import dsl

step = dsl.component(base_image="python:3.11", install_kfp_package=False)
"""
STAMP = """
@step
def echo(number: int, many: list, text: str) -> str:
    return f"{number} {many} {text}"


@dsl.pipeline(name="stamp")
def stamp(number: int = 1, many: list = [], rate: float = 0.1, text: str = ""):
    echo(number=number, many=many, text=text)
"""


def seaway(folder: Path, *words: str | bytes, **environment: str) -> subprocess.CompletedProcess[str]:
    """As a person calls it, in a folder of their own."""
    own = {**os.environ, "SEAWAY_HOME": str(folder / "home"), "PYTHONWARNINGS": "ignore", **environment}
    return subprocess.run([SEAWAY, *words], cwd=folder, capture_output=True, text=True, check=False, env=own)


def record(folder: Path) -> dict[str, object]:
    """Of the newest run."""
    found: dict[str, object] = json.loads(max((folder / "home" / "runs").glob("*/run.json")).read_text())
    return found


@pytest.mark.parametrize(
    "word",
    [
        "number=20261129174500123", "many=[9007199254740993]", "rate=nan", "rate=inf", "many=[NaN]", "many=[1, null]",
        b"text=\377",
    ],
)  # fmt: skip
@pytest.mark.parametrize("command", ["run", "submit"])
def test_a_parameter_that_cannot_travel_is_refused_before_anything_starts(
    command: str, word: str | bytes, tmp_path: Path
) -> None:
    (tmp_path / "stamp.py").write_text(STEP + STAMP)
    where = ["--endpoint", "http://127.0.0.1:9"] if command == "submit" else []
    done = seaway(tmp_path, command, "stamp.py", "-p", word, *where)
    assert done.returncode == 2, done.stderr
    name = (word if isinstance(word, str) else "text").partition("=")[0]
    assert f"Parameter {name} is " in done.stderr
    assert "which cannot travel" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home" / "runs").exists()


def test_the_largest_number_that_travels_arrives(tmp_path: Path) -> None:
    (tmp_path / "stamp.py").write_text(STEP + STAMP)
    most = str(2**53 - 1)
    done = seaway(tmp_path, "run", "stamp.py", "-p", f"number={most}", "-p", f"many=[-{most}]")
    assert f"{most} [-{most}]" in done.stdout


def test_a_pipeline_imports_its_neighbour_when_compiled_and_run(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("NAME = 'helped'\n")
    (tmp_path / "helped.py").write_text(
        "import helper\n" + STEP + "@step\ndef one() -> int:\n    return 1\n\n\n"
        "@dsl.pipeline(name=helper.NAME)\ndef helped():\n    one()\n"
    )
    assert seaway(tmp_path, "compile", "helped.py").returncode == 0
    assert "name: helped" in (tmp_path / "helped.yaml").read_text()
    assert seaway(tmp_path, "run", "helped.py").returncode == 0
    assert record(tmp_path)["pipeline"] == "helped"


WORKSPACE = """
@step
def put():
    open("/kfp-workspace/note.txt", "w").write("kept")


@step
def take() -> str:
    return open("/kfp-workspace/note.txt").read()


@dsl.pipeline(name="notes", pipeline_config=dsl.PipelineConfig(workspace=dsl.WorkspaceConfig(size="1Gi")))
def notes():
    take().after(put())
"""


def test_a_step_that_names_the_workspace_runs_in_each_run_which_has_one_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "notes.py").write_text(STEP + WORKSPACE)
    assert seaway(tmp_path, "run", "notes.py").returncode == 0
    (tmp_path / "notes.py").write_text(STEP + WORKSPACE.replace(".read()", '.read() + "!"'))
    again = seaway(tmp_path, "run", "notes.py", "--explain")
    assert again.returncode == 0, again.stderr
    assert "it names /kfp-workspace, which each run has anew" in again.stdout


SHOP = """
from kfp import dsl
from seaway_components.data.ingest_tables.component import ingest_tables


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def look(tables: dsl.Input[dsl.Dataset]) -> str:
    import pyarrow.parquet as pq

    return str(pq.read_table(tables.path + "/orders.parquet")["n"].to_pylist())


@dsl.pipeline(name="shop")
def shop():
    look(tables=ingest_tables(source="shop.source:read", options={}).outputs["tables"])
"""
SOURCE = """
import pathlib

import pyarrow as pa
from seaway.data import file_version, versioned

FILE = pathlib.Path(__file__).parents[1] / "orders.txt"
{decorated}
def read():
    return {{"orders": pa.table({{"n": [int(FILE.read_text()) * VALUE]}})}}


VALUE = 1
"""
VERSIONED = "\n\n@versioned(lambda: file_version(FILE))"


@pytest.mark.parametrize("decorated", ["", VERSIONED], ids=["silent", "versioned"])
def test_what_a_source_reads_and_what_it_is_count(decorated: str, tmp_path: Path) -> None:
    (tmp_path / "shoppipe.py").write_text(SHOP)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").touch()
    code, data = tmp_path / "shop" / "source.py", tmp_path / "orders.txt"
    code.write_text(SOURCE.format(decorated=decorated))
    data.write_text("1")

    def look() -> str:
        done = seaway(tmp_path, "run", "shoppipe.py", "--explain", PYTHONPATH=str(tmp_path))
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "[1]" in look()
    unchanged = look()
    if decorated:
        assert unchanged.count("reused: nothing that it depends on has changed") == 2
    else:
        assert "ran: its source shop.source:read does not say its data's version" in unchanged
        assert unchanged.count("reused:") == 1
    data.write_text("23")
    changed = look()
    assert "[23]" in changed
    assert "ran: changed since it ran last: input tables" in changed
    code.write_text(code.read_text().replace("VALUE = 1", "VALUE = 2"))
    edited = look()
    assert "[46]" in edited
    assert f"ran: changed since it ran last: {code}" in edited


READERS = """
@step
def joined(folder: str) -> str:
    import os

    return open(os.path.join(folder, "rows" + ".txt")).read()


@step
def globbed() -> str:
    import glob

    return "".join(open(file).read() for file in sorted(glob.glob("in-" + "rows/*.txt")))


@step
def imported(kind: str) -> str:
    import importlib

    return importlib.import_module("kinds." + kind).VALUE


@step
def vendored() -> str:
    import sys

    sys.path.insert(0, "ven" + "dor")
    import vendored_words

    return vendored_words.VALUE


@step
def zipped() -> str:
    import zipped_words

    return zipped_words.VALUE


@step
def script() -> str:
    import subprocess
    import sys

    return subprocess.check_output([sys.executable, "jobs/run.py"], text=True)


@step
def arrow(month: str) -> str:
    import pyarrow.csv

    return str(pyarrow.csv.read_csv(f"in-rows/{month}.csv").column_names)


@dsl.component(base_image="python:3.11", install_kfp_package=False, packages_to_install=["./its-package"])
def packaged() -> str:
    import its_package

    return its_package.VALUE


@dsl.pipeline(name="readers")
def readers():
    joined(folder="in-rows")
    globbed()
    imported(kind="one")
    vendored()
    zipped()
    script()
    arrow(month="m1")
    packaged()
"""
READ = {
    "in-rows/rows.txt": "1", "in-rows/a.txt": "1", "kinds/one.py": "VALUE = '1'\n", "in-rows/m1.csv": "a\n",
    "vendor/vendored_words.py": "VALUE = '1'\n", "jobs/run.py": "from beside import VALUE\nprint(VALUE)\n",
    "jobs/beside.py": "VALUE = '1'\n", "its-package/its_package/__init__.py": "VALUE = '1'\n",
    "its-package/setup.py": "import setuptools\nsetuptools.setup(name='its-package', packages=['its_package'])\n",
}  # fmt: skip


def test_what_no_source_names_counts_where_a_step_was_seen_to_read_it(tmp_path: Path) -> None:
    (tmp_path / "readers.py").write_text(STEP + READERS)

    def write(value: str) -> None:
        for name, text in READ.items():
            (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
            (tmp_path / name).write_text(text.replace("1'", f"{value}'") if "VALUE" in text else value + "\n")
        (tmp_path / "its-package" / "setup.py").write_text(READ["its-package/setup.py"])
        with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
            archive.writestr("zipped_words.py", f"VALUE = {value!r}")

    def outputs() -> list[tuple[str, str]]:
        done = seaway(tmp_path, "run", "readers.py", PYTHONPATH=str(tmp_path / "lib.zip"))
        assert done.returncode == 0, done.stderr
        steps: Any = record(tmp_path)["steps"]
        return [(step["name"], step["state"] + " " + step["outputs"]["Output"].strip()) for step in steps]

    write("1")
    first, again = outputs(), outputs()
    assert again == [(name, told.replace("succeeded", "cached")) for name, told in first]
    write("2")
    assert outputs() == [(name, told.replace("1", "2")) for name, told in first]


LEAVINGS = """
@step
def leave(left: dsl.Output[dsl.Dataset]):
    import os

    os.makedirs(left.path)
    LEAVE


@step
def use(left: dsl.Input[dsl.Dataset]) -> int:
    import os

    return len(os.listdir(left.path))


@step
def last() -> str:
    return "ended"


@dsl.pipeline(name="leavings")
def leavings():
    with dsl.ExitHandler(last()):
        use(left=leave().outputs["left"])
"""
ODD = {
    "a name of bytes": ("open(os.fsencode(left.path) + b'/\\xff', 'w').close()", ["cached", "cached"]),
    "what cannot be read": ("os.symlink('/proc/self/mem', left.path + '/memory')", ["succeeded", "succeeded"]),
    "a pipe": ("os.mkfifo(left.path + '/pipe')", ["cached", "cached"]),
}


@pytest.mark.parametrize("kind", ODD)
def test_whatever_a_step_leaves_in_its_output_the_run_goes_on(kind: str, tmp_path: Path) -> None:
    """It is reused where it can be compared, and made again where it cannot."""
    leaving, again = ODD[kind]
    (tmp_path / "leavings.py").write_text(STEP + LEAVINGS.replace("LEAVE", leaving))
    for states in (["succeeded", "succeeded"], again):
        done = seaway(tmp_path, "run", "leavings.py")
        assert done.returncode == 0, done.stderr
        steps = record(tmp_path)["steps"]
        assert [step["state"] for step in steps] == [*states, "succeeded"]  # type: ignore[attr-defined]
        assert steps[1]["outputs"]["Output"] == 1  # type: ignore[index]
