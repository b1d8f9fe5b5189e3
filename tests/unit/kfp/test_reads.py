"""What a step reads is told as it happens, whatever its source looks like."""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from seaway.kfp.local import reads

MAIN = """
import os, sys
{code}
print(sys.argv[1:], sys.path[0])
"""


def told(folder: Path, code: str, *words: str) -> set[tuple[str, str]]:
    """What a module of that code is seen to do in a folder, by paths below it."""
    (folder / "main_of_it.py").write_text(MAIN.format(code=code))
    file = folder / "seen"
    command = [sys.executable, reads.__file__, str(file), "main_of_it", *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == f"{list(words)} {folder}"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    return {(how, path.removeprefix(f"{folder}/")) for how, path in lines if path.startswith(str(folder))}


READING = {
    "open": ("open('rows.csv').read()", ("read", "rows.csv")),
    "open by bytes": ("open(b'rows.csv').read()", ("read", "rows.csv")),
    "a descriptor": ("os.open('rows.csv', os.O_RDONLY)", ("read", "rows.csv")),
    "absent": ("import contextlib\nwith contextlib.suppress(OSError): open('no.csv')", ("read", "no.csv")),
    "written": ("open('new.csv', 'a').close()", ("written", "new.csv")),
    "listed": ("os.listdir('sub')", ("listed", "sub")),
    "a pattern": ("import glob\nglob.glob('sub/*')", ("listed", "sub")),
    "pathlib": ("import pathlib\nlist(pathlib.Path('sub').rglob('*'))", ("listed", "sub")),
    "an import": ("sys.path.append('sub')\nimport beside", ("read", "sub/beside.py")),
    "an import from a zip": ("sys.path.append('lib.zip')\nimport zipped", ("read", "lib.zip")),
    "another program": ("import subprocess\nsubprocess.run(['cat', 'rows.csv'])", ("read", "rows.csv")),
    "a shell": ("os.system('cat rows.csv')", ("read", "rows.csv")),
    "sqlite": ("import sqlite3\nsqlite3.connect('rows.csv')", ("read", "rows.csv")),
    "a fork": ("pid = os.fork()\nif not pid: open('rows.csv'); os._exit(0)\nos.wait()", ("read", "rows.csv")),
}


@pytest.mark.parametrize("kind", READING)
def test_it_is_told(kind: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "beside.py").touch()
    with zipfile.ZipFile(tmp_path / "lib.zip", "w") as archive:
        archive.writestr("zipped.py", "")
    code, expected = READING[kind]
    assert expected in told(tmp_path, code, "--a", "b c")


def test_looking_for_modules_is_no_reading_of_the_folder(tmp_path: Path) -> None:
    found = told(tmp_path, "import importlib.metadata, xml.dom\nlist(importlib.metadata.distributions())")
    assert {path for how, path in found if how == "listed"} == set()


def test_what_cannot_be_told_does_not_end_the_step(tmp_path: Path) -> None:
    (tmp_path / "gone").mkdir()
    assert told(
        tmp_path, "here = os.getcwd()\nos.chdir('gone')\nos.rmdir('../gone')\ntry: open('x')\nexcept OSError: pass\n"
    )
