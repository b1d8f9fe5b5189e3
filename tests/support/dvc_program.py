"""The real DVC, from an environment of its own, which a person makes once; tests skip where it is not there.

uv venv --python 3.11 ~/.cache/seaway/dvc-3.67.1
uv pip install --python ~/.cache/seaway/dvc-3.67.1/bin/python 'dvc[s3]==3.67.1'
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "seaway"
PROGRAM = CACHE / "dvc-3.67.1" / "bin" / "dvc"
SETTINGS = {
    "DVC_NO_ANALYTICS": "1",
    "GIT_AUTHOR_NAME": "ann", "GIT_AUTHOR_EMAIL": "ann@example.com",
    "GIT_COMMITTER_NAME": "ann", "GIT_COMMITTER_EMAIL": "ann@example.com",
}  # fmt: skip


def run(folder: Path, *words: str, environment: Mapping[str, str] | None = None) -> str:
    """What `git` or `dvc` says in `folder`."""
    program = str(PROGRAM) if words[0] == "dvc" else words[0]
    done = subprocess.run(
        [program, *words[1:]], cwd=folder, env={**os.environ, **SETTINGS, **(environment or {})},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()
