"""A real exported model is measured against real baselines, as SDK call and as component."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from kfp import dsl
from seaway.errors import DataUnreadable, GateClosed, InvalidSpec
from seaway.evaluation import Gate, evaluate
from seaway.models import ExportedModel, Signature, TensorSpec
from seaway.tasks import Target
from seaway_components.evaluation.check_gate.component import check_gate
from seaway_components.evaluation.evaluate_model.component import evaluate_model
from sklearn.metrics import roc_auc_score

LATE = Target("binary", "late")


class Linear(torch.nn.Module):
    """sigmoid(slope * wind - 1)."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = torch.nn.Parameter(torch.tensor([slope]))

    def forward(self, wind: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(self.slope * wind - 1)


def export(folder: Path, slope: float) -> Path:
    folder.mkdir()
    shapes = ({0: torch.export.Dim("rows", min=1)},)
    program = torch.export.export(Linear(slope), (torch.zeros(4, 1),), dynamic_shapes=shapes)
    torch.export.save(program, folder / "model.pt2")
    Signature("flights", (TensorSpec("wind", "FP32"),), (TensorSpec("probability", "FP32"),), target=LATE).write(folder)
    return folder


def rows(seed: int, count: int = 2000) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    wind = random.normal(size=count).astype(np.float32)
    return pd.DataFrame(
        {
            "wind": wind,
            "late": (random.random(count) < 1 / (1 + np.exp(1 - wind))).astype(np.int8),
            "carrier": random.choice(["UA", "<b>HA</b>"], count, p=[0.99, 0.01]),
            "event_timestamp": pd.date_range("2013-01-15", periods=count, freq="20min", tz="UTC"),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation")
    rows(1).to_parquet(folder / "train.parquet")
    rows(2).to_parquet(folder / "test.parquet")
    export(folder / "good", 1.0)
    export(folder / "bad", -1.0)
    export(folder / "broken", float("nan"))
    return folder


def measure(folder: Path, output: Path, model: str = "good", **settings: Any) -> Any:
    settings = {"baselines": {"other": folder / "bad"}, "slices": ["carrier", "month"], "group": "carrier", **settings}
    return evaluate(folder / model, folder / "test.parquet", folder / "train.parquet", output, **settings)


def test_the_figures_are_those_of_the_models_own_answers(folder: Path, tmp_path: Path) -> None:
    result = measure(folder, tmp_path, production=folder / "bad", gate=Gate({"beats:carrier_rate": 0.0}))
    test = rows(2)
    answer = ExportedModel.load(folder / "good").predict({"wind": test["wind"].to_numpy()})["probability"]
    assert result.metrics["roc_auc"] == pytest.approx(roc_auc_score(test["late"], answer[:, 0]), abs=1e-6)
    assert result.passed
    assert result.figures["differences"]["production"]["roc_auc"]["low"] > 0
    assert result.confusion
    assert result.confusion[0] == ["not late", "late"]
    assert np.sum(result.confusion[1]) == len(test)
    assert all(len(part) <= 100 for part in result.roc)
    assert result.roc[0][0] == 0
    assert result.roc[1][-1] == 1
    slices = result.figures["slices"]
    assert sum(part["rows"] for part in slices["month"]) == len(test)
    assert [part["small"] for part in slices["carrier"]] == [False, True]


def test_a_baseline_that_is_in_production_is_measured_once_and_judged_under_both_names(
    folder: Path, tmp_path: Path
) -> None:
    rules = {"beats:other": 0.0, "beats:production": 0.0}
    result = measure(folder, tmp_path, production=folder / "bad", gate=Gate(rules))
    assert list(result.figures["models"]) == ["model", "production", "carrier_rate"]
    assert [outcome["passed"] for outcome in result.figures["gate"]["outcomes"]] == [True, True]
    document = (tmp_path / "evaluation.html").read_text()
    assert "production (other)" in document
    assert "The model in production is the other; it is shown once." in document


def test_a_model_that_is_in_production_is_told_to_be(folder: Path, tmp_path: Path) -> None:
    measure(folder, tmp_path, production=folder / "good")
    assert "This model is the one in production" in (tmp_path / "evaluation.html").read_text()


def test_the_page_says_honestly_that_a_baseline_is_not_beaten(folder: Path, tmp_path: Path) -> None:
    result = measure(
        folder, tmp_path, model="bad", baselines={"other": folder / "good"}, gate=Gate({"beats:other": 0.0})
    )
    document = (tmp_path / "evaluation.html").read_text()
    assert not result.passed
    assert "The model is worse than other by" in document
    assert "gate closed" in document
    assert "<b>HA" not in document


def test_the_same_evaluation_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        measure(folder, tmp_path / name)
    for file in ("evaluation.json", "evaluation.html"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_model_that_answers_nan_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataUnreadable, match="2000 of 2000 rows"):
        measure(folder, tmp_path, model="broken")


def test_a_gate_on_a_model_that_is_not_there_is_refused_before_any_work(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="production"):
        measure(folder, tmp_path, gate=Gate({"beats:production": 0.0}))


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (rows(3).drop(columns="wind"), "takes wind"),
        (rows(3).drop(columns="late"), "no column 'late'"),
        (rows(3).assign(late=1), "every row has late = 1"),
        (rows(3).assign(late=np.nan), "missing in 2000 of 2000 rows"),
        (rows(3).head(0), "no rows"),
        (rows(3).drop(columns="carrier"), "no column 'carrier'"),
    ],
)
def test_unusable_rows_are_refused_with_the_reason(
    folder: Path, tmp_path: Path, broken: pd.DataFrame, reason: str
) -> None:
    broken.to_parquet(tmp_path / "test.parquet")
    with pytest.raises(DataUnreadable, match=reason):
        evaluate(
            folder / "good", tmp_path / "test.parquet", folder / "train.parquet", tmp_path / "out", group="carrier"
        )


def test_a_truncated_file_is_refused(folder: Path, tmp_path: Path) -> None:
    whole = (folder / "test.parquet").read_bytes()
    (tmp_path / "test.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataUnreadable, match="no readable Parquet"):
        evaluate(
            folder / "good", tmp_path / "test.parquet", folder / "train.parquet", tmp_path / "out", group="carrier"
        )


def artifact(kind: type[dsl.Artifact], path: Path) -> Any:
    return kind(name=path.name, uri=str(path), metadata={})


def test_the_component_writes_what_the_dashboard_draws_and_the_gate_fails_the_step(
    folder: Path, tmp_path: Path
) -> None:
    outputs = {
        "evaluation": artifact(dsl.Artifact, tmp_path / "evaluation"),
        "metrics": artifact(dsl.Metrics, tmp_path / "metrics"),
        "classification": artifact(dsl.ClassificationMetrics, tmp_path / "classification"),
        "report": artifact(dsl.HTML, tmp_path / "report.html"),
    }
    evaluate_model.python_func(
        model=artifact(dsl.Model, folder / "bad"),
        baseline=artifact(dsl.Model, folder / "good"),
        production=artifact(dsl.Model, folder / "good"),
        train=artifact(dsl.Dataset, folder / "train.parquet"),
        test=artifact(dsl.Dataset, folder / "test.parquet"),
        slices=["month"],
        gate={"not_worse_than:production": 0.01},
        **outputs,
    )
    assert 0 < outputs["metrics"].metadata["roc_auc"] < 0.5
    assert len(outputs["classification"].metadata["confidenceMetrics"]) <= 100
    assert "gate closed" in outputs["evaluation"].metadata["summary"]
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    json.dumps([output.metadata for output in outputs.values()], allow_nan=False)
    gate = {"evaluation": outputs["evaluation"], "page": artifact(dsl.HTML, tmp_path / "gate.html")}
    assert check_gate.python_func(**gate, stop=False) == "0 of 1 rules met"
    assert "The gate stays closed" in (tmp_path / "gate.html").read_text()
    with pytest.raises(GateClosed, match="not_worse_than:production"):
        check_gate.python_func(**gate)
