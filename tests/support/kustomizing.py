"""The project's kustomization with endpoints of git in it: a copy, as a user's fork is one."""

import itertools
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from places import PROJECT

KUBECTL = shutil.which("kubectl")
OVERLAYS = ("kind", "staging", "production")
BACKENDS = {"deployment": None, "seldondeployment": "seldon", "inferenceservice": "kserve"}  # and their components
ROUTING = (None, "istio", "gateway-api")
CHOICES = [
    (routing, backend)
    for routing, backend in itertools.product(ROUTING, BACKENDS)
    if (routing, backend) != ("gateway-api", "seldondeployment")  # Seldon's operator makes routes of Istio only
]


def copied(folder: Path) -> Path:
    """A fork in `folder`."""
    for part in ("kustomize", "manifests"):
        shutil.copytree(PROJECT / part, folder / part)
    return folder


def with_endpoints(folder: Path) -> Path:
    """A fork with the endpoint that it routes to, of two arms, for each backend: in manifests/endpoints/BACKEND."""
    from seaway.platforms.kubernetes.serving.gitops import GitEndpoint, write_endpoint
    from small_package import small_package

    arms = ("stable", "candidate")
    uris = {arm: str(small_package(folder / arm, folder / "home", seed)) for seed, arm in enumerate(arms)}
    fork = copied(folder / "fork")
    settings = yaml.safe_load((fork / "kustomize" / "hosting.yaml").read_text())
    hosting, key = {**settings, "storage": str(folder / "storage")}, folder / "home" / "keys" / "signing.pub"
    for backend in BACKENDS:
        endpoint = GitEndpoint(routed(fork), uris, backend, key, hosting=hosting)
        write_endpoint(endpoint, fork / "manifests" / "endpoints" / backend)
    return fork


def routed(fork: Path) -> str:
    """The endpoint whose route the component `istio` names."""
    text = (fork / "kustomize" / "components" / "istio" / "kustomization.yaml").read_text()
    return re.search(r"virtualservice/(\S+)-route#", text)[1]


def chosen(fork: Path, routing: str | None, backend: str, others: Iterable[str] = ()) -> Path:
    """An overlay with an endpoint by this backend, behind this routing, with other options."""
    components = ["kubeflow-accounts", "isolation", routing, BACKENDS[backend], *others, "images"]
    name = "-".join([str(routing).lower(), backend, *others])
    resources = ["kustomize/base", f"manifests/endpoints/{backend}"]
    return overlay(fork, name, resources, [component for component in components if component])


def shipped(fork: Path, name: str, backend: str) -> Path:
    """A copy of a shipped overlay that takes in the endpoint, as docs/how-to/endpoint-by-git.md does."""
    folder = fork / "kustomize" / "overlays" / f"{name}-{backend}"
    if not folder.exists():
        shutil.copytree(folder.with_name(name), folder)
        add_resource(folder, f"manifests/endpoints/{backend}")
    return folder


def overlay(fork: Path, namespace: str, resources: Iterable[str], components: Iterable[str]) -> Path:
    """A new overlay of the fork, its resources named from the fork's root, its components by name."""
    folder = fork / "kustomize" / "overlays" / namespace
    folder.mkdir()
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    place = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace, "labels": labels}}
    (folder / "namespace.yaml").write_text(yaml.safe_dump(place))
    wanted = {
        "namespace": namespace,
        "resources": ["namespace.yaml", *(f"../../../{resource}" for resource in resources)],
        "components": [f"../../components/{component}" for component in components],
        "transformers": ["../../place"],
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(wanted))
    return folder


def add_resource(folder: Path, resource: str) -> None:
    """What `kustomize edit add resource` does, for one that is named from the fork's root."""
    edit(folder, lambda index: index["resources"].append(f"../../../{resource}"))


def edit(folder: Path, change: Any) -> None:
    """Change a folder's kustomization."""
    file = folder / "kustomization.yaml"
    index = yaml.safe_load(file.read_text())
    change(index)
    file.write_text(yaml.safe_dump(index))


def build(folder: Path) -> list[dict[str, Any]]:
    """The objects that kustomize makes."""
    built = subprocess.run([str(KUBECTL), "kustomize", str(folder)], check=True, capture_output=True, text=True)
    return list(yaml.load_all(built.stdout, yaml.CSafeLoader))  # a safe loader, in C: 20 times as fast


def named_images(value: Any) -> list[str]:
    """Every value of a key `image`, but for parameters of a pipeline by default: a column may be called so."""
    if isinstance(value, dict):
        own = [found] if isinstance(found := value.get("image"), str) else []
        return own + [image for key, part in value.items() if key != "defaultValue" for image in named_images(part)]
    return [image for part in value for image in named_images(part)] if isinstance(value, list) else []


def images(value: Any) -> list[str]:
    """Of all containers of an object."""
    if isinstance(value, dict):
        own = [container["image"] for key in ("containers", "initContainers") for container in value.get(key, ())]
        return own + [image for part in value.values() for image in images(part)]
    return [image for part in value for image in images(part)] if isinstance(value, list) else []
