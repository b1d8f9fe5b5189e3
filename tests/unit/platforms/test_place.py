import os
import re
from pathlib import Path

import pytest
from places import PROJECT
from seaway import platforms, registry
from seaway.errors import InvalidSpec
from seaway.models import ModelRegistry

PIPELINE = PROJECT / "pipelines" / "flights" / "pipeline.yaml"
ASKED = re.findall(r"platforms\.current\((?:\w+\.)?([A-Z]\w+)", PIPELINE.read_text(encoding="utf-8"))
PORTS = sorted({*ASKED, "Trainer"})  # which the library asks for the steps that train
HERE = {
    "Trainer": "torchrun", "Tuner": "optuna", "Endpoint": "process", "Traffic": "envoy", "TrafficMetrics": "envoy",
    "ServiceGraph": "none", "RolloutStore": "file", "ModelRegistry": "mlflow",
}  # fmt: skip
THERE = {
    "Trainer": "trainjob", "Tuner": "katib", "Endpoint": "seldondeployment", "Traffic": "gateway-api",
    "TrafficMetrics": "prometheus", "ServiceGraph": "kiali", "RolloutStore": "configmap", "ModelRegistry": "mlflow",
}  # fmt: skip


@pytest.fixture(autouse=True)
def laptop(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "KUBERNETES_SERVICE_HOST",
        "SEAWAY_PLATFORM",
        *(port.variable for port in registry.PORTS.values()),
    ):
        monkeypatch.setenv(name, "")  # so that what a test chooses is undone after it
        monkeypatch.delenv(name)


def offer(monkeypatch: pytest.MonkeyPatch, **adapters: tuple[str, str]) -> None:
    """Have these backends of the port `Trainer` and no others: name = (place, adapter)."""
    others = [one for one in registry.BACKENDS if one.port != "Trainer"]
    trainers = [registry.Backend("Trainer", name, *where) for name, where in adapters.items()]
    monkeypatch.setattr(registry, "BACKENDS", (*trainers, *others))


class Trainer:
    """Stands for the port of that name: `current` looks ports up by class name."""


def test_an_unknown_backend_is_refused_with_those_that_exist() -> None:
    with pytest.raises(InvalidSpec, match="torchrun"):
        platforms.current(Trainer, "horovod")


def test_a_place_without_an_adapter_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    offer(monkeypatch, torchrun=("local", "json:loads"))
    with pytest.raises(InvalidSpec, match="auto on kubernetes"):
        platforms.current(Trainer)


def test_a_laptop_sends_to_the_cluster_what_has_an_adapter_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_PLATFORM", "kubernetes")
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    offer(monkeypatch, here=("local", "builtins:dict"), there=("kubernetes", "builtins:list"))
    assert isinstance(platforms.current(Trainer), list)
    assert isinstance(platforms.current(Trainer, "here"), dict)
    offer(monkeypatch, here=("local", "builtins:dict"))
    assert isinstance(platforms.current(Trainer), dict)


def test_an_installation_names_what_its_pipelines_use(monkeypatch: pytest.MonkeyPatch) -> None:
    offer(monkeypatch, first=("local", "builtins:dict"), second=("local", "builtins:list"))
    monkeypatch.setenv("SEAWAY_TRAINER", "second")
    assert isinstance(platforms.current(Trainer), list)
    assert isinstance(platforms.current(Trainer, "first"), dict)
    monkeypatch.setenv("SEAWAY_TRAINER", "third")
    with pytest.raises(InvalidSpec, match="first, second"):
        platforms.current(Trainer)


def test_an_unknown_platform_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_PLATFORM", "mesos")
    with pytest.raises(InvalidSpec, match="local, kubernetes"):
        platforms.current(Trainer)


@pytest.mark.parametrize(
    ("place", "backends", "expected"),
    [
        ("local", {}, HERE),
        ("kubernetes", {"tuner": "optuna", "endpoint": "process"}, {**HERE, "Trainer": "trainjob"}),
        ("kubernetes", {}, THERE),
    ],
    ids=["laptop", "only a training operator", "all operators"],
)
def test_each_port_of_the_flights_pipeline_has_its_adapter(
    monkeypatch: pytest.MonkeyPatch, place: str, backends: dict[str, str], expected: dict[str, str]
) -> None:
    monkeypatch.setenv("SEAWAY_PLATFORM", place)
    for port, backend in backends.items():
        platforms.choose(port, backend)
    assert {port: platforms.chosen(port) for port in PORTS} == expected
    for port in PORTS:
        assert callable(registry.find(port, expected[port]).load())


def test_a_pod_has_every_port_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    assert {port: platforms.chosen(port) for port in PORTS} == THERE


def test_a_pod_keeps_no_registry_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "")
    with pytest.raises(InvalidSpec, match="MLFLOW_TRACKING_URI is not set"):
        platforms.current(ModelRegistry).production("flights")


@pytest.mark.parametrize(
    ("port", "backend", "listed"),
    [
        ("router", "istio", "model-registry, model-server, preprocessing, rollout-store"),
        ("endpoint", "istio", "deployment, inferenceservice"),
    ],
)
def test_a_choice_that_there_is_not_is_refused_at_once(port: str, backend: str, listed: str) -> None:
    with pytest.raises(InvalidSpec, match=listed):
        platforms.choose(port, backend)
    assert f"SEAWAY_{port.upper()}" not in os.environ
