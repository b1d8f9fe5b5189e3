"""Kueue's own controller beside a bare API server, with its definitions, webhooks and places; Jobs only.

`SEAWAY_TEST_KUEUE` names a folder with its source (sigs.k8s.io/kueue, 0.15) and in it the program `kueue`, which
`go build ./cmd/kueue` makes.
"""

import base64
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml
from bare_api_server import running
from definitions import await_served
from free_ports import free_ports
from kubernetes import client, utils
from seaway.platforms.kubernetes.client.resources import Resource

SOURCE = "SEAWAY_TEST_KUEUE"
COMPONENTS = Path("config", "components")
VERSION = "v1beta2"  # the only one served, which needs no webhook that converts
WEBHOOKS = ("mjob.kb.io", "mclusterqueue.kb.io", "mresourceflavor.kb.io", "mworkload.kb.io")
KINDS = {"mutate": "MutatingWebhookConfiguration", "validate": "ValidatingWebhookConfiguration"}
METRICS = "/etc/kueue/metrics/certs"  # a path of Kueue's own, so it is started where /etc is another
ELSEWHERE = f'mount -t tmpfs none /etc && mkdir -p {METRICS} && cp "$1"/tls.* {METRICS} && shift && exec "$@"'
START_S = 120.0


@contextmanager
def kueue(api: client.ApiClient, kubeconfig: Path, folder: Path) -> Iterator[None]:
    """A controller that admits; its files are in `folder`. The test skips where it is not there."""
    named = os.environ.get(SOURCE)
    if not named or os.geteuid():
        pytest.skip(
            f"{SOURCE} names no folder with Kueue's source and its program, or this is not root, as mounts need"
        )
    source = Path(named)
    for file in sorted((source / COMPONENTS / "crd" / "bases").glob("*.yaml")):
        definition = of_one_version(yaml.safe_load(file.read_text()))
        utils.create_from_dict(api, definition)
        await_served(api, resource_of(definition))
    ports = dict(zip(("webhook", "health", "metrics", "places"), free_ports(4), strict=True))
    authority = certified(folder)
    (folder / "kueue.yaml").write_text(yaml.safe_dump(configuration(ports, folder)))
    command = [str(source / "kueue"), f"--config={folder / 'kueue.yaml'}", f"--kubeconfig={kubeconfig}"]
    with running(folder, "unshare", "--mount", "sh", "-c", ELSEWHERE, "sh", str(folder), *command):
        for webhook in webhooks(source, ports["webhook"], authority):
            utils.create_from_dict(api, webhook)
        _await(api, folder / "unshare.log")
        yield


def of_one_version(definition: dict[str, Any]) -> dict[str, Any]:
    spec = definition["spec"]
    versions = [one for one in spec["versions"] if one["name"] == VERSION] or spec["versions"][-1:]
    return {
        **definition,
        "spec": {**spec, "versions": [{**versions[0], "storage": True}], "conversion": {"strategy": "None"}},
    }


def resource_of(definition: dict[str, Any]) -> Resource:
    spec = definition["spec"]
    return Resource(spec["group"], spec["versions"][0]["name"], spec["names"]["plural"], spec["names"]["kind"])


def certified(folder: Path) -> str:
    """Writes a certificate for the webhooks, and gives its authority as the API server wants it."""
    authority = trustme.CA()
    own = authority.issue_cert("127.0.0.1")
    own.private_key_pem.write_to_path(folder / "tls.key")
    own.cert_chain_pems[0].write_to_path(folder / "tls.crt")
    return base64.b64encode(authority.cert_pem.bytes()).decode()


def configuration(ports: dict[str, int], folder: Path) -> dict[str, Any]:
    return {
        "apiVersion": f"config.kueue.x-k8s.io/{VERSION}",
        "kind": "Configuration",
        "namespace": "kueue-system",
        "internalCertManagement": {"enable": False},
        "webhook": {"host": "127.0.0.1", "port": ports["webhook"], "certDir": str(folder)},
        "health": {"healthProbeBindAddress": f"127.0.0.1:{ports['health']}"},
        "metrics": {"bindAddress": f"127.0.0.1:{ports['metrics']}"},
        "leaderElection": {"leaderElect": False},
        "featureGates": {"VisibilityOnDemand": False},
        "integrations": {"frameworks": ["batch/job"]},
    }


def webhooks(source: Path, port: int, authority: str) -> Iterator[dict[str, Any]]:
    """Those of Jobs and of Kueue's own kinds that change what is sent, at this machine."""
    for found in yaml.safe_load_all((source / COMPONENTS / "webhook" / "manifests.yaml").read_text()):
        taken = [one for one in found["webhooks"] if one["name"] in WEBHOOKS]
        for one in taken:
            path = one["clientConfig"]["service"]["path"]
            one["clientConfig"] = {"url": f"https://127.0.0.1:{port}{path}", "caBundle": authority}
        if taken:
            yield {**found, "webhooks": taken}


def _await(api: client.ApiClient, log: Path) -> None:
    """Until its webhook lets a flavour in."""
    flavour = {"apiVersion": f"kueue.x-k8s.io/{VERSION}", "kind": "ResourceFlavor", "metadata": {"name": "any"}}
    deadline = time.monotonic() + START_S
    while True:
        try:
            client.CustomObjectsApi(api).create_cluster_custom_object(
                "kueue.x-k8s.io", VERSION, "resourceflavors", flavour
            )
        except client.ApiException as error:
            assert time.monotonic() < deadline, f"{error.body}\n{log.read_text()[-3000:]}"
            time.sleep(0.2)
        else:
            return
