"""What is known of routes before any cluster is asked."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec, TrafficFailed
from seaway.platforms.kubernetes.traffic import gateway, gateway_api, istio, seldon
from seaway.platforms.kubernetes.traffic.gateway import Gateway
from seaway.platforms.kubernetes.traffic.weighted_route import Named, RouteKind, require_weights
from seaway.platforms.kubernetes.validation.schema import problems
from seaway.serving import Arm, DeployedEndpoint

ARMS = {"stable": Arm("v1", "s3://b/v1", "flights-v1"), "candidate": Arm("v2", "s3://b/v2", "flights-v2")}
ENDPOINT = DeployedEndpoint("flights", "r1", Path("/none"), "http://gateway", arms=ARMS, host="flights.team.test")
GATEWAY = Gateway("istio-system/edge", "", "")
KINDS = [istio.VirtualServices(), gateway_api.HttpRoutes()]
WEIGHTS = st.integers(0, 100)


def built(kind: RouteKind, candidate: int, mirrored: int = 0) -> dict[str, Any]:
    weights = {"stable": 100 - candidate, "candidate": candidate}
    return kind.build(ENDPOINT, weights, "7", GATEWAY, mirrored)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.resource.kind)
@given(candidate=WEIGHTS, mirrored=WEIGHTS)
def test_a_route_that_is_built_passes_its_schema_and_reads_back(kind: RouteKind, candidate: int, mirrored: int) -> None:
    route = built(kind, candidate, mirrored)
    assert problems(route, kind.resource) == []
    assert kind.rule(route, ENDPOINT, "").weights == {"stable": 100 - candidate, "candidate": candidate}


@given(before=WEIGHTS, after=WEIGHTS)
def test_a_patch_sets_the_weights_that_differ_and_nothing_else(before: int, after: int) -> None:
    rule = istio.VirtualServices().rule(built(KINDS[0], before), ENDPOINT, "")
    operations = rule.operations({"stable": 100 - after, "candidate": after})
    assert {operation["value"] for operation in operations} == (set() if before == after else {after, 100 - after})
    assert all(operation["path"].endswith("/weight") for operation in operations)


@pytest.mark.parametrize("weights", [[60, 50], [1000, 2000], [100, None], [None, None], [0, 0]])
def test_weights_that_istio_takes_and_never_serves_so_are_refused(weights: list[int | None]) -> None:
    route = built(KINDS[0], 0)
    for entry, weight in zip(route["spec"]["http"][-1]["route"], weights, strict=True):
        entry.pop("weight")
        entry.update({"weight": weight} if weight is not None else {})
    assert problems(route, istio.VIRTUAL_SERVICES, (istio.weight_problems,))


@pytest.mark.parametrize(
    "weights",
    [
        {"stable": 97.5, "candidate": 2.5},
        {"stable": 100.0, "candidate": 0.0},
        {"stable": 110, "candidate": -10},
        {"stable": 60, "candidate": 50},
        {"stable": 60, "candidate": 30},
        {"stable": 50, "third": 50},
        {"stable": True, "candidate": 99},
        {},
    ],
)
def test_only_whole_per_cents_of_existing_arms_are_weights(weights: dict[str, Any]) -> None:
    with pytest.raises(TrafficFailed, match="add up to 100"):
        require_weights(ENDPOINT, weights)


def test_an_arm_that_is_not_there_may_have_no_traffic() -> None:
    alone = DeployedEndpoint("flights", "r1", Path("/none"), arms={"stable": ARMS["stable"]})
    require_weights(alone, {"stable": 100, "candidate": 0})


def somebodys(weights: tuple[int, int] = (100, 0)) -> dict[str, Any]:
    """A VirtualService by subsets, with routes of its own around the one that splits."""
    split = [
        {"destination": {"host": "models", "subset": "stable"}, "weight": weights[0]},
        {"destination": {"host": "models.team.svc.cluster.local", "subset": "candidate"}, "weight": weights[1]},
    ]
    other = {"name": "docs", "match": [{"uri": {"prefix": "/docs"}}], "route": [{"destination": {"host": "docs"}}]}
    http = [other, {"name": "models", "route": split}, {"route": [{"destination": {"host": "rest"}}]}]
    return {"metadata": {"name": "site"}, "spec": {"hosts": ["site.test"], "http": http}}


def test_the_arms_of_somebodys_route_are_found_by_subset_or_host() -> None:
    rule = istio.VirtualServices().rule(somebodys((80, 20)), ENDPOINT, "models")
    assert rule.weights == {"stable": 80, "candidate": 20}
    assert rule.pointers["candidate"] == "/spec/http/1/route/1/weight"


@pytest.mark.parametrize("name", ["docs", "absent"])
def test_a_route_that_does_not_split_between_the_arms_is_refused(name: str) -> None:
    with pytest.raises(TrafficFailed, match="models" if name == "absent" else "does not split"):
        istio.VirtualServices().rule(somebodys(), ENDPOINT, name)


def test_an_http_route_by_number_or_name() -> None:
    route = built(KINDS[1], 30)
    route["spec"]["rules"][-1]["name"] = "split"
    kind = gateway_api.HttpRoutes()
    assert kind.rule(route, ENDPOINT, "split") == kind.rule(route, ENDPOINT, "")
    route["spec"]["rules"][-1].pop("name")
    assert kind.rule(route, ENDPOINT, "3") == kind.rule(route, ENDPOINT, "")


@pytest.mark.parametrize("text", ["httproute/site#models", "virtualservice", "virtualservice/", "site#models"])
def test_a_name_that_is_no_route_of_this_kind_is_refused(text: str) -> None:
    with pytest.raises(InvalidSpec, match="SEAWAY_ROUTE"):
        Named.of(text, "VirtualService")


def predictors(**traffic: int) -> dict[str, Any]:
    listed = [{"name": name, "graph": {"name": "m"}, "traffic": share} for name, share in traffic.items()]
    return {"metadata": {"name": "flights"}, "spec": {"predictors": listed}}


def test_predictors_are_the_arms_and_shadows_have_no_share() -> None:
    kind, deployment = seldon.SeldonDeployments(), predictors(stable=100, candidate=40)
    deployment["spec"]["predictors"][1]["shadow"] = True
    rule = kind.rule(deployment, ENDPOINT, "")
    assert rule.weights == {"stable": 100, "candidate": 0}
    assert {"op": "remove", "path": "/spec/predictors/1/shadow"} in rule.operations({"stable": 90, "candidate": 10})
    kind.require_servable(deployment, None)  # type: ignore[arg-type]


def test_traffic_of_predictors_that_does_not_add_up_is_refused() -> None:
    with pytest.raises(InvalidSpec, match="110"):
        seldon.SeldonDeployments().require_servable(predictors(stable=80, candidate=30), None)  # type: ignore[arg-type]


def envoy_route(name: str, clusters: dict[str, int], **match: Any) -> dict[str, Any]:
    weighted = {"clusters": [{"name": cluster, "weight": weight} for cluster, weight in clusters.items()]}
    return {"name": name, "match": {"prefix": "/", **match}, "route": {"weighted_clusters": weighted}}


STABLE, CANDIDATE = (f"outbound|80||flights-{arm}.team.svc.cluster.local" for arm in ARMS)


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (envoy_route("w", {STABLE: 95, CANDIDATE: 5}), {"stable": 95, "candidate": 5}),
        (envoy_route("w", {CANDIDATE: 100}), {"stable": 0, "candidate": 100}),
        ({"match": {"prefix": "/"}, "route": {"cluster": STABLE}}, {"stable": 100, "candidate": 0}),
        (envoy_route("w", {f"outbound|80|{arm}|models.team.svc.cluster.local": 50 for arm in ARMS}),
         {"stable": 50, "candidate": 50}),
    ],
)  # fmt: skip
def test_the_split_is_read_from_envoys_configuration(
    route: dict[str, Any], expected: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert gateway._split(route, ENDPOINT, "team") == expected


@pytest.mark.parametrize(
    "route",
    [
        envoy_route("w", {STABLE: 50, "outbound|80||other.team.svc.cluster.local": 50}),
        envoy_route("w", {STABLE.replace("team", "another"): 100}),
        {"match": {"path": "/"}, "direct_response": {"status": 200}},
    ],
    ids=["a stranger's share", "another namespace", "no upstream"],
)
def test_a_route_to_others_is_no_split(route: dict[str, Any]) -> None:
    assert gateway._split(route, ENDPOINT, "team") == {}


def test_evidence_of_a_shift_grows_by_answers_that_only_the_new_weights_explain() -> None:
    assert gateway._evidence(0, 5) == math.inf
    assert gateway._evidence(5, 0) == -math.inf
    assert gateway._evidence(95, 100) == pytest.approx(math.log(100 / 95))


def test_an_answer_names_its_arm_or_its_version() -> None:
    assert gateway.answering_arm(ENDPOINT, {"x-seaway-arm": "candidate"}) == "candidate"
    assert gateway.answering_arm(ENDPOINT, {"x-seaway-version": "v2"}) == "candidate"
    assert gateway.answering_arm(ENDPOINT, {"x-seaway-version": "v9"}) == ""
