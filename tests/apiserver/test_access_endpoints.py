"""Each rule on endpoints and studies that is missing is told by its name."""

from collections.abc import Callable
from dataclasses import replace
from queue import Queue
from typing import Any

import pytest
from accounts import as_account
from seaway.errors import Forbidden, SeawayError
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.informer import Selector, subscribed
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES
from seaway.platforms.kubernetes.serving.server_pod import SECRET
from seaway.platforms.kubernetes.traffic.seldon import SELDON_DEPLOYMENTS
from seaway.platforms.kubernetes.tuning.experiment import RESOURCE as EXPERIMENTS

RULES = (*rbac.ENDPOINTS, *rbac.STUDIES)
LISTED = tuple(replace(rule, verbs=("list",)) for rule in RULES if "watch" in rule.verbs)  # a watch begins with a list
TOLD_S = 60


@pytest.fixture(scope="module", autouse=True)
def served(serve: Callable[..., None]) -> None:
    serve(SELDON_DEPLOYMENTS, INFERENCE_SERVICES, EXPERIMENTS)


@pytest.mark.parametrize(
    ("verbs", "left"),
    [({"create", "delete", "get", "list", "patch"}, rbac.JOBS), ({"watch"}, (*rbac.JOBS, *LISTED))],
    ids=["ask", "watch"],
)
def test_what_a_role_lacks_is_told_by_its_name(
    verbs: set[str], left: tuple[rbac.Permission, ...], connection: Connection
) -> None:
    limited = Objects(as_account(connection, left))
    lacking = set(rbac.permissions(RULES)) - set(rbac.permissions(left))
    permissions = [(resource, verb) for resource, verb in lacking if verb in verbs]
    assert permissions
    for resource, verb in permissions:
        with pytest.raises(Forbidden, match=f"Not allowed to {verb} {resource.full_name} in namespace"):
            ask(limited, resource, verb)


def ask(objects: Objects, resource: Resource, verb: str) -> None:
    """The request that needs this verb, for an object that would be refused for other reasons too."""
    manifest = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": SECRET}}
    if verb == "watch":
        watch(objects, resource)
    elif verb == "list":
        objects.list(resource)
    elif verb in ("get", "delete"):
        getattr(objects, verb)(resource, SECRET)
    else:
        {"create": objects.create, "patch": objects.apply}[verb](resource, manifest)


def watch(objects: Objects, resource: Resource) -> None:
    mailbox: Queue[Any] = Queue()
    with subscribed(objects, Selector(resource), SECRET, mailbox):
        while True:
            if isinstance(told := mailbox.get(timeout=TOLD_S), SeawayError):
                raise told
