"""A real Argo CD, and a git repository of the test's own that it follows.

What is applied is manifests/gitops as it is shipped; only the names, the address of the repository and the namespace
are the test's.
"""

import os
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import kustomizing
import pytest
import yaml
from kubernetes import client, dynamic
from seaway.platforms.kubernetes.client.connection import Connection
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import Resource

HOME = "argocd"  # the namespace whose Applications are synced
OVERLAY = "kustomize/overlays/kind"
APPLICATIONS = Resource("argoproj.io", "v1alpha1", "applications", "Application")
PROJECTS = Resource("argoproj.io", "v1alpha1", "appprojects", "AppProject")
SYNCED_S = 300.0  # on a busy machine; else 10
POLL_S = 0.25
AUTHOR = ("-c", "user.name=test", "-c", "user.email=test@localhost")


def require(cluster: dynamic.DynamicClient) -> None:
    """Argo CD runs on this machine, so that it can follow a repository in a folder of a test."""
    if "SEAWAY_CLUSTER_TOOL" not in os.environ:
        pytest.skip("SEAWAY_CLUSTER_TOOL names no cluster whose Argo CD reads folders of this machine")
    try:
        projects = cluster.resources.get(api_version="argoproj.io/v1alpha1", kind="AppProject")
        projects.get(name="default", namespace=HOME)  # the controller makes it when it starts
    except dynamic.exceptions.NotFoundError as error:
        pytest.skip(f"no Argo CD runs in this cluster: {error.reason}")
    except dynamic.exceptions.ResourceNotFoundError:
        pytest.skip("the cluster does not serve applications.argoproj.io")


@dataclass(frozen=True)
class Repository:
    """manifests/ and kustomize/ under git; the overlay `kind` lies in the test's namespace."""

    folder: Path

    @classmethod
    def made(cls, folder: Path, namespace: str) -> "Repository":
        kustomizing.copied(folder)
        for file in ("kustomization.yaml", "namespace.yaml"):
            path = folder / OVERLAY / file
            path.write_text(path.read_text().replace(": seaway\n", f": {namespace}\n"))
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", str(folder)], check=True)
        made = cls(folder)
        made.commit("Begin")
        return made

    @property
    def url(self) -> str:
        return f"file://{self.folder}"

    def commit(self, message: str) -> str:
        """Commit all that changed, or nothing; returns the revision."""
        self._git("add", "--all")
        self._git(*AUTHOR, "commit", "--quiet", "--allow-empty", "--message", message)
        return self._git("rev-parse", "HEAD").strip()

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the text's only occurrence."""
        path = self.folder / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))

    def enlist(self, file: str, entry: str, key: str = "resources") -> None:
        """Add an entry to a list of a kustomization."""
        path = self.folder / file
        index = yaml.safe_load(path.read_text())
        index.setdefault(key, []).append(entry)
        path.write_text(yaml.safe_dump(index))

    def _git(self, *words: str) -> str:
        return subprocess.run(["git", *words], cwd=self.folder, check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Application:
    """An Application, and the namespace that it fills."""

    name: str
    argo: Objects
    there: Objects

    def look(self, revision: str) -> dict[str, Any]:
        """Have the repository read now, not at the next poll; returns the status once it is of that revision."""
        refresh = {"metadata": {"annotations": {"argocd.argoproj.io/refresh": "normal"}}}
        kind, api = APPLICATIONS, client.CustomObjectsApi(self.argo.connection.requests)
        api.patch_namespaced_custom_object(kind.group, kind.version, HOME, kind.plural, self.name, refresh)
        return self.await_status(lambda status: status.get("sync", {}).get("revision") == revision)

    def land(self, revision: str) -> dict[str, Any]:
        """Wait until git's revision is what the cluster has, and no operation runs."""
        self.look(revision)
        return self.await_status(lambda status: _landed(status, revision))

    def await_status(self, is_right: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + SYNCED_S
        while not is_right(status := self.status()):
            assert time.monotonic() < deadline, yaml.safe_dump(status)
            time.sleep(POLL_S)
        return status

    def status(self) -> dict[str, Any]:
        """What Argo CD says of it; nothing where it is gone."""
        return dict((self.argo.get(APPLICATIONS, self.name) or {}).get("status", {}))


def _landed(status: Mapping[str, Any], revision: str) -> bool:
    """No operation runs, and a comparison that was made after the last one found nothing to do."""
    sync, operation = status.get("sync", {}), status.get("operationState", {})
    return (
        (sync.get("status"), sync.get("revision")) == ("Synced", revision)
        and operation.get("phase") == "Succeeded"
        and str(operation["finishedAt"]) <= str(status["reconciledAt"])
    )


@contextmanager
def following(connection: Connection, repository: Repository) -> Iterator[Application]:
    """The shipped AppProject and the Application of the overlay `kind`, until the end of the block."""
    name = f"seaway-test-{secrets.token_hex(4)}"
    argo = Objects(replace(connection, namespace=HOME))
    project, application = _shipped(name, repository.url, connection.namespace)
    argo.apply(PROJECTS, project)
    try:
        argo.apply(APPLICATIONS, application)
        yield Application(name, argo, Objects(connection))
    finally:
        argo.delete(APPLICATIONS, name)
        argo.delete(PROJECTS, name)


def _shipped(name: str, url: str, namespace: str) -> tuple[dict[str, Any], dict[str, Any]]:
    built = kustomizing.build(kustomizing.PROJECT / "manifests" / "gitops")
    shipped = {item["metadata"]["name"]: item for item in built}
    project, application = shipped["seaway"], shipped["seaway-kind"]
    for item in (project, application):
        item["metadata"]["name"] = name
    project["spec"] |= {"sourceRepos": [url]}
    project["spec"]["destinations"] = [{**project["spec"]["destinations"][0], "namespace": namespace}]
    application["spec"]["project"] = name
    application["spec"]["source"]["repoURL"] = url
    application["spec"]["destination"]["namespace"] = namespace
    return project, application
