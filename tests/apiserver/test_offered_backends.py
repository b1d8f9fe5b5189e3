"""Which backend `auto` takes is asked of the cluster: both operators' kinds, either's, neither's."""

import logging
import time
from collections.abc import Iterator
from dataclasses import replace

import definitions
import pytest
from accounts import as_account
from bare_api_server import bare_api_server
from kubernetes import client, config
from seaway import platforms
from seaway.errors import InvalidSpec, KindMissing, ServerGone
from seaway.platforms.findings import State
from seaway.platforms.kubernetes.client.connection import connect, connection_of
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.permissions import Permission
from seaway.platforms.kubernetes.client.resources import PODS, Resource
from seaway.platforms.kubernetes.client.served import serves
from seaway.platforms.kubernetes.install.checkup import checkup
from seaway.platforms.kubernetes.training import pytorchjob, trainjob
from seaway.platforms.kubernetes.training.trainer import PyTorchJobTrainer, TrainJobTrainer
from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.training import Trainer

TRAINER, OPERATOR = (trainjob.RESOURCE, trainjob.RUNTIME), (pytorchjob.RESOURCE,)
SETTLED_S = 60.0


@pytest.fixture(scope="module", autouse=True)
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server of this file's own: no other test has installed anything in it."""
    folder = tmp_path_factory.mktemp("offered")
    with bare_api_server(folder) as kubeconfig, pytest.MonkeyPatch.context() as patch:
        patch.setattr(config.kube_config, "KUBE_CONFIG_DEFAULT_LOCATION", str(kubeconfig))
        patch.setenv("SEAWAY_PLATFORM", "kubernetes")
        patch.delenv("SEAWAY_NAMESPACE", raising=False)
        patch.delenv("SEAWAY_TRAINER", raising=False)
        connect.cache_clear()
        yield
    connect.cache_clear()


@pytest.fixture
def installed(request: pytest.FixtureRequest) -> None:
    """These kinds, and no others of operators; the tests below are in an order in which little has to change."""
    objects = Objects(connect())
    there = {resource for resource in (*TRAINER, *OPERATOR) if serves(objects, resource)}
    wanted: set[Resource] = set(request.param)
    for resource in wanted - there:
        definitions.install(connect().requests, resource)
    for resource in there - wanted:
        client.ApiextensionsV1Api(connect().requests).delete_custom_resource_definition(resource.full_name)
    deadline = time.monotonic() + SETTLED_S
    while wanted != {resource for resource in (*TRAINER, *OPERATOR) if serves(objects, resource)}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.parametrize("installed", [()], ids=["nothing"], indirect=True)
def test_a_cluster_with_neither_is_told_with_what_each_needs(installed: None) -> None:
    with pytest.raises(KindMissing, match=r"trainjob needs .*; pytorchjob needs pytorchjobs\.kubeflow\.org.*SEAWAY_T"):
        platforms.current(Trainer)
    bad = [one.what for one in checkup(connect()) if one.state is State.BAD]
    assert any("pytorchjob needs pytorchjobs.kubeflow.org" in one for one in bad)


@pytest.mark.parametrize(
    ("installed", "expected", "told"),
    [
        (
            OPERATOR,
            PyTorchJobTrainer,
            "trainer is pytorchjob, as the cluster has it (trainjob needs trainjobs.trainer.kubeflow.org, "
            "trainingruntimes.trainer.kubeflow.org, which it does not serve).",
        ),
        ((trainjob.RESOURCE, *OPERATOR), PyTorchJobTrainer, "needs trainingruntimes.trainer.kubeflow.org, which"),
        ((*TRAINER, *OPERATOR), TrainJobTrainer, "trainer is trainjob, as the cluster has it."),
        (TRAINER, TrainJobTrainer, "trainer is trainjob, as the cluster has it."),
    ],
    ids=["only the training operator", "half of Trainer", "both", "only Trainer"],
    indirect=["installed"],
)
def test_the_trainer_is_what_the_cluster_has_and_the_log_says_so(
    installed: None, expected: type, told: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "seaway")
    assert isinstance(platforms.current(Trainer), expected)
    assert told in caplog.text
    [good] = [one.what for one in checkup(connect()) if one.state is State.GOOD and one.what.startswith("trainer ")]
    assert (
        good == f"trainer is {'trainjob' if expected is TrainJobTrainer else 'pytorchjob'}: the cluster has its kinds"
    )


@pytest.mark.parametrize("installed", [TRAINER], ids=["only Trainer"], indirect=True)
def test_what_is_named_stays_whatever_the_cluster_has(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(platforms.current(Trainer, "pytorchjob"), PyTorchJobTrainer)
    monkeypatch.setenv("SEAWAY_TRAINER", "pytorchjob")
    assert isinstance(platforms.current(Trainer), PyTorchJobTrainer)
    monkeypatch.setenv("SEAWAY_TRAINER", "torchrun")
    assert isinstance(platforms.current(Trainer), TorchrunTrainer)


def test_an_account_with_hardly_any_right_may_ask() -> None:
    limited = Objects(as_account(connect(), (Permission(PODS, ("get",), "in a test"),)))
    assert serves(limited, trainjob.RESOURCE)
    assert not serves(limited, pytorchjob.RESOURCE)


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
