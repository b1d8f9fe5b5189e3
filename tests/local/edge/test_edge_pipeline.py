"""`seaway run edge`: from rows to a page of models for devices, and a run that ends where a gate is closed."""

import json
from pathlib import Path

import pytest
import seaway_runs


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """One run, whose second variant is too large for its own gate."""
    home = tmp_path_factory.mktemp("home")
    quick = {"label": "digit", "task": "multiclass", "image": "picture", "size": [8, 8], "channels": 1, "epochs": 3}
    second = {"target": "onnxruntime", "precision": "int8-static", "gate": {"max_size_mb": 0.001}}
    variants = [{"target": "onnxruntime", "gate": {"max_flips": 0.0}}, second]
    words = [f"params={json.dumps(quick)}", f"variants={json.dumps(variants)}", "gate={}", "limit=50"]
    done = seaway_runs.run(home, "edge", *words)
    assert done.returncode != 0
    return home, done.stdout + done.stderr


def test_a_closed_gate_ends_the_run_and_names_variant_rule_and_figure(run: tuple[Path, str]) -> None:
    _, told = run
    assert "GateClosed" in told
    assert "1 of 2 rules are not met" in told
    assert "onnxruntime-int8-static: max_size_mb" in told


def test_the_page_shows_every_variant_and_the_packages_are_there_all_the_same(run: tuple[Path, str]) -> None:
    home, _ = run
    (page,) = home.glob("artifacts/*/compare-edge/comparison/edge.html")
    text = page.read_text()
    assert all(title in text for title in ("ONNX Runtime, float32", "ONNX Runtime, int8-static", "eager PyTorch"))
    packages = {path.name for path in home.glob("artifacts/*/compare-edge/packages/*")}
    assert packages == {"onnxruntime-float32", "onnxruntime-int8-static"}
