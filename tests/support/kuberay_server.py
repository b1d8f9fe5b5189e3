"""KubeRay's own operator beside a bare API server, with its definitions.

`SEAWAY_TEST_KUBERAY` names a folder with its source (github.com/ray-project/kuberay/ray-operator, 1.5) and in it the
program `kuberay`, which `go build -o kuberay .` makes.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from bare_api_server import running
from definitions import await_served
from free_ports import free_ports
from kubernetes import client, utils
from seaway.platforms.kubernetes.client.resources import Resource

SOURCE = "SEAWAY_TEST_KUBERAY"


@contextmanager
def kuberay(api: client.ApiClient, kubeconfig: Path, folder: Path) -> Iterator[None]:
    """The operator; its log is in `folder`. The test skips where it is not there."""
    named = os.environ.get(SOURCE)
    if not named:
        pytest.skip(f"{SOURCE} names no folder with KubeRay's source and its program")
    source = Path(named)
    for file in sorted((source / "config" / "crd" / "bases").glob("*.yaml")):
        definition = yaml.safe_load(file.read_text())
        utils.create_from_dict(api, definition)
        names = definition["spec"]["names"]
        await_served(api, Resource(definition["spec"]["group"], "v1", names["plural"], names["kind"]))
    metrics, health = (f"127.0.0.1:{port}" for port in free_ports(2))
    options = [f"--kubeconfig={kubeconfig}", f"--metrics-addr={metrics}", f"--health-probe-bind-address={health}"]
    with running(folder, str(source / "kuberay"), *options, "--enable-leader-election=false"):
        yield
