"""Verdicts on manifests: of what others write, of wrong ones, and of anything that YAML can say."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutants_of_objects import mutated
from seaway.platforms.kubernetes.manifests.documents import documents
from seaway.platforms.kubernetes.manifests.judge import Verdict, judge, judged
from seaway.platforms.kubernetes.manifests.reports import WRITERS

OBJECTS = Path(__file__).parents[3] / "support" / "objects"
ALL = {f"{one.value['apiVersion']} {one.value['kind']}": one for one in documents(str(OBJECTS))}
ANYTHING = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)),
    max_leaves=8,
)


def verdict_on(value: Any) -> Verdict:
    document = next(iter(ALL.values()))
    return judge(type(document)(document.file, value))


def changed(of: str, path: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The object of that kind, with one field set, or removed by None."""
    result: dict[str, Any] = copy.deepcopy(ALL[of].value)
    where: Any = result
    for step in path[:-1]:
        where = where[step]
    if value is None:
        del where[path[-1]]
    else:
        where[path[-1]] = value
    return result


@pytest.mark.parametrize("kind", ALL)
def test_what_others_write_is_taken(kind: str) -> None:
    verdict = judge(ALL[kind])
    assert verdict.by
    assert (verdict.refused, verdict.advised if "networking.istio.io" not in kind else []) == ([], [])


DEPLOYED, CONTAINER = "apps/v1 Deployment", ("spec", "template", "spec", "containers", 0)
ROUTE, VIRTUAL = "gateway.networking.k8s.io/v1 HTTPRoute", "networking.istio.io/v1 VirtualService"


@pytest.mark.parametrize(
    ("of", "path", "value", "field", "says"),
    [
        (DEPLOYED, ("spec", "replicas"), -1, "spec.replicas", "greater than or equal to 0"),
        (
            DEPLOYED,
            ("spec", "template", "metadata", "labels", "app"),
            "other",
            "spec.template.metadata.labels",
            "match",
        ),
        (DEPLOYED, (*CONTAINER, "image"), None, "spec.template.spec.containers[0].image", "Required"),
        (DEPLOYED, (*CONTAINER, "imagePullPolicy"), "Sometimes", "containers[0].imagePullPolicy", "Unsupported"),
        (DEPLOYED, (*CONTAINER, "volumeMounts", 0, "name"), "none", "volumeMounts[0].name", "Not found"),
        (DEPLOYED, (*CONTAINER, "volumeMounts", 1, "mountPath"), "/scratch", "volumeMounts[1].mountPath", "Duplicate"),
        (DEPLOYED, (*CONTAINER, "ports", 1, "name"), "http", "ports[1].name", "Duplicate"),
        (DEPLOYED, (*CONTAINER, "env", 1, "valueFrom"), {}, "env[1].valueFrom", "must specify one of"),
        (DEPLOYED, (*CONTAINER, "env", 1, "value"), "x", "env[1].valueFrom", "may not be specified"),
        (DEPLOYED, (*CONTAINER, "resources", "requests", "memory"), "1Gi", "resources.requests", "memory limit"),
        (DEPLOYED, (*CONTAINER, "resources", "limits", "gpu"), 1, "resources.limits[gpu]", "fully qualified"),
        (DEPLOYED, (*CONTAINER, "readinessProbe"), {}, "readinessProbe", "must specify one of"),
        (DEPLOYED, (*CONTAINER, "livenessProbe", "httpGet"), {"port": 1}, "livenessProbe.httpGet", "more than 1"),
        (DEPLOYED, ("spec", "template", "spec", "restartPolicy"), "Never", "restartPolicy", 'values: "Always"'),
        (
            DEPLOYED,
            ("spec", "template", "spec", "initContainers", 0, "name"),
            "main",
            "containers[0].name",
            "Duplicate",
        ),
        (DEPLOYED, ("metadata", "finalizers"), ["a b"], "metadata.finalizers[0]", ""),
        ("batch/v1 Job", ("spec", "template", "spec", "restartPolicy"), None, "restartPolicy", "Unsupported"),
        ("batch/v1 CronJob", ("spec", "schedule"), "daily", "spec.schedule", "5 fields"),
        ("v1 Service", ("spec", "ports", 1, "name"), "http", "spec.ports[1].name", "Duplicate"),
        ("v1 ResourceQuota", ("spec", "hard"), {"gpus": 1}, "spec.hard[gpus]", "standard resource"),
        ("rbac.authorization.k8s.io/v1 Role", ("rules", 0, "verbs"), [], "rules[0].verbs", "Required"),
        (ROUTE, ("spec", "rules", 0, "filters", 0, "type"), "URLRewrite", "spec.rules[0].filters[0]", "must be nil"),
        (ROUTE, ("spec", "rules", 0, "timeouts", "backendRequest"), "20s", "spec.rules[0].timeouts", "backendRequest"),
        (ROUTE, ("spec", "rules", 0, "backendRefs", 0, "port"), None, "backendRefs[0]", "port"),
        (VIRTUAL, ("spec", "http", 1, "route"), None, "spec.http[1]", "route, redirect or direct_response"),
        (VIRTUAL, ("spec", "http", 1, "timeout"), "0.1ms", "spec.http[1].timeout", "greater than 1ms"),
        (VIRTUAL, ("spec", "http", 1, "timeout"), "soon", "spec.http[1].timeout", "greater than 1ms"),
        ("networking.istio.io/v1 DestinationRule", ("spec", "subsets", 1, "name"), "stable", "subsets[1].name", "Dup"),
        ("trainer.kubeflow.org/v1alpha1 TrainJob", ("metadata", "name"), "1st", "", "RFC 1035"),
    ],
)
def test_what_the_server_refuses_is_told_with_its_field(of: str, path: Any, value: Any, field: str, says: str) -> None:
    problems = verdict_on(changed(of, path, value)).refused
    assert [one for one in problems if field in one.field and says in one.says], problems


@pytest.mark.parametrize("kind", ALL)
def test_a_name_that_the_server_makes_is_as_good(kind: str) -> None:
    assert verdict_on({**ALL[kind].value, "metadata": {"generateName": "some-"}}).refused == []


def test_what_a_rule_of_the_schema_says_is_said_once() -> None:
    wrong = changed("trainer.kubeflow.org/v1alpha1 TrainJob", ("metadata", "name"), "1st")
    assert len(verdict_on(wrong).refused) == 1


def test_weights_that_are_a_ratio_are_taken_and_advised_against() -> None:
    verdict = judge(ALL[VIRTUAL])
    assert not verdict.refused
    assert "add up to 4" in str(verdict.advised[0])


@pytest.mark.parametrize("kind", ALL)
def test_any_change_of_an_object_gets_a_verdict(kind: str) -> None:
    @settings(max_examples=25, deadline=None)
    @given(mutated(st.just(ALL[kind].value)))
    def judged_or_raised(value: dict[str, Any]) -> None:
        json.loads(WRITERS["json"]([verdict_on(value)]))

    judged_or_raised()


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(list(ALL)), ANYTHING, st.sampled_from(["metadata", "spec", "rules", "data", "status"]))
def test_anything_at_all_gets_a_verdict(kind: str, anything: Any, part: str) -> None:
    verdict_on(anything)
    verdict_on({**ALL[kind].value, part: anything})


def test_a_cluster_takes_all_that_seaway_ships(tmp_path: Path) -> None:
    root = Path(__file__).parents[4] / "manifests"
    for folder in ("access", "features", "monitoring", "pipelines", "rollouts", "schedules", "settings", "training"):
        for verdict in judged(str(root / folder)):
            assert not verdict.refused, (folder, verdict.name, verdict.refused)
