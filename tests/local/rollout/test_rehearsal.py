"""`seaway rollout rehearse`: recorded requests, real servers and Envoy, and faults that were asked for."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from seaway.cli.app import app
from seaway.models import signing_keys
from seaway.platforms.home import run_id
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from small_package import PLANS, WEATHER, small_package
from typer.testing import CliRunner

ROWS = 900


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two packages, and a log of what was served in an hour."""
    folder = tmp_path_factory.mktemp("rehearsal")
    for name, bias in (("stable", 0.0), ("candidate", 0.05)):
        small_package(folder / name, folder / "home", seed=1, bias=bias)
    random = np.random.default_rng(2)
    served = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(4 * np.arange(ROWS), unit="s")
    columns = {
        "id": [str(row) for row in range(ROWS)],
        "served_at": served,
        "version": "v1",
        "prediction": 0.5,
        "plan": random.choice(PLANS, size=ROWS),
        "distance": random.uniform(100, 3000, size=ROWS),
        "weather": list(random.normal(size=(ROWS, WEATHER))),
    }
    (folder / "served").mkdir()
    pd.DataFrame(columns).to_parquet(folder / "served" / "1.parquet")
    return folder


def test_faults_that_were_asked_for_roll_the_candidate_back(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(folder / "home"))
    packages = [str(folder / name / "package") for name in ("stable", "candidate")]
    key = str(signing_keys(folder / "home" / "keys").public)
    faults = ["--fault", "errors=15%@candidate", "--fault", "drops=15%@candidate"]
    command = ["rollout", "rehearse", *packages, "--log", str(folder / "served"), "--speed", "600", *faults]
    done = CliRunner().invoke(app, [*command, "--public-key", key, "--output", "json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["decision"] == "ROLLBACK", told
    assert "Errors" in told["reason"]
    assert told["forecast"]["rolled_back"] > 0.9
    assert told["recorded_per_hour"] == pytest.approx(900, rel=0.01)
    assert [endpoint.name for endpoint in LocalEndpoint().list() if endpoint.run == run_id()] == []
    assert not (folder / "candidate" / "package.rollout").exists()
