"""Which backend `auto` takes is asked of the cluster: both operators' kinds, either's, neither's."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace

import definitions
import pytest
from accounts import as_account
from bare_api_server import bare_api_server
from kubernetes import client, config, dynamic
from namespaces import made_namespace
from seaway import platforms
from seaway.errors import InvalidSpec, KindMissing, ServerGone
from seaway.platforms.findings import State
from seaway.platforms.kubernetes.client.connection import connect, connection_of
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import PODS, Resource
from seaway.platforms.kubernetes.client.served import serves
from seaway.platforms.kubernetes.install.checkup import checkup
from seaway.platforms.kubernetes.traffic.gateway_api import GATEWAYS, HTTP_ROUTES, GatewayApiTraffic, no_gateway
from seaway.platforms.kubernetes.traffic.istio import VIRTUAL_SERVICES, IstioTraffic
from seaway.platforms.kubernetes.traffic.seldon import SeldonTraffic
from seaway.platforms.kubernetes.training import pytorchjob, rayjob, trainjob
from seaway.platforms.kubernetes.training.trainer import PyTorchJobTrainer, RayJobTrainer, TrainJobTrainer
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.rollout import Traffic
from seaway.training import Trainer

TRAINER, OPERATOR = (trainjob.RESOURCE, trainjob.RUNTIME), (pytorchjob.RESOURCE,)
KUBERAY = (rayjob.RESOURCE,)
NAMES = {TrainJobTrainer: "trainjob", PyTorchJobTrainer: "pytorchjob", RayJobTrainer: "rayjob"}
ISTIO, GATEWAY_API = (VIRTUAL_SERVICES,), (HTTP_ROUTES, GATEWAYS)
KNOWN = (*TRAINER, *OPERATOR, *KUBERAY, *ISTIO, *GATEWAY_API)
SETTLED_S = 60.0


@pytest.fixture(scope="module", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server of this file's own: no other test has installed anything in it."""
    folder = tmp_path_factory.mktemp("offered")
    with bare_api_server(folder) as kubeconfig, pytest.MonkeyPatch.context() as patch:
        patch.setattr(config.kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
        patch.setenv("SEAWAY_PLATFORM", "kubernetes")
        patch.delenv("SEAWAY_NAMESPACE", raising=False)
        for variable in ("SEAWAY_TRAINER", "SEAWAY_TRAFFIC", "SEAWAY_ENDPOINT", "SEAWAY_ROUTE"):
            patch.delenv(variable, raising=False)
        patch.setenv("SEAWAY_GATEWAY", "default/edge")
        connect.cache_clear()
        yield
    connect.cache_clear()


@pytest.fixture
def installed(request: pytest.FixtureRequest) -> None:
    """These kinds, and no others of operators; the tests below are in an order in which little has to change."""
    objects = Objects(connect())
    there = {resource for resource in KNOWN if serves(objects, resource)}
    wanted: set[Resource] = set(request.param)
    for resource in wanted - there:
        definitions.install(connect().requests, resource)
    for resource in there - wanted:
        client.ApiextensionsV1Api(connect().requests).delete_custom_resource_definition(resource.full_name)
    deadline = time.monotonic() + SETTLED_S
    while wanted != {resource for resource in KNOWN if serves(objects, resource)}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("installed", [()], ids=["nothing"], indirect=True)
def test_a_cluster_with_neither_is_told_with_what_each_needs(installed: None) -> None:
    with pytest.raises(KindMissing, match=r"trainjob lacks .*; pytorchjob lacks pytorchjobs\.kubeflow\.org.*SEAWAY_T"):
        platforms.current(Trainer)
    bad = [one.what for one in checkup(connect()) if one.state is State.BAD]
    assert any("pytorchjob needs pytorchjobs.kubeflow.org" in one for one in bad)


@pytest.mark.parametrize(
    ("installed", "expected", "told"),
    [
        (KUBERAY, RayJobTrainer, "pytorchjob lacks pytorchjobs.kubeflow.org)."),
        (
            OPERATOR,
            PyTorchJobTrainer,
            "trainer is pytorchjob, as the cluster has it (trainjob lacks trainjobs.trainer.kubeflow.org, "
            "trainingruntimes.trainer.kubeflow.org).",
        ),
        ((trainjob.RESOURCE, *OPERATOR), PyTorchJobTrainer, "trainjob lacks trainingruntimes.trainer.kubeflow.org)"),
        ((*TRAINER, *OPERATOR), TrainJobTrainer, "trainer is trainjob, as the cluster has it."),
        (TRAINER, TrainJobTrainer, "trainer is trainjob, as the cluster has it."),
    ],
    ids=["only KubeRay", "only the training operator", "half of Trainer", "both", "only Trainer"],
    indirect=["installed"],
)
def test_the_trainer_is_what_the_cluster_has_and_the_log_says_so(
    installed: None, expected: type, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seaway")
    assert isinstance(platforms.current(Trainer), expected)
    assert told in caplog.text
    [good] = [one.what for one in checkup(connect()) if one.state is State.GOOD and one.what.startswith("trainer ")]
    assert good == f"trainer is {NAMES[expected]}: the cluster has its kinds"


@pytest.mark.parametrize("installed", [TRAINER], ids=["only Trainer"], indirect=True)
def test_what_is_named_stays_whatever_the_cluster_has(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(platforms.current(Trainer, "pytorchjob"), PyTorchJobTrainer)
    monkeypatch.setenv("SEAWAY_TRAINER", "pytorchjob")
    assert isinstance(platforms.current(Trainer), PyTorchJobTrainer)
    monkeypatch.setenv("SEAWAY_TRAINER", "torchrun")
    assert isinstance(platforms.current(Trainer), TorchrunTrainer)


@pytest.fixture
def stranger() -> Iterator[Objects]:
    """An account with hardly any right."""
    with made_namespace(dynamic.DynamicClient(connect().requests)) as name:
        here = replace(connect(), namespace=name)
        yield Objects(as_account(here, (Permission(PODS, ("get",), "in a test"),)))


@pytest.mark.parametrize("installed", [TRAINER], ids=["only Trainer"], indirect=True)
def test_an_account_with_hardly_any_right_may_ask(installed: None, stranger: Objects) -> None:
    assert serves(stranger, trainjob.RESOURCE)
    assert not serves(stranger, pytorchjob.RESOURCE)


@pytest.fixture
def edge(installed: None) -> Iterator[None]:
    """The Gateway that routes would attach to."""
    made = {"apiVersion": GATEWAYS.api_version, "kind": GATEWAYS.kind, "metadata": {"name": "edge"}, "spec": {}}
    Objects(connect()).create(GATEWAYS, made)
    yield
    client.CustomObjectsApi(connect().requests).delete_namespaced_custom_object(
        GATEWAYS.group, GATEWAYS.version, "default", GATEWAYS.plural, "edge", propagation_policy="Background"
    )


@pytest.mark.parametrize("installed", [GATEWAY_API], ids=["only the Gateway API"], indirect=True)
def test_definitions_without_a_gateway_split_nothing(installed: None, stranger: Objects) -> None:
    says = r"gateway-api lacks Gateway default/edge of .*; istio lacks virtualservices.*; seldon lacks a setting"
    with pytest.raises(KindMissing, match=says):
        platforms.current(Traffic)
    assert no_gateway(stranger, "default/edge") == "", "who may not look takes what there is"


@pytest.mark.parametrize("installed", [(*ISTIO, *GATEWAY_API)], ids=["both"], indirect=True)
def test_the_gateway_api_is_first_where_its_gateway_is_there(
    installed: None, edge: None, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO, "seaway")
    assert isinstance(platforms.current(Traffic), GatewayApiTraffic)
    assert "traffic is gateway-api, as the cluster has it." in caplog.text
    monkeypatch.setenv("SEAWAY_ROUTE", "virtualservice/web#split")
    assert isinstance(platforms.current(Traffic), IstioTraffic)
    monkeypatch.setenv("SEAWAY_ROUTE", "httproute/web#split")
    assert isinstance(platforms.current(Traffic), GatewayApiTraffic)
    monkeypatch.delenv("SEAWAY_ROUTE")
    monkeypatch.setenv("SEAWAY_TRAFFIC", "istio")
    assert isinstance(platforms.current(Traffic), IstioTraffic)
    assert isinstance(platforms.current(Traffic, "seldon"), SeldonTraffic)


@pytest.mark.parametrize("installed", [(*ISTIO, *GATEWAY_API)], ids=["both"], indirect=True)
def test_istio_is_taken_where_the_gateway_is_its_own(
    installed: None, stranger: Objects, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seaway")
    assert isinstance(platforms.current(Traffic), IstioTraffic)
    assert "traffic is istio, as the cluster has it (gateway-api lacks Gateway default/edge of" in caplog.text
    assert "right to read" in no_gateway(stranger, "default/edge"), "who may not look keeps to Istio"


def test_a_server_that_is_away_is_no_answer() -> None:
    away = client.Configuration(host="http://127.0.0.1:1")
    away.retries = False
    gone = replace(connection_of(away, "default"), outage_s=0.0)
    with pytest.raises(ServerGone):
        serves(Objects(gone), trainjob.RESOURCE)


def test_without_a_cluster_the_step_says_that_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config.kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", "/nowhere/kubeconfig")
    connect.cache_clear()
    with pytest.raises(InvalidSpec):
        platforms.current(Trainer)
    connect.cache_clear()
