"""Tracking and registry by MLflow: SQLite and a folder under the state folder, or a server by MLFLOW_TRACKING_URI."""

import hashlib
import json
import logging
import os
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from seaway import platforms
from seaway.errors import InvalidSpec, RegistryUnavailable
from seaway.models.attestation import evidence_uri
from seaway.models.comparison import model_hash
from seaway.models.package import Package, verify
from seaway.models.registry import PRODUCTION, ModelVersion, RegisteredModel, Study
from seaway.platforms.home import home, run_id
from seaway.platforms.registered import (
    HASH_TAG,
    MAX_VALUE,
    check_name,
    kept,
    public_key,
    require_replaceable,
    version_tags,
)
from seaway.storage import locked, storage_for
from seaway.tuning import State, Trial
from seaway.tuning.result import STUDY_FILE

log = logging.getLogger(__name__)

EXPERIMENT = "seaway"
WEIGHTS_TAG = "weights_sha256"
STUDY_TAG = "study_sha256"
RUN_STATUS = {State.COMPLETE: "FINISHED", State.PRUNED: "KILLED", State.FAILED: "FAILED", State.RUNNING: "RUNNING"}
BATCH = 1000  # metrics that one log_batch call takes
SERVER = "MLFLOW_TRACKING_URI"
JOINED = "MLFLOW_RUN_ID"  # set by Kubeflow Pipelines' MLflow plugin, from 2.17
PARENT_TAG = "mlflow.parentRunId"
PAGES = "SEAWAY_MLFLOW_PAGES"  # where people open MLflow, if that is not where steps find it
REQUEST_TIMEOUT_S, REQUEST_RETRIES = "10", "2"  # MLflow's own are 120 s and 7


def store_uri() -> str:
    """Where runs are tracked and models registered: `MLFLOW_TRACKING_URI`, else a file of the state folder.

    Raises:
        InvalidSpec: this is a pod, whose files end with it, and none is named.
    """
    server = os.environ.get(SERVER)
    if not server and platforms.in_pod():
        raise InvalidSpec(
            f"{SERVER} is not set: what this pod tracked and registered would end with it. Set it to the MLflow "
            "server of all steps, such as http://mlflow.mlflow:5000."
        )
    return server or f"sqlite:///{quote(str(home() / 'mlflow' / 'mlflow.db'))}"  # SQLAlchemy takes the quoting away


class MlflowRegistry:
    """The `ModelRegistry` of this place; several processes may use one store at once."""

    def log_training(
        self,
        name: str,
        params: Mapping[str, Any],
        metrics: Mapping[str, float],
        history: Sequence[Mapping[str, float]],
        weights_sha256: str,
    ) -> str:
        """One run: parameters, final metrics, and one curve a column of `history` over its `epoch`."""
        with self.session() as client:
            if (recorded := self._run_of(WEIGHTS_TAG, weights_sha256)) is not None:
                return recorded
            tags = {"seaway.run": run_id(), WEIGHTS_TAG: weights_sha256}
            run = self._opened(name, tags)
            self._log(run, params, metrics, history)
            client.set_terminated(run)
            return run

    def log_study(self, name: str, result: Study) -> str:
        """One run with the best trial's params and figures and `study.json`; below it one a trial, with its curves."""
        study = result.as_json()
        content = hashlib.sha256(json.dumps(study, sort_keys=True).encode()).hexdigest()
        with self.session() as client:
            if (recorded := self._run_of(STUDY_TAG, content)) is not None:
                return recorded
            tags = {"seaway.run": run_id(), STUDY_TAG: content}
            run = self._opened(f"tune {name}", tags)
            self._log(run, result.best.params, result.best.values, [])
            client.log_dict(run, study, STUDY_FILE)
            for trial in result.trials:
                self._log_trial(run, trial)
            client.set_terminated(run)
            return run

    def log_check(self, name: str, version: str, figures: Mapping[str, float], report: Path) -> str:
        """One run: the figures, and the report's files as artifacts."""
        with self.session() as client:
            tags = {"seaway.run": run_id()}
            run = self._opened(name, tags)
            self._log(run, {"version": version}, figures, [])
            client.log_artifacts(run, str(report), "check")
            client.set_terminated(run)
            return run

    def _log_trial(self, study: str, trial: Trial) -> None:
        tags = {PARENT_TAG: study, "seaway.trial": trial.state, "seaway.reason": trial.reason[-MAX_VALUE:]}
        created = self._client.create_run(self._experiment, run_name=f"trial {trial.number}", tags=tags)
        self._log(created.info.run_id, trial.params, trial.values, trial.history)
        self._client.set_terminated(created.info.run_id, RUN_STATUS[trial.state])

    def register(self, name: str, package: Path) -> str:
        """A version whose files are the package and whose tags are its lineage; the same content keeps its version."""
        check_name(name)
        checked = verify(package, public_key())
        with self.session() as client:
            _ensure_model(client, name)
            same = client.search_model_versions(f"name={_quoted(name)} and tags.{HASH_TAG}='{checked.sha256}'")
            if same:
                return str(same[0].version)
            return self._create_version(name, checked)

    def log_evidence(self, name: str, version: str, evidence: Path) -> None:
        """As artifacts of the run that has the package's."""
        check_name(name)
        with self.session() as client:
            found = client.get_model_version(name, version)
            client.log_artifacts(found.run_id, str(evidence), evidence_uri(_folder_of(found)))

    def production(self, name: str) -> RegisteredModel | None:
        """The version with the alias `production`, in a verified folder under the state folder."""
        check_name(name)
        with self.session() as client:
            found = _version_in_production(client, name)
            if found is None:
                return None
            version = str(found.version)
            model = kept(name, version, _package_hash(found), lambda: self._fetch(name, version))
            self._fetch_evidence(found, model.package)
            return model

    def promote(self, name: str, version: str, over: str | None = None) -> None:
        """Move the alias `production` to a version.

        Look and write are one step for all processes that share a state folder, hence for every user of the store
        kept there. MLflow's own API knows no conditional write: two machines that share a server by
        MLFLOW_TRACKING_URI can both look before either writes, within one round trip of each other.

        Raises:
            ProductionChanged: the version in production is not of the package `over`.
        """
        check_name(name)
        with self.session() as client:
            if over is not None:
                found = _version_in_production(client, name)
                require_replaceable(name, found and (str(found.version), found.tags.get(HASH_TAG, "")), version, over)
            client.set_registered_model_alias(name, PRODUCTION, version)

    def versions(self, name: str) -> list[ModelVersion]:
        """All versions, newest first."""
        check_name(name)
        with self.session() as client:
            current = _version_in_production(client, name)
            found = client.search_model_versions(f"name={_quoted(name)}", order_by=["version_number DESC"])
            return [
                ModelVersion(
                    name, str(one.version), bool(current and current.version == one.version), one.run_id, dict(one.tags)
                )
                for one in found
            ]

    def run_page(self, run: str) -> str:
        """A page of MLflow's; none where its store is a file."""
        if not (pages := _pages()):
            return ""
        with self.session():
            return f"{pages}/#/experiments/{self._experiment}/runs/{quote(run, safe='')}"

    def version_page(self, name: str, version: str) -> str:
        """A page of MLflow's; none where its store is a file."""
        pages = _pages()
        return f"{pages}/#/models/{quote(name, safe='')}/versions/{quote(version, safe='')}" if pages else ""

    def run_of_weights(self, sha256: str) -> str | None:
        """The run that recorded the training of these weights; None where none did."""
        with self.session():
            return self._run_of(WEIGHTS_TAG, sha256)

    def _fetch_evidence(self, found: Any, package: Path) -> None:
        """What was stated of a version, beside its package; not trusted here, since `seaway verify` does not."""
        stated = evidence_uri(_folder_of(found))
        if self._client.list_artifacts(found.run_id, stated):
            fetched = Path(self._client.download_artifacts(found.run_id, stated))
            storage_for(str(fetched)).upload(fetched, evidence_uri(str(package)))

    @property
    def _folder(self) -> Path:
        return home() / "mlflow"

    @contextmanager
    def session(self) -> Iterator[Any]:
        """The client, alone with the store on this machine: SQLite's first tables and look-then-create need that."""
        with _store_errors(self._uri), locked(self._folder / "lock"):
            yield self._client

    @cached_property
    def _client(self) -> Any:
        return _import_mlflow()(self._uri, self._uri)

    @property
    def _uri(self) -> str:
        return store_uri()

    def _opened(self, name: str, tags: Mapping[str, str] = MappingProxyType({})) -> str:
        """A new run of MLflow, below the one that Kubeflow Pipelines has opened, where there is one."""
        above = {PARENT_TAG: self._joined.info.run_id} if self._joined else {}
        return str(self._client.create_run(self._experiment, run_name=name, tags={**tags, **above}).info.run_id)

    @cached_property
    def _joined(self) -> Any:
        """The run that Kubeflow Pipelines has opened by its MLflow plugin; None where it has not, or it is gone."""
        from mlflow.exceptions import MlflowException

        named = os.environ.get(JOINED)
        try:
            return self._client.get_run(named) if named else None
        except MlflowException as error:
            log.warning("%s=%s is no run of this MLflow, so nothing is put below it: %s", JOINED, named, error.message)
            return None

    @cached_property
    def _experiment(self) -> str:
        if self._joined:
            return str(self._joined.info.experiment_id)
        return self.experiment(EXPERIMENT)

    def experiment(self, name: str) -> str:
        """The id of the experiment, which is made where there is none; within a session."""
        found = self._client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        files = None if os.environ.get(SERVER) else (self._folder / "artifacts").as_uri()
        return str(self._client.create_experiment(name, artifact_location=files))

    def _log(
        self, run: str, params: Mapping[str, Any], metrics: Mapping[str, float], history: Sequence[Mapping[str, float]]
    ) -> None:
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        points = [Metric(name, float(value), now, 0) for name, value in metrics.items()]
        for row in history:
            step = int(row["epoch"])
            points += [Metric(f"curve/{name}", float(y), now, step) for name, y in row.items() if name != "epoch"]
        settings = [Param(name, str(value)[:MAX_VALUE]) for name, value in params.items()]
        self._client.log_batch(run, params=settings)
        for start in range(0, len(points), BATCH):
            self._client.log_batch(run, metrics=points[start : start + BATCH])

    def _run_of(self, tag: str, sha256: str) -> str | None:
        """The whole record of the training or study with this hash; one whose writer died is none."""
        wanted = f"attributes.status = 'FINISHED' and tags.{tag} = '{sha256}'"
        found = self._client.search_runs([self._experiment], wanted, max_results=1)
        return str(found[0].info.run_id) if found else None

    def _create_version(self, name: str, package: Package) -> str:
        client = self._client
        run = self._run_of(WEIGHTS_TAG, model_hash(package.path))
        run = run or self._opened(f"register {name}")
        known = client.get_run(run).data.metrics
        self._log(run, {}, {each: y for each, y in package.lineage.metrics.items() if each not in known}, [])
        client.set_terminated(run)
        folder = f"package-{package.sha256[:12]}"
        client.log_artifacts(run, str(package.path), folder)
        source = f"{client.get_run(run).info.artifact_uri}/{folder}"
        return str(client.create_model_version(name, source, run, tags=version_tags(package)).version)

    def _fetch(self, name: str, version: str) -> Path:
        from mlflow.artifacts import download_artifacts

        uri = self._client.get_model_version_download_uri(name, version)
        return Path(download_artifacts(artifact_uri=uri, tracking_uri=self._uri))


def _import_mlflow() -> Any:
    """MLflow's client class. Seconds, so it is done before the store is locked; it reads its settings on import."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", REQUEST_TIMEOUT_S)
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", REQUEST_RETRIES)
    from mlflow import MlflowClient

    return MlflowClient


def _quoted(name: str) -> str:
    """As a filter of MLflow has it."""
    return f'"{name}"' if "'" in name else f"'{name}'"


def _pages() -> str:
    """The address under which people open MLflow; empty where nothing serves it."""
    address = os.environ.get(PAGES) or os.environ.get(SERVER, "")
    return address.rstrip("/") if address.startswith(("http://", "https://")) else ""


def _ensure_model(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    try:
        client.create_registered_model(name)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _version_in_production(client: Any, name: str) -> Any:
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, PRODUCTION)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _folder_of(found: Any) -> str:
    """The artifact folder of a version's package."""
    return str(found.source).rstrip("/").rpartition("/")[2]


def _package_hash(found: Any) -> str:
    try:
        return str(found.tags[HASH_TAG])
    except KeyError:
        raise RegistryUnavailable(
            f"The alias {PRODUCTION!r} of {found.name} stands on version {found.version}, which Seaway did not "
            f"register (it has no tag {HASH_TAG}; its run is {found.run_id or 'unknown'}). Move the alias to a version "
            "that register_model has made, or delete it: then the next run begins with its baseline."
        ) from None


def _without_password(text: str) -> str:
    """The text with user and password of its URIs left out; the cause, which may hold them too, is not chained."""
    return re.sub(r"(?<=://)[^/@\s]+@", "", text)


@contextmanager
def _store_errors(uri: str) -> Iterator[None]:
    _import_mlflow()
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except (MlflowException, SQLAlchemyError) as error:
        reason = _without_password(" ".join(str(error).split())[:300])
        raise RegistryUnavailable(
            f"The MLflow store {_without_password(uri)} refused or does not answer ({reason}). See that it runs, that "
            "MLFLOW_TRACKING_URI names it, and that the model and version exist."
        ) from None
