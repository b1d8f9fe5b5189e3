"""Preflight's verdict on a SeldonDeployment beside the webhook's, as Seldon 1.17.1 gave it, through the API server."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import fake_seldon_operator as seldon_operator
import pytest
from endpoint_arms import ARMS
from seaway.errors import AdmissionRefused, InvalidSpec
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.serving.seldon import SeldonDeployments
from seaway.platforms.kubernetes.traffic.seldon_operator import SELDON_DEPLOYMENTS

Spec = dict[str, Any]
WEIGHTS = {"stable": 90, "candidate": 10}


def arms(spec: Spec, *given: dict[str, Any]) -> None:
    """Predictors with these fields changed; the third is a copy of the second."""
    [first, second] = spec["predictors"]
    models = [first, second, {**deepcopy(second), "name": "third"}][: len(given)]
    spec["predictors"] = [{**model, **change} for model, change in zip(models, given, strict=True)]


def graph(spec: Spec, **node: Any) -> None:
    """One predictor with this graph."""
    arms(spec, {"traffic": 100})
    spec["predictors"][0]["graph"] = {"name": "server", **node}


def orchestrated(spec: Spec, *children: dict[str, Any]) -> None:
    graph(spec, type="TRANSFORMER", children=list(children))
    del spec["predictors"][0]["annotations"]


SHADOW = {"traffic": 100, "shadow": True}
SECOND = {"name": "server", "type": "MODEL", "endpoint": {"type": "GRPC"}}
TAKEN: dict[str, Callable[[Spec], None]] = {
    "as it is": lambda spec: None,
    "one predictor": lambda spec: arms(spec, {"traffic": 100}),
    "one predictor at 0": lambda spec: arms(spec, {"traffic": 0}),
    "one predictor at 150": lambda spec: arms(spec, {"traffic": 150}),
    "100 and a shadow of 20": lambda spec: arms(spec, {"traffic": 100}, {"traffic": 20, "shadow": True}),
    "50 and a shadow": lambda spec: arms(spec, {"traffic": 50}, SHADOW),
    "three that share": lambda spec: arms(spec, {"traffic": 50}, {"traffic": 30}, {"traffic": 20}),
    "a server that it knows": lambda spec: graph(
        spec, name="classifier", implementation="SKLEARN_SERVER", modelUri="gs://m"
    ),
    "a model of its own": lambda spec: graph(spec, name="own", implementation="SIMPLE_MODEL"),
    "a child with a container": lambda spec: orchestrated(spec, {"name": "server", "type": "MODEL"}),
    "no predictors": lambda spec: spec.update(predictors=[]),
}
REFUSED: dict[str, Callable[[Spec], None]] = {
    "a lone shadow": lambda spec: arms(spec, SHADOW),
    "two shadows": lambda spec: arms(spec, {"traffic": 100}, SHADOW, SHADOW),
    "a shadow of 150": lambda spec: arms(spec, {"traffic": 100}, {"traffic": 150, "shadow": True}),
    "one predictor at 50": lambda spec: arms(spec, {"traffic": 50}),
    "100 and 20, once a shadow": lambda spec: arms(spec, {"traffic": 100}, {"traffic": 20}),
    "one name twice": lambda spec: arms(spec, {"traffic": 50}, {"traffic": 50, "name": "stable"}),
    "a graph of two without its orchestrator": lambda spec: graph(spec, children=[{"name": "server", "type": "MODEL"}]),
    "a child without a container": lambda spec: orchestrated(spec, {"name": "nowhere", "type": "MODEL"}),
    "no container": lambda spec: graph(spec, name="nowhere", type="MODEL"),
    "a server that it knows without a model": lambda spec: graph(spec, implementation="SKLEARN_SERVER"),
    "another protocol": lambda spec: spec.update(protocol="v3"),
    "two kinds of endpoint": lambda spec: arms(spec, {"traffic": 50}, {"traffic": 50, "graph": SECOND}),
}


@pytest.fixture
def objects(serve: Callable[..., None], connection: Connection) -> Iterator[Objects]:
    serve(SELDON_DEPLOYMENTS)
    objects = Objects(connection)
    with seldon_operator.validating(objects):
        yield objects


def changed(change: Callable[[Spec], None]) -> dict[str, Any]:
    manifest, *_ = SeldonDeployments().objects("flights", ARMS, WEIGHTS)
    manifest = deepcopy(manifest)
    change(manifest["spec"])
    return manifest


def test_what_it_takes_preflight_takes(objects: Objects) -> None:
    for name, change in TAKEN.items():
        manifest = changed(change)
        assert objects.create(SELDON_DEPLOYMENTS, manifest, dry_run=True), name
        SeldonDeployments().preflight(manifest)


def test_what_it_refuses_preflight_refuses(objects: Objects) -> None:
    for name, change in REFUSED.items():
        manifest = changed(change)
        with pytest.raises(AdmissionRefused, match=seldon_operator.WEBHOOK):
            pytest.fail(f"taken: {name}: {objects.create(SELDON_DEPLOYMENTS, manifest, dry_run=True)['spec']}")
        with pytest.raises(InvalidSpec):
            pytest.fail(f"taken: {name}: {SeldonDeployments().preflight(manifest)}")
