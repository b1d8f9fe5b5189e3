"""The loop on real months: January's model in summer is retrained, in January it is left alone.

The gate is shut on purpose, so that a run ends there: what follows is the flights pipeline's own, held by its tests.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from seaway.platforms.local.mlflow import MlflowTracker

SEAWAY = Path(sys.executable).with_name("seaway")
SHUT = 'gate={"min_rows": 1000000000}'
QUICK = ("epochs=1", "workers=1", "tune_trials=0", SHUT)


def run(home: Path, pipeline: str, *params: str) -> subprocess.CompletedProcess[str]:
    options = [part for param in (*params, *QUICK) for part in ("-p", param)]
    return subprocess.run(
        [str(SEAWAY), "run", pipeline, *options],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SEAWAY_HOME": str(home)},
    )


@pytest.fixture(scope="module")
def january(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state folder whose production model has learned from January; as a first run's baseline it passes no gate."""
    home = tmp_path_factory.mktemp("home")
    done = run(home, "flights", "months=1")
    assert "GateClosed" in done.stdout + done.stderr
    return home


def test_summer_calls_for_a_successor_which_the_gate_judges(january: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(january, "flights_retraining", "months=7")
    assert done.returncode != 0
    assert "GateClosed" in done.stdout + done.stderr
    monkeypatch.setenv("SEAWAY_HOME", str(january))
    kept = MlflowTracker().production("flights")
    assert kept is not None
    assert kept.version == "1"
    figures = (january / "metrics" / "seaway_flights_drift.prom").read_text()
    assert 'seaway_drift_alarm{model="flights"} 1.0' in figures


def test_january_itself_calls_for_nothing(january: Path) -> None:
    done = run(january, "flights_retraining", "months=1")
    assert done.returncode == 0, done.stderr
    [newest] = sorted((january / "runs").glob("*/run.json"))[-1:]
    steps = [step["name"] for step in json.loads(newest.read_text())["steps"]]
    assert steps[-1] == "decide-retraining"
    assert 'seaway_drift_alarm{model="flights"} 0.0' in (january / "metrics" / "seaway_flights_drift.prom").read_text()
