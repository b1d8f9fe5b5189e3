"""`seaway check FILE --cluster`: what a cluster itself has defined decides."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import definitions
import pytest
from accounts import as_account
from kubernetes import client
from seaway.errors import Forbidden
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.client.resources import Resource
from seaway.platforms.kubernetes.install import rbac
from seaway.platforms.kubernetes.manifests.judge import Verdict, judged
from seaway.platforms.kubernetes.manifests.kinds import of_cluster

WIDGETS = Resource("example.org", "v1", "widgets", "Widget")
RULE = {"rule": "self.least <= self.most", "message": "least above most"}
SPEC = {"type": "object", "properties": {"least": {"type": "integer"}, "most": {"type": "integer", "default": 3}}}
SPEC |= {"x-kubernetes-validations": [RULE]}


@pytest.fixture(scope="module")
def _widgets(server: Path) -> Iterator[None]:
    api = connect().requests
    made = definitions.definition(WIDGETS, {"type": "object", "properties": {"spec": SPEC}})
    made["spec"]["versions"][0]["subresources"]["scale"] = {
        "specReplicasPath": ".spec.least",
        "statusReplicasPath": ".status.least",
    }
    client.ApiextensionsV1Api(api).create_custom_resource_definition(made)
    definitions.await_served(api, WIDGETS)
    yield
    client.ApiextensionsV1Api(api).delete_custom_resource_definition(WIDGETS.full_name)


def verdict(folder: Path, **spec: Any) -> Verdict:
    file = folder / "widget.json"
    file.write_text(
        json.dumps({"apiVersion": "example.org/v1", "kind": "Widget", "metadata": {"name": "a"}, "spec": spec})
    )
    return next(judged(str(file), of_cluster(connect())))


@pytest.mark.usefixtures("_widgets")
def test_a_kind_that_only_the_cluster_knows_is_judged_by_its_rules(tmp_path: Path) -> None:
    right = verdict(tmp_path, least=2)
    assert (right.by, right.refused) == ("this cluster", [])
    assert [str(one) for one in verdict(tmp_path, least=4).refused] == ["spec: Invalid value: least above most"]
    assert [one.field for one in verdict(tmp_path, least=-1).refused] == ["spec.least"]
    assert [one.field for one in verdict(tmp_path, lest=1).refused] == ["spec.lest"]


@pytest.mark.usefixtures("_widgets")
def test_an_account_that_may_not_read_definitions_is_told(connection: Connection) -> None:
    with pytest.raises(Forbidden, match="customresourcedefinitions"):
        of_cluster(as_account(connection, rbac.RULES))
