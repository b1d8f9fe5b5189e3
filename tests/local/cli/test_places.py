"""Whole commands where folders, locale, home and temporary files are as unkind as systems allow."""

import json
import os
import shutil
import stat
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from places import LOCAL_PROGRAMS
from seaway_runs import SEAWAY

ODD = '100% %s %41 it\'s "hi" $HOME ${x} `id`\nline Größe 日本 #1 ?[a]* c\\d,e=f;g&h|i<j> {{$.x}} ~ -rf '
SOCKET = 108  # bytes that the path of a unix socket may have
FILES = ("endpoint_pipeline.py", "orders.py")


@dataclass(frozen=True)
class Place:
    """Where a person works: `folder` has the pipeline, `cwd` is where they are."""

    folder: Path
    cwd: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    without: Sequence[str] = ()
    umask: int = 0o022

    @property
    def pipeline(self) -> str:
        return FILES[0] if self.cwd == self.folder else str(self.folder / FILES[0])

    def seaway(self, *words: str) -> str:
        """What a command says that succeeds."""
        own = {name: value for name, value in os.environ.items() if name not in ("SEAWAY_HOME", *self.without)}
        done = subprocess.run(
            [SEAWAY, *words], cwd=self.cwd, env={**own, **self.settings}, umask=self.umask, check=False,
            capture_output=True, encoding="utf-8",
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def inside(root: Path) -> Place:
    """All that a name may have, a locale of ASCII, no home, files for their owner alone."""
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    folder = root / ODD
    return Place(folder, folder, ascii_only, without=("HOME",), umask=0o077)


def outside(root: Path) -> Place:
    """A linked folder, run from a read-only one; odd folders for state and, too long for sockets, for TMPDIR."""
    temporary, state = root / "t" / ODD / ("x" * SOCKET), root / "s" / ODD
    (root / "project").mkdir()
    (root / "link").symlink_to("project")
    for folder in (temporary, state):
        folder.mkdir(parents=True)
    settings = {"TMPDIR": str(temporary), "SEAWAY_HOME": str(state), "HOME": "/proc/nobody"}
    return Place(root / "link", Path("/proc"), settings)


@pytest.mark.parametrize("place", [inside, outside])
def test_a_model_is_trained_and_serves_there(place: Callable[[Path], Place], tmp_path: Path) -> None:
    here = place(tmp_path)
    here.folder.mkdir(exist_ok=True)
    for name in FILES:
        shutil.copy(LOCAL_PROGRAMS / name, here.folder)
    here.seaway("compile", here.pipeline, "--to", str(tmp_path / "compiled.yaml"))
    try:
        record = json.loads(here.seaway("run", here.pipeline, "-o", "json"))
        assert [step["state"] for step in record["steps"]] == ["succeeded"] * 5
        assert 0 < float(here.seaway("predict", "small", '{"größe": [[1.0]]}')) < 1
        assert here.seaway("runs").split("\t")[1:3] == ["small", "succeeded"]
    finally:
        here.seaway("down", "--all")
    tokens = [path for path in tmp_path.rglob("token") if "endpoints" in path.parts]
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tokens)


def test_a_project_is_begun_there(tmp_path: Path) -> None:
    here = inside(tmp_path)
    here.folder.mkdir()
    rows = "\n".join(f"{n % 9};{n % 2}" for n in range(400))
    (here.folder / "größe 1.csv").write_text(f"größe;back\n{rows}\n", encoding="utf-8")
    assert "Wrote" in here.seaway("init", "mine", "--from", "größe 1.csv", "--label", "back")
    here.seaway("compile", "./mine", "--to", "mine.yaml")
    assert (here.folder / "mine.yaml").is_file()
    assert any("größe" in file.read_text(encoding="utf-8") for file in (here.folder / "mine").rglob("*.py"))


def test_a_folder_that_no_search_path_can_name_is_told(tmp_path: Path) -> None:
    """Steps could not import what lies beside the pipeline, unless it is where they run."""
    folder = tmp_path / "a:b"
    shutil.copytree(LOCAL_PROGRAMS, folder, ignore=lambda _, names: set(names) - set(FILES))
    Place(folder, folder).seaway("compile", FILES[0])
    refused = subprocess.run(
        [SEAWAY, "run", str(folder / FILES[0])], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "Run the pipeline from inside that folder" in refused.stderr
    assert not (tmp_path / ".seaway" / "runs").exists()
