"""`seaway run edge`: from rows to a page of models for devices, and a run that ends where a gate is closed."""

import json
from pathlib import Path

import pytest
import seaway_runs
from seaway import edge
from seaway.errors import InvalidSpec


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """One run, whose second variant is too large for its own gate, and whose third chooses layers."""
    home = tmp_path_factory.mktemp("home")
    quick = {"label": "digit", "task": "multiclass", "image": "picture", "size": [8, 8], "channels": 1, "epochs": 3}
    second = {"target": "onnxruntime", "precision": "int8-static", "gate": {"max_size_mb": 0.001}}
    third = {"target": "onnxruntime", "precision": "int8-static", "bound": {"max_difference": 1e-4}}
    variants = [{"target": "onnxruntime", "gate": {"max_flips": 0.0}}, second, third]
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
    assert packages == {"onnxruntime-float32", "onnxruntime-int8-static", "onnxruntime-int8-static-bounded"}


def test_layers_stay_in_float32_where_a_variant_has_a_bound(run: tuple[Path, str]) -> None:
    home, _ = run
    (page,) = home.glob("artifacts/*/compare-edge/comparison/edge.html")
    (found,) = home.glob("artifacts/*/compare-edge/comparison/evaluation.json")
    _, plain, bounded = json.loads(found.read_text())["measured"]
    assert plain["parity"]["maximum"] > 1e-3
    assert plain["kept"] == []
    assert bounded["parity"]["maximum"] < plain["parity"]["maximum"] / 10
    assert f"to stay within max_difference 0.0001: {', '.join(bounded['kept'])}." in page.read_text()
    assert bounded["kept"]


def test_a_bound_without_rows_to_hold_it_against_is_refused_before_anything_is_converted(tmp_path: Path) -> None:
    bounded = edge.Variant("openvino", "int8-static", bound={"max_loss": 0.01})
    with pytest.raises(InvalidSpec, match="openvino-int8-static-bounded choose layers by validation rows"):
        edge.compare_edge(*[tmp_path] * 6, [bounded])
