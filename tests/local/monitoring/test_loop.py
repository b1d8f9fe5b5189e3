"""The loop on real months: January's model in summer is retrained, in January it is left alone."""

from pathlib import Path

import pytest
from seaway.platforms.mlflow import MlflowRegistry
from seaway_runs import QUICK, run, steps

BOTH = (
    "ingest-tables",
    "validate-tables",
    "build-features",
    "get-training-examples",
)  # of the check and of what follows


def test_summer_calls_for_a_successor_which_the_gate_judges(january: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(january, "flights_retraining", "months=7", *QUICK)
    assert done.returncode != 0
    assert "GateClosed" in done.stdout + done.stderr
    twice = [step["state"] for step in steps(january) if step["name"] in BOTH]
    assert twice == [*["succeeded"] * len(BOTH), *["cached"] * len(BOTH)]
    monkeypatch.setenv("SEAWAY_HOME", str(january))
    kept = MlflowRegistry().production("flights")
    assert kept is not None
    assert kept.version == "1"
    figures = (january / "metrics" / "seaway_flights_drift.prom").read_text()
    assert 'seaway_drift_alarm{model="flights"} 1.0' in figures


def test_january_itself_calls_for_nothing(january: Path) -> None:
    done = run(january, "flights_retraining", "months=1", *QUICK)
    assert done.returncode == 0, done.stderr
    assert steps(january)[-1]["name"] == "decide-retraining"
    assert 'seaway_drift_alarm{model="flights"} 0.0' in (january / "metrics" / "seaway_flights_drift.prom").read_text()
