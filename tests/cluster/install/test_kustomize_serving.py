"""An endpoint by git on a real cluster: the kind overlay with it serves, a commit promotes, nobody fights over it."""

import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import edge
import kustomizing
import numpy as np
import object_store_pod
import pytest
from endpoint_arms import ARMS
from endpoints import SIGNATURE, STARTUP_S, forwarded, load
from installed import require_controller
from kubernetes import client, dynamic
from namespaces import made_namespace
from seaway.errors import EndpointFailed, NameTaken
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.serving import deployment
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES
from seaway.platforms.kubernetes.serving.record import Record, Records
from seaway.serving import Client, EndpointSpec
from small_package import small_package

import images

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(kustomizing.KUBECTL is None, reason="kubectl is not on PATH: it has kustomize in it"),
]
NAME = "flights"
ROUTED_S = 60
BY_KSERVE = "flights-kserve"
PROGRAM = [sys.executable, "-c", "from seaway.cli import main; main()", "manifests", "endpoint"]
NO_SIDECARS = ("destinationrules.yaml", "security.yaml")  # what asks for Istio's proxy beside the servers
# For a cluster without a default StorageClass, which kind has.
MEMORY_ONLY = """
- {op: remove, path: /spec/volumeClaimTemplates}
- {op: add, path: /spec/template/spec/volumes/-, value: {name: data, emptyDir: {}}}
"""


@dataclass(frozen=True)
class Site:
    """A namespace, and the fork whose overlay `kind` is applied to it."""

    namespace: str
    fork: Path
    packages: dict[str, Path]
    image: str

    @property
    def overlay(self) -> Path:
        return self.fork / "kustomize" / "overlays" / "kind"

    def endpoint(self, name: str = NAME) -> Path:
        return self.fork / "manifests" / "endpoints" / name

    def kubectl(self, *words: str, given: str = "") -> str:
        command = ["kubectl", "--namespace", self.namespace, *words]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
        if "no matches for kind" in done.stderr:
            pytest.skip(f"this cluster lacks a definition: {done.stderr.splitlines()[0]}")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def write(self, stable: str, candidate: str = "", *, name: str = NAME, backend: str = "deployment") -> str:
        """`seaway manifests endpoint`; returns what changed."""
        arms = ["--package", str(self.packages[stable])]
        arms += ["--candidate", str(self.packages[candidate])] if candidate else []
        hosting = str(self.fork / "kustomize" / "hosting.yaml")
        settings = ["--backend", backend, "--hosting", hosting, "-p", f"startup_timeout_s={STARTUP_S}"]
        command = [*PROGRAM, name, *arms, *settings, "--to", str(self.endpoint(name))]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def apply(self) -> None:
        self.kubectl("apply", "-k", str(self.overlay))
        self.kubectl("wait", "deployment", "--all", "--for=condition=Available", f"--timeout={STARTUP_S}s")

    def version(self, arm: str) -> str:
        selector = "jsonpath={.spec.selector['seaway\\.dev/version']}"
        return self.kubectl("get", "service", f"{NAME}-{arm}", "-o", selector)

    def generations(self) -> str:
        """The generation of each object: it counts changes of what was asked for."""
        columns = "custom-columns=KIND:.kind,NAME:.metadata.name,GENERATION:.metadata.generation"
        return self.kubectl("get", "-k", str(self.overlay), "-o", columns)

    def token(self) -> str:
        return (self.fork / "token").read_text()


@pytest.fixture(scope="module")
def site(cluster: dynamic.DynamicClient, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """What kustomize/kind.sh makes, and the endpoint in it, applied by `kubectl apply -k`."""
    folder = tmp_path_factory.mktemp("site")
    packages = {name: small_package(folder / name, folder / "home", seed) for seed, name in enumerate("ab")}
    with made_namespace(cluster) as namespace:
        one = Site(namespace, kustomizing.copied(folder / "fork"), packages, images.server_image())
        adapt(one, client.StorageV1Api(cluster.client).list_storage_class().items)
        keys = {"AWS_ACCESS_KEY_ID": "seaway", "AWS_SECRET_ACCESS_KEY": secrets.token_hex(16)}
        secret(one, "seaway-storage", {**keys, "AWS_ENDPOINT_URL": "http://seaweedfs:8333"})
        one.kubectl("apply", "-k", str(one.overlay))
        one.kubectl("rollout", "status", "statefulset/seaweedfs", f"--timeout={STARTUP_S}s")
        bucket = ("exec", "-i", "statefulset/seaweedfs", "--", "weed", "shell", "-master=localhost:9333")
        one.kubectl(*bucket, given="s3.bucket.create -name seaway\n")
        (one.fork / "token").write_text(secrets.token_urlsafe(32))
        secret(one, "seaway-endpoint-tokens", {NAME: one.token(), BY_KSERVE: one.token()})
        with forwarded(namespace, "svc/seaweedfs", 8333) as url, pytest.MonkeyPatch.context() as patch:
            exported = {**keys, "AWS_ENDPOINT_URL": url, "SEAWAY_STORAGE": "s3://seaway", "SEAWAY_NAMESPACE": namespace}
            for name, value in {**exported, "SEAWAY_HOME": str(folder / "home")}.items():
                patch.setenv(name, value)
            one.write("a")
            kustomizing.add_resource(one.overlay, f"manifests/endpoints/{NAME}")
            one.apply()
            yield one


def adapt(site: Site, storage_classes: list[Any]) -> None:
    """The fork's own choices: its namespace, its images, and no sidecars and no disks where the cluster has none."""
    kustomizing.edit(site.overlay, lambda index: index.update(namespace=site.namespace))
    place = site.overlay / "namespace.yaml"
    place.write_text(place.read_text().replace("name: seaway", f"name: {site.namespace}"))
    named = {"docker.io/seaway/server": site.image, "docker.io/chrislusf/seaweedfs": object_store_pod.image()}
    kustomizing.edit(
        site.fork / "kustomize" / "components" / "images",
        lambda index: index.update(
            images=[{"name": name, "newName": image.rpartition(":")[0], "newTag": image.rpartition(":")[2]}
                    for name, image in named.items()]
        ),
    )  # fmt: skip
    if not storage_classes:
        patch = {"target": {"kind": "StatefulSet", "name": "seaweedfs"}, "patch": MEMORY_ONLY}
        kustomizing.edit(site.overlay, lambda index: index["patches"].append(patch))


def secret(site: Site, name: str, values: dict[str, str]) -> None:
    lines = "".join(f"{key}={value}\n" for key, value in values.items())
    site.kubectl("create", "secret", "generic", name, "--from-env-file=/dev/stdin", given=lines)


def answered(model: Client) -> np.ndarray[Any, Any]:
    """The first answer, once the gateway has the route."""
    deadline = time.monotonic() + ROUTED_S
    while True:
        try:
            return ask(model)
        except EndpointFailed:
            assert time.monotonic() < deadline
            time.sleep(0.5)


def ask(client: Client, name: str = NAME) -> np.ndarray[Any, Any]:
    return np.asarray(client.infer(name, SIGNATURE.sample)["probability"])


def test_the_kind_overlay_serves_and_applied_again_changes_nothing(site: Site) -> None:
    with forwarded(site.namespace, f"svc/{NAME}-stable") as url, Client(url, site.token()) as model:
        assert model.metadata(NAME)["versions"] == [site.version("stable")]
        answer = ask(model)
    assert answer.shape == (2, 1)
    assert ((answer > 0) & (answer < 1)).all()
    assert site.write("a") == "", "the same package is a difference in git"
    before = site.generations()
    site.kubectl("apply", "-k", str(site.overlay))
    assert site.generations() == before
    site.kubectl("diff", "-k", str(site.overlay))


def test_it_answers_behind_the_gateway_of_the_istio_option(site: Site, cluster: dynamic.DynamicClient) -> None:
    edge.require_gateway(cluster)

    def without_sidecars(index: dict[str, Any]) -> None:
        index["resources"] = [name for name in index["resources"] if name not in NO_SIDECARS]

    kustomizing.edit(site.fork / "manifests" / "serving" / "istio", without_sidecars)
    kustomizing.edit(site.overlay, lambda index: index["components"].insert(0, "../../components/istio"))
    site.apply()
    with Client(edge.URL, site.token(), host=f"{NAME}.{site.namespace}") as model:
        assert answered(model).shape == (2, 1)


def test_a_candidate_is_promoted_by_commits_without_a_lost_request(site: Site) -> None:
    old = site.version("stable")
    url = f"http://{NAME}-stable.{site.namespace}"
    with load(site.namespace, site.image, url, site.token(), NAME) as during:
        site.write("a", "b")
        site.apply()
        new = site.version("candidate")
        assert site.version("stable") == old
        site.write("b")
        site.apply()
        assert site.version("stable") == new
        site.kubectl("delete", "deployment", f"{NAME}-{old}", "--cascade=foreground")  # as Argo CD prunes, pods first
    assert during.failures == []
    assert during.versions.keys() == {old, new}


def test_the_kserve_option_serves_by_kserves_own_controller(site: Site, cluster: dynamic.DynamicClient) -> None:
    require_controller(cluster, INFERENCE_SERVICES)
    site.write("a", name=BY_KSERVE, backend="inferenceservice")
    kustomizing.add_resource(site.overlay, f"manifests/endpoints/{BY_KSERVE}")
    kustomizing.edit(site.overlay, lambda index: index["components"].insert(0, "../../components/kserve"))
    site.apply()
    site.kubectl("wait", "inferenceservice", "--all", "--for=condition=Ready", f"--timeout={STARTUP_S}s")
    with forwarded(site.namespace, f"svc/{BY_KSERVE}-stable") as url, Client(url, site.token()) as model:
        assert ask(model, BY_KSERVE).shape == (2, 1)


def test_a_step_leaves_an_endpoint_of_git_alone(site: Site) -> None:
    before = site.kubectl("get", "deployments,services,configmaps", "-o", "name")
    wanted = EndpointSpec(NAME, "run-1", site.packages["a"], hosting={"image": site.image})
    with pytest.raises(NameTaken, match=f"{NAME} in namespace {site.namespace} is git's"):
        deployment.endpoint().deploy(wanted)
    assert site.kubectl("get", "deployments,services,configmaps", "-o", "name") == before


def test_git_does_not_take_an_endpoint_from_a_step_unnoticed(site: Site, connection: Connection) -> None:
    records = Records(Objects(connection))
    records.create(Record(NAME, "run-1", "deployment", ARMS, 0.0))
    apply = ["kubectl", "apply", "--server-side", "-n", connection.namespace, "-k", str(site.endpoint())]
    refused = subprocess.run(apply, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert 'conflict with "seaway"' in refused.stderr
    assert Records(Objects(connection)).find(NAME), "the record is the step's no more"
