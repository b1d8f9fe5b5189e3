"""The shipped ServingRuntime before the API server, by the definitions of those KServe versions that are here."""

import os
from pathlib import Path
from typing import Any

import definitions
import pytest
import servingruntime
import yaml
from kubernetes import client
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import Resource

MODULES = Path(os.environ.get("GOMODCACHE", Path.home() / "go" / "pkg" / "mod"))
PUBLISHED = sorted(MODULES.glob("github.com/kserve/kserve@v*/config/crd/full/serving.kserve.io_servingruntimes.yaml"))
RUNTIMES = Resource("serving.kserve.io", "v1alpha1", "servingruntimes", "ServingRuntime")


@pytest.mark.skipif(not PUBLISHED, reason=f"no sources of KServe in {MODULES}: `go mod download` puts them there")
@pytest.mark.parametrize("published", PUBLISHED, ids=lambda file: file.parents[3].name)
def test_the_api_server_takes_it_whole(published: Path, connection: Connection) -> None:
    """In strict validation a field that it does not know is an error."""
    objects, definition = Objects(connection), yaml.safe_load(published.read_text())
    install(connection, definition)
    made = objects.create(RUNTIMES, servingruntime.runtime(), dry_run=True)
    assert made["spec"] == servingruntime.runtime()["spec"]
    wrong = servingruntime.runtime()
    wrong["spec"]["containers"][0]["commands"] = ["python"]
    with pytest.raises(Exception, match="commands"):
        objects.create(RUNTIMES, wrong, dry_run=True)


def install(connection: Connection, definition: dict[str, Any]) -> None:
    """The definition, in the place of another version's."""
    api = client.ApiextensionsV1Api(connection.requests)
    try:
        api.create_custom_resource_definition(definition)
    except client.ApiException as error:
        assert error.status == 409, error
        standing = api.read_custom_resource_definition(RUNTIMES.full_name)
        definition["metadata"]["resourceVersion"] = standing.metadata.resource_version
        api.replace_custom_resource_definition(RUNTIMES.full_name, definition)
    definitions.await_served(connection.requests, RUNTIMES)
