"""Preflight beside the real server: it refuses nothing that the server accepts, and nearly all that it refuses."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
from dry_runs import server_says
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes import client, dynamic
from mutants_of_objects import TEXTS, mutated
from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.training import pytorchjob, trainjob
from seaway.platforms.kubernetes.training.placement import Elastic, Placement
from seaway.training.pod.job import RemoteTraining
from seaway.training.spec import TrainSpec

MUTATED = 150  # generated objects of each kind, most of them wrong
VALID = 25
SEEN = 0.9  # share of the server's refusals that preflight must foresee
QUANTITIES = st.sampled_from(["1", "500m", "0.5", "2Gi", "1e3", "100M", ".5", "1.", "12E"])
NAMES = st.from_regex(r"[a-z]([-a-z0-9]{0,8}[a-z0-9])?", fullmatch=True)


@dataclass
class Agreement:
    """How often both said the same, and examples of what only the server refused."""

    counts: Counter[tuple[bool, bool]] = field(default_factory=Counter)
    unseen: list[str] = field(default_factory=list)

    def add(self, foreseen: str | None, said: str | None) -> None:
        self.counts[foreseen is not None, said is not None] += 1
        if said is not None and foreseen is None:
            self.unseen.append(said[:200])

    @property
    def foreseen(self) -> float:
        refused = self.counts[True, True] + self.counts[False, True]
        return self.counts[True, True] / refused if refused else 1.0

    def __str__(self) -> str:
        return (
            f"{self.counts.total()} objects, accepted by both {self.counts[False, False]}, refused by both "
            f"{self.counts[True, True]}, by the server only {self.counts[False, True]}, by preflight only "
            f"{self.counts[True, False]}; {self.foreseen:.1%} of the server's refusals foreseen"
        )


@st.composite
def placements(draw: st.DrawFn) -> Placement:
    """Any placement that is valid; a queue is a gang scheduler's."""
    scheduler, queue = draw(st.sampled_from([("", ""), ("volcano", ""), ("volcano", "research")]))
    return Placement(
        image=draw(st.sampled_from(["docker.io/seaway/trainer:dev", "x"])),
        cpu=draw(QUANTITIES),
        memory=draw(QUANTITIES),
        gpus=draw(st.sampled_from([0, 0, 1])),
        shared_memory=draw(QUANTITIES),
        restarts=draw(st.integers(0, 4)),
        node_selector=draw(st.dictionaries(NAMES, NAMES, max_size=2)),
        tolerations=draw(st.sampled_from([(), ({"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},)])),
        env=draw(st.dictionaries(st.sampled_from(["NCCL_DEBUG", "A.b", "_x"]), TEXTS, max_size=2)),
        env_secrets=draw(st.lists(NAMES, max_size=2)),
        volumes=draw(st.sampled_from([{}, {"/data": {"persistentVolumeClaim": {"claimName": "flights"}}}])),
        image_pull_secrets=draw(st.lists(NAMES, max_size=2, unique=True)),
        scheduler=scheduler,
        queue=queue,
    )


def trainings(workers: int) -> RemoteTraining:
    spec = TrainSpec(train="a", validation="b", output="c", checkpoints="d", workers=workers)
    return RemoteTraining.of(spec, {"run": "0" * 64}, "s3://bucket/run", "s3://bucket/checkpoints")


@st.composite
def pytorchjobs(draw: st.DrawFn) -> dict[str, Any]:
    placement = draw(placements())
    if draw(st.booleans()):
        placement = Placement("x", elastic=Elastic(draw(st.integers(1, 2))))
    return {**pytorchjob.build(trainings(draw(st.integers(2, 4))), placement), "metadata": {"name": draw(NAMES)}}


@st.composite
def trainjobs(draw: st.DrawFn) -> dict[str, Any]:
    job = trainjob.build(trainings(draw(st.integers(1, 4))), draw(placements()))
    job["spec"]["runtimeRef"] = {"apiGroup": trainjob.GROUP, "kind": "TrainingRuntime", "name": "seaway-test"}
    return {**job, "metadata": {"name": draw(NAMES)}}


@st.composite
def runtimes(draw: st.DrawFn) -> dict[str, Any]:
    return trainjob.build_runtime(trainings(2), draw(placements()))


def preflight_says(check: Any, manifest: dict[str, Any]) -> str | None:
    try:
        check(manifest)
    except InvalidSpec as error:
        return str(error)
    return None


def compare(connection: Connection, resource: Resource, check: Any, objects: Any, examples: int) -> Agreement:
    agreement = Agreement()

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
    @given(objects)
    def both(manifest: dict[str, Any]) -> None:
        foreseen = preflight_says(check, manifest)
        said = server_says(connection, resource.path(connection.namespace), manifest)
        agreement.add(foreseen, said)
        assert foreseen is None or said is not None, f"the server takes what preflight refuses: {foreseen}"

    both()
    return agreement


def require_webhook(cluster: dynamic.DynamicClient, resource: Resource, controller: str) -> None:
    hooks = client.AdmissionregistrationV1Api(cluster.client).list_validating_webhook_configuration().items
    rules = [rule for hook in hooks for each in hook.webhooks for rule in each.rules]
    if not any(resource.plural in rule.resources and resource.group in rule.api_groups for rule in rules):
        pytest.skip(f"{controller} is not in this cluster: nothing but the CRD's schema would be compared")


@pytest.mark.parametrize("kind", ["pytorchjobs", "trainjobs", "trainingruntimes"])
def test_preflight_agrees_with_the_server(kind: str, cluster: Any, connection: Connection, tell: Any) -> None:
    resource, check, objects, controller = {
        "pytorchjobs": (pytorchjob.RESOURCE, pytorchjob.preflight, pytorchjobs(), "the Kubeflow training operator"),
        "trainjobs": (trainjob.RESOURCE, trainjob.preflight, trainjobs(), "Kubeflow Trainer"),
        "trainingruntimes": (trainjob.RUNTIME, trainjob.preflight_runtime, runtimes(), "Kubeflow Trainer"),
    }[kind]
    require_webhook(cluster, resource, controller)
    if kind == "trainjobs":
        runtime = trainjob.build_runtime(trainings(2), Placement("x"))
        runtime["metadata"]["name"] = "seaway-test"
        Objects(connection).apply(trainjob.RUNTIME, runtime)
    valid = compare(connection, resource, check, objects, VALID)
    tell(f"{resource.kind}, valid: {valid}")
    assert valid.counts[False, False] == valid.counts.total(), valid.unseen
    agreement = compare(connection, resource, check, mutated(objects), MUTATED)
    tell(f"{resource.kind}, mutated: {agreement}")
    for said in agreement.unseen:
        tell(f"  only the server: {said}")
    assert agreement.foreseen >= SEEN
