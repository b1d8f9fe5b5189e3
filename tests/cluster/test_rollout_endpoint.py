"""The product's own steps on a cluster: real model servers behind a real gateway, rolled back, then promoted."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import edge
import endpoints
import numpy as np
import pandas as pd
import pytest
from kfp import dsl
from kubernetes import dynamic
from namespaces import made_namespace
from object_store_pod import object_store
from seaway.models import ExportedModel
from seaway.platforms.kubernetes.connection import connect
from seaway.platforms.kubernetes.objects import Objects
from seaway.platforms.local.mlflow import MlflowTracker
from seaway.rollout import Decision
from seaway.serving import DeployedEndpoint
from seaway_components.rollout.roll_out.component import roll_out
from seaway_components.serving.deploy_endpoint.component import deploy_endpoint
from small_package import CARRIERS, WEATHER, small_package

import images

pytestmark = pytest.mark.timeout(900)
NAME = "flights"
ROWS = 3_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def packages(home: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """`good` is the model that the labels are drawn from; stable is a bit off, `bad` is far off."""
    folder = tmp_path_factory.mktemp("packages")
    biases = {"good": 0.0, "stable": 0.3, "bad": 2.5}
    return {name: small_package(folder / name, home, seed=1, bias=bias) for name, bias in biases.items()}


@pytest.fixture(scope="module")
def examples(packages: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    random = np.random.default_rng(7)
    events = pd.Timestamp("2013-12-01", tz="UTC") + pd.to_timedelta(5 * np.arange(ROWS), unit="min")
    weather = random.normal(size=(ROWS, WEATHER))
    columns = {
        "carrier": random.choice(CARRIERS, size=(ROWS, 1)).astype(object),
        "distance": random.uniform(100, 3000, size=(ROWS, 1)),
        "weather": weather,
    }
    probability = ExportedModel.load(packages["good"]).predict(columns)["probability"].ravel()
    rows = {
        "event_timestamp": events,
        "label_timestamp": events + pd.Timedelta(hours=2),
        "carrier": columns["carrier"].ravel(),
        "distance": columns["distance"].ravel(),
        "weather": list(weather),
        "late": (random.uniform(size=ROWS) < probability).astype("int8"),
    }
    file = tmp_path_factory.mktemp("replay") / "replay.parquet"
    pd.DataFrame(rows).to_parquet(file)
    return file


@pytest.fixture
def place(cluster: dynamic.DynamicClient, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, object]]:
    """A namespace with a store and a gateway, named as a user names them; yields the pods' settings."""
    edge.require_gateway(cluster)
    image = images.server_image()
    with made_namespace(cluster) as name, object_store(cluster.client, name) as store:
        host = f"{NAME}.{name}"
        Objects(replace(connect(), namespace=name)).create(edge.GATEWAYS, edge.istio_gateway(name, host))
        settings = {
            "SEAWAY_PLATFORM": "kubernetes",
            "SEAWAY_NAMESPACE": name,
            "SEAWAY_GATEWAY": f"{name}/edge",
            "SEAWAY_GATEWAY_URL": edge.URL,
            "SEAWAY_GATEWAY_ADMIN": edge.ADMIN,
            "SEAWAY_GATEWAY_STATS": edge.STATS,
            "SEAWAY_ENDPOINT": "deployment",
            "SEAWAY_METRICS": "gateway",
            **endpoints.environment(store, home),
        }
        for variable, value in settings.items():
            monkeypatch.setenv(variable, value)
        yield endpoints.hosting(image, store)


def rolled_out(
    folder: Path, run: str, packages: dict[str, Path], candidate: str, version: str, hosting: dict[str, object],
    examples: Path, monkeypatch: pytest.MonkeyPatch,
) -> tuple[str, str]:  # fmt: skip
    """What `deploy_endpoint` and then `roll_out` do in a run of their own."""
    monkeypatch.setenv("SEAWAY_RUN_ID", run)
    models = {
        arm: dsl.Model(name=arm, uri=str(packages[name]))
        for arm, name in {"stable": "stable", "candidate": candidate}.items()
    }
    endpoint, rollout = (dsl.Artifact(name=name, uri=str(folder / f"{run}-{name}")) for name in ("endpoint", "rollout"))
    deploy_endpoint.python_func(**models, endpoint=endpoint, name=NAME, hosting=hosting)
    outputs = roll_out.python_func(
        endpoint=endpoint,
        replay=dsl.Dataset(name="replay", uri=str(examples)),
        rollout=rollout,
        metrics=dsl.Metrics(name="metrics", uri=str(folder / f"{run}-metrics")),
        model_name=NAME,
        version=version,
        weights=[10, 50, 100],
        requests=[160, 240, 80],
        latency_margin=3.0,
    )
    return str(outputs[0]), str(outputs[1])


def test_a_worse_model_is_rolled_back_and_a_better_one_promoted_by_the_steps_of_a_run(
    place: dict[str, object],
    packages: dict[str, Path],
    examples: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tracker = MlflowTracker()
    versions = {name: tracker.register(NAME, packages[name]) for name in ("stable", "bad", "good")}
    tracker.promote(NAME, versions["stable"])
    common = (place, examples, monkeypatch)
    decision, reason = rolled_out(tmp_path, "r1", packages, "bad", versions["bad"], *common)
    assert decision == Decision.ROLLBACK, reason
    assert "quality" in reason.lower()
    decision, reason = rolled_out(tmp_path, "r2", packages, "good", versions["good"], *common)
    assert decision == Decision.PROMOTE, reason
    served = DeployedEndpoint.read(tmp_path / "r2-endpoint" / "endpoint.json")
    production = tracker.production(NAME)
    assert production
    assert production.version == versions["good"]
    asked = {"host": served.host, "authorization": f"Bearer {served.token()}"}
    answer = edge.fetch(f"{served.url}/v2/models/{NAME}", 30.0, asked)
    assert answer.headers["x-seaway-version"] == served.arms["candidate"].version
