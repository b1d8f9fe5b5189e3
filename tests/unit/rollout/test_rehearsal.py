"""Recorded requests as replay examples, at their times; what looks at them say of other rollouts."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from seaway.errors import DataUnreadable
from seaway.rollout import ArmObservation, Observation, Policy, Replay, RolloutPlan, Step
from seaway.rollout.rehearsal import record, resampled
from seaway.serving import Arm, DeployedEndpoint

START = pd.Timestamp("2026-01-01", tz="UTC")
POLICY = Policy(latency=None, quality=None, min_requests=20, budget=3_000)


@pytest.fixture
def served(tmp_path: Path) -> Path:
    """A log of two files, the later one first by name."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name, rows in (("b", [0, 1, 2]), ("a", [3, 4])):
        columns = {
            "id": [str(row) for row in rows],
            "served_at": [START + pd.Timedelta(minutes=row) for row in rows],
            "version": "v1",
            "prediction": 0.5,
            "distance": [float(row) for row in rows],
        }
        pd.DataFrame(columns).to_parquet(folder / f"{name}.parquet")
    return folder


def test_a_log_is_recorded_in_the_order_of_its_times(served: Path, tmp_path: Path) -> None:
    recording = record(str(served), tmp_path / "replay.parquet", ["distance"])
    rows = pq.read_table(recording.file).to_pydict()
    assert rows["id"] == ["0", "1", "2", "3", "4"]
    assert rows["distance"] == [0, 1, 2, 3, 4]
    assert (recording.rows, recording.per_hour, recording.label) == (5, pytest.approx(75.0), "")


def test_labels_are_found_by_id(served: Path, tmp_path: Path) -> None:
    pd.DataFrame({"id": [1, 3, 9], "late": [1, 0, 1]}).to_parquet(tmp_path / "labels.parquet")
    recording = record(str(served), tmp_path / "replay.parquet", ["distance"], tmp_path / "labels.parquet", "late")
    rows = pq.read_table(recording.file).to_pydict()
    assert (rows["id"], rows["late"], recording.label) == (["1", "3"], [1, 0], "late")


@pytest.mark.parametrize(
    ("labels", "label", "why"),
    [({"id": ["x"], "late": [1]}, "late", "No label"), ({"id": ["1"], "late": [1]}, "delay", "lacks delay")],
)
def test_labels_of_nothing_are_refused(
    served: Path, tmp_path: Path, labels: dict[str, list[object]], label: str, why: str
) -> None:
    pd.DataFrame(labels).to_parquet(tmp_path / "labels.parquet")
    with pytest.raises(DataUnreadable, match=why):
        record(str(served), tmp_path / "replay.parquet", ["distance"], tmp_path / "labels.parquet", label)


def test_a_model_that_needs_what_was_not_logged_is_refused(served: Path, tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="lacks weather"):
        record(str(served), tmp_path / "replay.parquet", ["distance", "weather"])


@pytest.mark.parametrize("passes", [1, 2])
def test_rows_wait_for_their_time(served: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, passes: int) -> None:
    recording = record(str(served), tmp_path / "replay.parquet", ["distance"])
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr(time, "monotonic", lambda: 100.0)
    endpoint = DeployedEndpoint("flights", "r1", tmp_path, arms={"stable": Arm("v", "p", "c")})
    with Replay(recording.file, endpoint, speed=60.0, passes=passes) as replay:
        for number in range(5 * passes):
            replay._begin(range(number, number + 1))
            replay._wait(number)
    assert slept == pytest.approx([0, 1, 2, 3, 4] * passes)


def looks(failing: float, count: int = 30) -> list[Observation]:
    random = np.random.default_rng(1)
    found = []
    for number in range(count):
        errors = {"stable": random.binomial(60, 0.01), "candidate": random.binomial(60, failing)}
        arms = {arm: ArmObservation(60, int(count)) for arm, count in errors.items()}
        found.append(Observation(float(number), **arms, measured_at=float(number), weight=10 if number < 10 else 50))
    return found


def planned(tmp_path: Path) -> RolloutPlan:
    endpoint = DeployedEndpoint("flights", "r1", tmp_path)
    return RolloutPlan(endpoint, (Step(10, 200), Step(50, 400), Step(100, 100)), POLICY)


def test_looks_that_are_drawn_again_end_as_what_they_saw(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    bad = resampled(looks(0.3), plan)
    assert (bad.rolled_back, bad.candidate.error_rate) == (1.0, pytest.approx(0.3, abs=0.03))
    assert bad.requests < 1_000
    wide = replace(plan, policy=replace(POLICY, errors=replace(POLICY.criteria["errors"], margin=0.1)))
    good = resampled(looks(0.01), wide)
    assert good.promoted > 0.9
    narrow = resampled(looks(0.01), replace(plan, policy=replace(POLICY, budget=800)))
    assert narrow.undecided > 0.9


def test_what_ended_at_its_first_look_is_drawn_from_that(tmp_path: Path) -> None:
    assert resampled(looks(1.0, count=1), planned(tmp_path)).rolled_back == 1.0
