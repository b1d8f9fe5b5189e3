"""Preflight and the webhook of a real Katib (0.14) refuse and take the same Experiments, for what 0.14 knows."""

import copy
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from experiments import TAKEN, WEBHOOK, valid
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kubernetes import dynamic
from namespaces import STUDIES, made_namespace
from seaway.errors import AdmissionRefused, InvalidSpec
from seaway.platforms.kubernetes.client.connection import connect
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.tuning import experiment_validation
from seaway.platforms.kubernetes.tuning.experiment import RESOURCE
from seaway.platforms.kubernetes.validation.schema import problems

NEWER = {  # rules that came after 0.14
    "name has at most 40 characters",
    "maxFailedTrialCount is at most maxTrialCount",
    "parallelTrialCount is at most maxTrialCount",
    "three trials at once where nothing is said",
    "distribution is known",
    "a number has a max",
    "a number has a min",
    "collector is known",  # None became Push
    "Push",
    "a TrainJob's conditions go without saying",
}
OURS = {"a misspelt field is lost"}  # Katib drops it without a word
NOT_INSTALLED = {  # the test cluster's katib-config has four algorithms and two collectors
    "TensorFlowEvent by its defaults", "PrometheusMetric by its defaults", "a grid", "hyperband", "median stopping",
    "enas", "darts",
}  # fmt: skip
CHANGES = {name: change for name, (change, _) in WEBHOOK.items()} | TAKEN
COMMON = sorted(set(CHANGES) - NEWER - OURS - NOT_INSTALLED)
EXAMPLES = 150


@pytest.fixture(scope="module")
def objects(cluster: dynamic.DynamicClient) -> Iterator[Objects]:
    """A namespace in which Katib judges Experiments; none is created, only tried."""
    command = ["kubectl", "get", "deployments", "-A", "-o", "name"]
    if "katib-controller" not in subprocess.run(command, check=True, capture_output=True, text=True).stdout:
        pytest.skip("katib-controller does not run in this cluster")
    with made_namespace(cluster, STUDIES) as name:
        yield Objects(replace(connect(), namespace=name))


def verdicts(names: list[str], objects: Objects) -> tuple[bool, bool, str]:
    """Whether preflight takes the Experiment, whether Katib does, and what it says."""
    manifest = copy.deepcopy(valid())
    for name in names:
        try:
            CHANGES[name](manifest)
        except (AttributeError, IndexError, KeyError, TypeError):
            continue  # an earlier change has taken away what this one is about
    ours = not problems(manifest, RESOURCE, (experiment_validation.rules,))
    try:
        objects.create(RESOURCE, manifest, dry_run=True)
    except (AdmissionRefused, InvalidSpec) as refusal:
        return ours, False, str(refusal)
    return ours, True, ""


@pytest.mark.parametrize("name", COMMON)
def test_one_change(name: str, objects: Objects) -> None:
    ours, katib, says = verdicts([name], objects)
    assert ours == katib, says
    assert ours == (name in TAKEN)


def several(names: list[str]) -> st.SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(names), min_size=2, max_size=4, unique=True)


def test_several_changes(objects: Objects) -> None:
    agreement = Counter[str]()

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from([COMMON, sorted(set(COMMON) & set(TAKEN))]).flatmap(several))
    def agrees(names: list[str]) -> None:
        ours, katib, says = verdicts(names, objects)
        agreement[f"preflight {'takes' if ours else 'refuses'}, Katib {'takes' if katib else 'refuses'}"] += 1
        assert ours == katib, (names, says)

    agrees()
    print(dict(agreement))  # noqa: T201
