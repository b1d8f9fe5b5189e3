"""`seaway run` as a person runs it, in a state folder of the test's own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SEAWAY = Path(sys.executable).with_name("seaway")
SHUT = 'gate={"min_rows": 1000000000}'  # a run ends at the gate: what follows is held by tests of its own
QUICK = ("epochs=1", "workers=1", "tune_trials=0", SHUT)


def run(home: Path, pipeline: str, *params: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a pipeline to its end, with `params` as NAME=VALUE."""
    options = [part for param in params for part in ("-p", param)]
    return subprocess.run(
        [str(SEAWAY), "run", pipeline, *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SEAWAY_HOME": str(home), **environment},
    )


def steps(home: Path) -> list[dict[str, Any]]:
    """The steps of the newest run, in the order in which they ran."""
    newest = max((home / "runs").glob("*/run.json"))
    found: list[dict[str, Any]] = json.loads(newest.read_text())["steps"]
    return found


def artifact(home: Path, step: str, name: str) -> Path:
    """An output of a step of the newest run."""
    [found] = [one for one in steps(home) if one["name"] == step]
    return Path(found["outputs"][name]["uri"])
