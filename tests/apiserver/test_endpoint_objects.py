"""Objects of every backend before the real API server, and what the shipped role lets an endpoint's adapter do."""

from collections.abc import Callable

import pytest
from accounts import as_account
from endpoint_arms import ARMS, WEIGHTS
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import CONFIG_MAPS, SERVICES
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.jobs.wait import Patience
from seaway.platforms.kubernetes.serving.deployment import Deployments
from seaway.platforms.kubernetes.serving.kserve import InferenceServices
from seaway.platforms.kubernetes.serving.reconciler import Reconciler
from seaway.platforms.kubernetes.serving.record import Record, Records
from seaway.platforms.kubernetes.serving.seldon import SeldonDeployments
from seaway.platforms.kubernetes.serving.workload import Workload

BACKENDS: tuple[Workload, ...] = (Deployments(), SeldonDeployments(), InferenceServices())


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda backend: backend.kind.resource.kind)
def test_the_api_server_takes_every_object_whole(
    backend: Workload, serve: Callable[..., None], connection: Connection
) -> None:
    """In strict validation a field that it does not know is an error."""
    serve(backend.kind.resource)
    objects, resources = Objects(connection), {resource.kind: resource for resource in backend.resources}
    for arms, weights in ((ARMS, WEIGHTS), ({"stable": ARMS["stable"]}, {"stable": 100})):
        for manifest in backend.objects("flights", arms, weights):
            made = objects.create(resources[manifest["kind"]], manifest, dry_run=True)
            assert made["metadata"]["name"].startswith("flights")


def test_the_shipped_role_lets_the_adapter_do_its_work(connection: Connection) -> None:
    limited = Objects(as_account(connection, rbac.RULES))
    records = Records(limited)
    record = Record("flights", "run-1", "deployment", ARMS, 0.0)
    found = records.create(record)
    reconciler = Reconciler(limited, Deployments(), Patience(cleanup_s=60), found)
    token = reconciler.token("flights")
    assert token == reconciler.token("flights")
    reconciler.apply(Deployments().objects("flights", ARMS, WEIGHTS), "flights")
    alone = Record("flights", "run-1", "deployment", {"stable": ARMS["stable"]}, 0.0)
    found = records.write(found, alone)
    Reconciler(limited, Deployments(), Patience(cleanup_s=60), found).prune(alone, {"stable": 100})
    kept = [item["metadata"]["name"] for item in limited.list(Deployments.kind.resource).items]
    assert kept == [f"flights-{'a' * 12}"]
    Reconciler(limited, Deployments(), Patience(cleanup_s=60), found).delete(alone)
    assert limited.get(CONFIG_MAPS, "flights-endpoint") is None
    assert not limited.list(Deployments.kind.resource).items
    assert not limited.list(SERVICES).items
