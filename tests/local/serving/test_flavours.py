"""One endpoint whose arms are models of two flavours, imported by the component, compared with this process."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from foreign_models import COLUMNS, MODELS, exported_model, onnx_model, rows
from onnx import numpy_helper
from seaway import models
from seaway.evaluation.evaluator import evaluate
from seaway.evaluation.gate import Gate
from seaway.kfp import catalog
from seaway.models.importing import ImportSpec, import_model
from seaway.platforms.home import keys
from seaway.platforms.local.serving.endpoint import LocalEndpoint
from seaway.platforms.local.serving.rollout_state import FileRolloutStore
from seaway.platforms.local.serving.traffic import EnvoyMetrics, EnvoyTraffic
from seaway.rollout import Decision, Notary, Policy, Replay, RolloutPlan, Step, Yardstick, run
from seaway.serving import Client, DeployedEndpoint, EndpointSpec, GrpcClient

ARMS = {"stable": "onnx", "candidate": "lightgbm"}


@pytest.fixture(scope="module")
def train(tmp_path_factory: pytest.TempPathFactory) -> Path:
    x, y = rows()
    file = tmp_path_factory.mktemp("rows") / "train.parquet"
    pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "y": y}).to_parquet(file)
    return file


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory, train: Path) -> Iterator[dict[str, Path]]:
    environment = pytest.MonkeyPatch()
    environment.setenv("SEAWAY_HOME", str(tmp_path_factory.mktemp("state")))
    component = next(entry for entry in catalog.components() if entry.name == "import_model").load()
    made = {}
    for arm, flavour in ARMS.items():
        name, write = MODELS[flavour]
        folder = tmp_path_factory.mktemp(arm)
        package = SimpleNamespace(path=str(folder / "package"), metadata={})
        component.python_func(
            package=package, uri=str(write(folder / name)), task="binary", label="y", train=SimpleNamespace(path=train)
        )
        assert package.metadata["summary"].startswith(f"{flavour}, signed")
        made[arm] = Path(package.path)
    yield made
    environment.undo()


@pytest.fixture(scope="module")
def endpoint(packages: dict[str, Path]) -> Iterator[DeployedEndpoint]:
    endpoints = LocalEndpoint()
    yield endpoints.deploy(EndpointSpec("both", "r1", packages["stable"], packages["candidate"]))
    endpoints.remove("both", "r1")


@pytest.mark.parametrize("kind", [Client, GrpcClient])
def test_each_arm_answers_as_its_own_library_does_here_many_rows_and_one(
    kind: type[Client] | type[GrpcClient], endpoint: DeployedEndpoint, packages: dict[str, Path]
) -> None:
    with kind(endpoint.url, endpoint.token()) as client:
        for arm, package in packages.items():
            model = models.load(package)
            output = model.signature.prediction
            expected = model.predict(COLUMNS)[output]
            np.testing.assert_array_equal(client.infer("both", COLUMNS, arm=arm)[output], expected)
            assert client.arm == arm
            one = {name: values[:1] for name, values in COLUMNS.items()}
            np.testing.assert_allclose(client.infer("both", one, arm=arm)[output], expected[:1], atol=1e-6)


def test_two_flavours_are_evaluated_against_each_other(packages: dict[str, Path], train: Path, tmp_path: Path) -> None:
    beside = {"linear": packages["stable"]}
    settings = {"production": None, "gate": Gate(), "slices": (), "label": "", "task": "", "group": ""}
    made = evaluate(packages["candidate"], train, train, tmp_path, baselines=beside, **settings)  # type: ignore[arg-type]
    aucs = {name: figures["roc_auc"]["value"] for name, figures in made.figures["models"].items()}
    assert aucs["linear"] == 1.0
    assert aucs["model"] > 0.95


def turned(file: Path) -> Path:
    """The same network, its answers those of the other class."""
    return onnx_model(file, initializer=[numpy_helper.from_array(np.array([[-2.0], [1.0]], np.float32), "weight")])


@pytest.mark.parametrize(
    ("stable", "candidate", "decision"),
    [
        (exported_model, onnx_model, Decision.PROMOTE),
        (onnx_model, exported_model, Decision.PROMOTE),
        (exported_model, turned, Decision.ROLLBACK),
    ],
    ids=["ONNX follows torch.export", "torch.export follows ONNX", "a worse ONNX follows torch.export"],
)
def test_a_canary_of_another_flavour_is_judged_by_its_answers(
    tmp_path: Path,
    train: Path,
    packages: dict[str, Path],
    stable: Callable[[Path], Path],
    candidate: Callable[[Path], Path],
    decision: Decision,
) -> None:
    signing = models.signing_keys(keys()).private
    made = {}
    for arm, write in {"stable": stable, "candidate": candidate}.items():
        file = write(tmp_path / f"{arm}{'.pt2' if write is exported_model else '.onnx'}")
        given = ImportSpec(file, "canary", sample=COLUMNS, task="binary", label="y")
        made[arm] = import_model(given, tmp_path / arm / "package", signing).path
    endpoints = LocalEndpoint()
    spec = EndpointSpec("canary", "r1", made["stable"], made["candidate"])
    endpoint = replace(endpoints.deploy(spec), targets=spec.targets)
    try:
        plan = RolloutPlan(endpoint, (Step(25, 100), Step(100, 300)), Policy.of(0.05, 0.0, 0.1, 0.05, budget=4_000))
        with Replay(train, endpoint, Yardstick.of(endpoint.targets), shadow=1.0, passes=10) as requests:
            state = FileRolloutStore(tmp_path / "state.json")
            found = run(plan, EnvoyTraffic(), requests, EnvoyMetrics(), state, Notary.beside(endpoint, signing))
    finally:
        endpoints.remove("canary", "r1")
    assert found.decision is decision, found.reason
    assert sum(sum(tick["errors"].values()) for tick in found.ticks) == 0
