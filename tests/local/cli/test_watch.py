"""`seaway run --watch`: a run of the program itself, files saved by hand, and the signals that end it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PIPELINE = """
from kfp import dsl
from seaway.kfp import component


@component
def first() -> int:
    return 1


@component
def second() -> int:
    from helper import NUMBER

    return NUMBER


@dsl.pipeline(name="two")
def two():
    first()
    second()
"""
HEARS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"  # which a shell's background ignores
SEAWAY = [sys.executable, "-c", f"{HEARS}; from seaway.cli import main; main()"]


@pytest.fixture
def watching(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    (tmp_path / "two.py").write_text(PIPELINE)
    (tmp_path / "helper.py").write_text("NUMBER = 1")
    environment = {**os.environ, "SEAWAY_HOME": str(tmp_path / "home")}
    command = [*SEAWAY, "run", "two.py", "--watch"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        yield process
        process.kill()


def save(file: Path, text: str) -> None:
    """At once, as editors do."""
    draft = file.with_suffix(".draft")
    draft.write_text(text)
    draft.replace(file)


def until(process: "subprocess.Popen[str]", found: Callable[[str], bool]) -> str:
    """The next line that it tells and that is looked for."""
    assert process.stderr
    told = []
    for line in process.stderr:
        told.append(line)
        if found(line):
            return line.strip()
    raise AssertionError("".join(told))


def waits(process: "subprocess.Popen[str]") -> None:
    until(process, lambda line: line.startswith("Watching "))


def runs(folder: Path) -> list[tuple[str, list[str]]]:
    """State of each run and of its steps, in the order in which they began."""
    records = sorted(
        (json.loads(file.read_text()) for file in (folder / "home" / "runs").glob("*/run.json")),
        key=lambda record: float(record["begun"]),
    )
    return [(record["state"], [step["state"] for step in record["steps"]]) for record in records]


def test_what_changed_runs_again_when_a_file_is_saved_and_ctrl_c_ends_it(
    watching: "subprocess.Popen[str]", tmp_path: Path
) -> None:
    waits(watching)
    assert runs(tmp_path) == [("succeeded", ["succeeded", "succeeded"])]
    (tmp_path / "notes.txt").write_text("no code")
    (tmp_path / "two.py").touch()  # the same again
    save(tmp_path / "helper.py", "NUMBER = 2")
    assert until(watching, lambda line: line.startswith("Changed")) == "Changed: helper.py."
    waits(watching)
    assert runs(tmp_path)[1:] == [("succeeded", ["cached", "succeeded"])]
    save(tmp_path / "helper.py", "NUMBER = nothing")  # a run that fails does not end the watching
    waits(watching)
    assert runs(tmp_path)[2:] == [("failed", ["cached", "failed"])]
    watching.send_signal(signal.SIGINT)
    assert watching.wait() == 130
    assert watching.stderr and "Traceback" not in watching.stderr.read()


def test_a_signal_while_it_runs_ends_the_run_too(watching: "subprocess.Popen[str]", tmp_path: Path) -> None:
    waits(watching)
    ready = tmp_path / "ready"
    os.mkfifo(ready)
    save(
        tmp_path / "helper.py",
        f"import time\nwith open({str(ready)!r}, 'w') as told: told.write('x')\nwhile True: time.sleep(1)",
    )
    ready.read_text()  # until the step has begun
    watching.send_signal(signal.SIGTERM)
    assert watching.wait() == 143
    assert runs(tmp_path)[1][0] == "interrupted"


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    command = [*SEAWAY, "run", "nothing.py", "--watch"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "neither" in done.stderr
