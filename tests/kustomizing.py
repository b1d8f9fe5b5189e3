"""The project's kustomization with endpoints of git in it: a copy, as a user's fork is one."""

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

PROJECT = Path(__file__).parents[1]
KUBECTL = shutil.which("kubectl")


def copied(folder: Path) -> Path:
    """A fork in `folder`."""
    for part in ("kustomize", "manifests"):
        shutil.copytree(PROJECT / part, folder / part)
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
