"""The command line on the real catalogue: list, show, compile, and refuse before anything starts."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kfp import components
from places import PROJECT


def seaway(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from seaway.cli import main; main()", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


def test_every_listed_component_can_be_shown(tmp_path: Path) -> None:
    listed = json.loads(seaway("components", "list", "--output", "json", cwd=tmp_path).stdout)
    assert {"train_pytorch", "roll_out", "get_training_examples"} <= {entry["function"] for entry in listed}
    shown = json.loads(seaway("components", "show", "train_pytorch", "--output", "json", cwd=tmp_path).stdout)
    assert {"name": "workers", "type": "int", "default": 1}.items() <= _named(shown["parameters"], "workers").items()
    assert _named(shown["outputs"], "model")["type"] == "Model"


def _named(ports: list[dict[str, object]], name: str) -> dict[str, object]:
    return next(port for port in ports if port["name"] == name)


def test_a_compiled_pipeline_can_be_submitted(tmp_path: Path) -> None:
    assert seaway("compile", "flights", cwd=tmp_path).stdout.strip() == "flights.yaml"
    spec = components.load_component_from_file(str(tmp_path / "flights.yaml")).pipeline_spec
    assert spec.root.input_definitions.parameters["months"].default_value.string_value == "all"
    dags = [spec.root.dag, *(component.dag for component in spec.components.values())]
    tasks = {name: task for dag in dags for name, task in dag.tasks.items()}
    uncached = {name for name, task in tasks.items() if not task.caching_options.enable_cache}
    kept_for_the_report = {"write-model-report", "deploy-endpoint", "roll-out"}
    assert kept_for_the_report | {"write-report", "get-production-model"} <= uncached
    assert tasks["ingest-tables"].caching_options.enable_cache
    assert all(task.task_info.name for task in tasks.values())


def test_kubernetes_objects_are_named_after_their_content(tmp_path: Path) -> None:
    for name in ("first.yaml", "second.yaml"):
        done = seaway("compile", "flights", "--kubernetes-manifest-format", "--to", name, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    pipeline, version = yaml.safe_load_all((tmp_path / "first.yaml").read_text())
    assert (pipeline["kind"], version["kind"]) == ("Pipeline", "PipelineVersion")
    assert version["metadata"]["name"].startswith("flights-")
    _, again = yaml.safe_load_all((tmp_path / "second.yaml").read_text())
    assert again["metadata"]["name"] == version["metadata"]["name"]


@pytest.mark.parametrize("pipeline", ["flights", str(PROJECT / "pipelines" / "flights" / "pipeline.yaml")])
def test_a_wrong_parameter_is_refused_with_all_parameters_before_anything_starts(pipeline: str, tmp_path: Path) -> None:
    refused = seaway("run", pipeline, "-p", "month=1", cwd=tmp_path)
    assert refused.returncode == 2
    assert "Unknown parameter month." in refused.stderr
    assert 'months: str = "all"' in refused.stderr
    assert not (tmp_path / ".seaway").exists()
