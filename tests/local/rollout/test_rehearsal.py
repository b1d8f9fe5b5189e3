"""`seaway rollout rehearse`: recorded requests, real servers and Envoy, and faults that were asked for."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from seaway.cli.app import app
from seaway.models import ExportedModel, signing_keys
from seaway.platforms.home import run_id
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from small_package import PLANS, WEATHER, small_package
from typer.testing import CliRunner

ROWS = 900


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Packages of which `candidate` predicts as `stable` does, and a log of what was served in an hour."""
    folder = tmp_path_factory.mktemp("rehearsal")
    for name, bias in (("stable", 0.0), ("candidate", 0.001)):
        small_package(folder / name, folder / "home", seed=1, bias=bias)
    random = np.random.default_rng(2)
    served = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(4 * np.arange(ROWS), unit="s")
    inputs = {
        "plan": random.choice(PLANS, size=ROWS).astype(object),
        "distance": random.uniform(100, 3000, size=ROWS),
        "weather": random.normal(size=(ROWS, WEATHER)),
    }
    rows = [str(row) for row in range(ROWS)]
    columns = {"id": rows, "served_at": served, "version": "v1", "prediction": 0.5, **inputs}
    (folder / "served").mkdir()
    pd.DataFrame({**columns, "weather": list(inputs["weather"])}).to_parquet(folder / "served" / "1.parquet")
    return folder


def told_by(command: Sequence[str]) -> Any:
    done = CliRunner().invoke(app, [*command, "--output", "json"])
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def rehearsed(folder: Path, monkeypatch: pytest.MonkeyPatch, *options: str) -> dict[str, Any]:
    """What a rehearsal tells; it leaves no endpoint and no evidence."""
    monkeypatch.setenv("SEAWAY_HOME", str(folder / "home"))
    packages = [str(folder / name / "package") for name in ("stable", "candidate")]
    key = str(signing_keys(folder / "home" / "keys").public)
    command = ["rollout", "rehearse", *packages, "--log", str(folder / "served"), "--public-key", key, *options]
    told: dict[str, Any] = told_by(command)
    assert [endpoint.name for endpoint in LocalEndpoint().list() if endpoint.run == run_id()] == []
    assert not (folder / "candidate" / "package.rollout").exists()
    return told


@pytest.mark.parametrize(
    ("criterion", "options"),
    [
        ("errors", ("--speed", "600", "--fault", "errors=15%@candidate", "--fault", "drops=15%@candidate")),
        ("latency", ("--passes", "4", "--fault", "latency=100ms@candidate")),
    ],
)
def test_faults_that_were_asked_for_roll_the_candidate_back(
    folder: Path, monkeypatch: pytest.MonkeyPatch, criterion: str, options: Sequence[str]
) -> None:
    told = rehearsed(folder, monkeypatch, *options)
    assert told["decision"] == "ROLLBACK", told
    assert criterion in told["reason"].lower()
    assert told["forecast"]["rolled_back"] > 0.9
    assert told["recorded_per_hour"] == pytest.approx(900, rel=0.01)


@pytest.fixture(scope="module")
def labels(folder: Path) -> Path:
    """By id, of another order than the log and with strangers: what stable predicts, where its odds are above most."""
    rows = pd.read_parquet(folder / "served")
    columns = {
        name: np.array(rows[name].tolist(), object).reshape(ROWS, -1) for name in ("plan", "distance", "weather")
    }
    chance = ExportedModel.load(folder / "stable" / "package").predict(columns)["probability"].ravel()
    known = pd.DataFrame({"id": rows["id"], "churned": (chance > np.median(chance)).astype("int8")})
    strangers = pd.DataFrame({"id": ["a stranger"], "churned": [1]})
    pd.concat([known, strangers]).sample(frac=1, random_state=3).to_parquet(folder / "labels.parquet")
    return folder / "labels.parquet"


def test_answers_that_belong_to_another_request_are_found_by_the_labels_alone(
    folder: Path, labels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every status is right and every answer a legal one, which are the request's before."""
    fault = ("--passes", "8", "--shadow", "1", "--fault", "answers=90%@candidate")
    told = rehearsed(folder, monkeypatch, *fault, "--labels", str(labels))
    assert told["decision"] == "ROLLBACK", told
    assert "quality" in told["reason"].lower()
    assert told["forecast"]["rolled_back"] > 0.9


def test_an_equal_version_is_promoted_about_as_soon_as_was_planned(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through both proxies, without a fault, and by what real answers show in place of what the plan assumes."""
    told = rehearsed(folder, monkeypatch, "--passes", "8")
    assert told["decision"] == "PROMOTE", told
    command = ["rollout", "plan", "--error-rate", "0", "--quality-margin", "0"]
    planned = next(one for one in told_by(command) if one["name"] == "equal")
    assert planned["promoted"] > 0.9
    assert told["forecast"]["promoted"] > 0.9
    full = 800 * 1.3  # requests of the last step, which only the plan counts
    assert told["forecast"]["requests"] == pytest.approx(planned["requests"] - full, rel=0.5)
