"""Model versions in Kubeflow's model registry (Hub), their files by the `Storage` port, their runs in MLflow.

Hub keeps no files: a version's artifact has the URI of its package, below `$SEAWAY_STORAGE`, or the state folder where
that is not set. Hub has no aliases either: the registered model's property `production` names the version.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from seaway import platforms
from seaway.errors import InvalidSpec, RegistryUnavailable
from seaway.models.attestation import evidence_uri
from seaway.models.comparison import model_hash
from seaway.models.package import Package, verify
from seaway.models.registry import PRODUCTION, ModelVersion, RegisteredModel, Study
from seaway.platforms.home import home, run_id
from seaway.platforms.hub.server import Conflict, HubServer, Record, properties, texts
from seaway.platforms.mlflow import MlflowRegistry
from seaway.platforms.registered import HASH_TAG, check_name, kept, public_key, require_replaceable, version_tags
from seaway.storage import locked, storage_for

PAGES = "SEAWAY_HUB_PAGES"  # where people open Hub's pages of this registry
RUN = "run"
PACKAGE = "model-artifact"
STATED = "doc-artifact"
ATTEMPTS = 20  # at a number for a version, while others register versions of the same model


class HubRegistry:
    """The `ModelRegistry` by `SEAWAY_HUB_URI`, with the runs in MLflow."""

    def __init__(self) -> None:
        self._runs = MlflowRegistry()
        self._hub = HubServer.named()

    def log_training(
        self,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        history: Sequence[Mapping[str, float]],
        weights_sha256: str,
    ) -> str:
        """A run of MLflow's."""
        return self._runs.log_training(name, params, metrics, history, weights_sha256)

    def log_study(self, name: str, result: Study) -> str:
        """A run of MLflow's."""
        return self._runs.log_study(name, result)

    def log_check(self, name: str, version: str, figures: Mapping[str, float], report: Path) -> str:
        """A run of MLflow's."""
        return self._runs.log_check(name, version, figures, report)

    def run_page(self, run: str) -> str:
        """A page of MLflow's."""
        return self._runs.run_page(run)

    def register(self, name: str, package: Path) -> str:
        """A version with the package's lineage; files come first, so that a version that is seen can be used."""
        check_name(name)
        checked = verify(package, public_key())
        with self._alone():
            model = self._ensured(name)
            version = next((one for one in self._hub.versions(model["id"]) if _hash(one) == checked.sha256), None)
            if version is None or self._package(version) is None:
                uri = f"{_root()}/registry/{quote(name, safe='')}/{checked.sha256[:16]}"
                storage_for(uri).upload(checked.path, uri)
                version = version or self._numbered(model["id"], checked)
                self._hub.make(f"model_versions/{version['id']}/artifacts", **_artifact(checked, uri))
            return str(version["name"])

    def log_evidence(self, name: str, version: str, evidence: Path) -> None:
        """Beside the package in the storage, and as an artifact of the version, once."""
        check_name(name)
        found = self._required(name, version)
        uri = evidence_uri(self._uri(name, found))
        storage_for(uri).upload(evidence, uri)
        if not any(one.get("uri") == uri for one in self._hub.artifacts(found["id"])):
            told = {"artifactType": STATED, "name": f"rollout of version {version}", "uri": uri}
            self._hub.make(f"model_versions/{found['id']}/artifacts", **told)

    def production(self, name: str) -> RegisteredModel | None:
        """The version that the property `production` names, in a verified folder under the state folder."""
        check_name(name)
        with self._alone():
            model = self._hub.model(name)
            found = model and self._production(model)
            if not found:
                return None
            uri = self._uri(name, found)
            with TemporaryDirectory(dir=home()) as draft:
                fetched = kept(name, found["name"], _hash(found), _downloaded(uri, Path(draft) / "package"))
            self._fetch_evidence(uri, fetched.package)
            return fetched

    def promote(self, name: str, version: str, over: str | None = None) -> None:
        """Set the property `production`.

        Hub knows no conditional write: two machines can both look before either writes, as with MLflow's alias.

        Raises:
            ProductionChanged: the version in production is not of the package `over`.
        """
        check_name(name)
        with self._alone():
            model = _there(self._hub.model(name), name)
            self._version(model, version)
            if over is not None:
                found = self._production(model)
                require_replaceable(name, (found["name"], _hash(found)) if found else None, version, over)
            said = {**(model.get("customProperties") or {}), **properties({PRODUCTION: version})}
            self._hub.change(f"registered_models/{model['id']}", customProperties=said)

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions, newest first."""
        check_name(name)
        model = self._hub.model(name)
        if model is None:
            return []
        current = texts(model).get(PRODUCTION)
        found = [
            ModelVersion(name, one["name"], one["name"] == current, texts(one).get(RUN, ""), texts(one))
            for one in self._hub.versions(model["id"])
        ]
        return sorted(found, key=lambda one: _number(one.version), reverse=True)

    def version_page(self, name: str, version: str) -> str:
        """A page of Hub's, where `SEAWAY_HUB_PAGES` says where people open those."""
        pages = os.environ.get(PAGES, "").rstrip("/")
        if not pages:
            return ""
        found = self._required(name, version)
        return f"{pages}/registered-models/{found['registeredModelId']}/versions/{found['id']}"

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Look and write are one step for the processes that share a state folder."""
        with locked(home() / "hub.lock"):
            yield

    def _ensured(self, name: str) -> Record:
        try:
            return self._hub.model(name) or self._hub.make("registered_models", name=name)
        except Conflict:
            return _there(self._hub.model(name), name)

    def _numbered(self, model: str, package: Package) -> Record:
        """A new version under the next free number, whoever else registers versions meanwhile."""
        said = properties({**version_tags(package), RUN: self._runs.run_of_weights(model_hash(package.path)) or ""})
        for _ in range(ATTEMPTS):
            taken = (_number(one["name"]) for one in self._hub.versions(model))
            fields = {"name": str(max(taken, default=0) + 1), "registeredModelId": model, "customProperties": said}
            try:
                return self._hub.make(f"registered_models/{model}/versions", **fields)
            except Conflict:
                continue
        raise RegistryUnavailable(f"{ATTEMPTS} times another took the number of the next version; register again.")

    def _production(self, model: Record) -> Record | None:
        current = texts(model).get(PRODUCTION)
        return self._version(model, current) if current else None

    def _required(self, name: str, version: str) -> Record:
        return self._version(_there(self._hub.model(name), name), version)

    def _version(self, model: Record, version: str) -> Record:
        return _there(self._hub.version(model["id"], version), f"{model['name']} version {version}")

    def _package(self, version: Record) -> Record | None:
        return next((one for one in self._hub.artifacts(version["id"]) if one.get("artifactType") == PACKAGE), None)

    def _uri(self, name: str, version: Record) -> str:
        found = self._package(version)
        if found is None or not found.get("uri"):
            raise RegistryUnavailable(
                f"Version {version['name']} of {name} has no package in Kubeflow's model registry: its registration "
                "was cut off, or somebody else made it. Register the package again."
            )
        return str(found["uri"])

    def _fetch_evidence(self, uri: str, package: Path) -> None:
        """What was stated of a version, beside its package; not trusted here, since `seaway verify` does not."""
        stated = evidence_uri(uri)
        if storage_for(stated).exists(stated):
            storage_for(stated).download(stated, Path(evidence_uri(str(package))))


def _downloaded(uri: str, target: Path) -> Callable[[], Path]:
    def fetch() -> Path:
        storage_for(uri).download(uri, target)
        return target

    return fetch


def _root() -> str:
    """Where packages are kept. Raises: InvalidSpec: in a pod no place is named that would outlive it."""
    root = os.environ.get("SEAWAY_STORAGE", "").rstrip("/")
    if not root and platforms.in_pod():
        raise InvalidSpec("SEAWAY_STORAGE is not set: a package kept in this pod would end with it. Set it to a URI.")
    return root or str(home())


def _artifact(package: Package, uri: str) -> Record:
    """As KServe and Hub's own pages find the model."""
    return {
        "artifactType": PACKAGE,
        "name": f"package {package.sha256[:16]}",
        "uri": uri,
        "modelFormatName": "seaway",
        "modelFormatVersion": "1",
        "modelSourceKind": "kfp",
        "modelSourceClass": "pipelinerun",
        "modelSourceId": run_id(),
        "state": "LIVE",
    }


def _there(record: Record | None, what: str) -> Record:
    if record is None:
        raise RegistryUnavailable(f"Kubeflow's model registry has no {what}; `seaway models` lists what it has.")
    return record


def _hash(version: Record) -> str:
    return texts(version).get(HASH_TAG, "")


def _number(version: str) -> int:
    """Versions that somebody else named count for nothing."""
    return int(version) if version.isdecimal() else 0
