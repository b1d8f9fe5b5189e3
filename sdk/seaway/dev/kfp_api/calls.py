"""The calls of KFP's API: each takes the words of a request and gives the JSON of the answer."""

import shutil
from collections.abc import Callable, Mapping
from typing import Any

from seaway.dev import start
from seaway.dev.kfp_api.listing import listed
from seaway.dev.kfp_api.refusal import FAILED_PRECONDITION, INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED, Refusal
from seaway.dev.kfp_api.run_messages import run_message
from seaway.dev.kfp_api.store import DEFAULT, Known, Store, find, new_id, now, require_free, text_of
from seaway.errors import InvalidSpec, RunFailed
from seaway.kfp.local import records

Document = dict[str, Any]
Words = Mapping[str, str]
TAG = "2.17.0"  # the release whose API this is


class Calls:
    """Answers calls from the runs of this folder and a store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def health(self, _query: Words) -> Document:
        return {"multi_user": False, "commit_sha": "", "tag_name": TAG}

    # pipelines and their versions

    def list_pipelines(self, query: Words) -> Document:
        return listed("pipelines", list(self._store.read().pipelines.values()), query)

    def get_pipeline(self, pipeline_id: str) -> Document:
        return find("pipeline", pipeline_id, self._store.read().pipelines)

    def pipeline_by_name(self, name: str) -> Document:
        for one in self._store.read().pipelines.values():
            if one["display_name"] == name:
                return one
        raise Refusal(NOT_FOUND, f"There is no pipeline {name!r}.")

    def create_pipeline(self, wanted: Document) -> Document:
        """A pipeline without a version."""
        with self._store.change() as known:
            return _new_pipeline(known, wanted.get("display_name") or wanted.get("name", ""), wanted)

    def upload_pipeline(self, query: Words, text: str) -> Document:
        """A pipeline with its first version, which has its name."""
        with self._store.change() as known:
            pipeline = _new_pipeline(known, query.get("name") or query.get("display_name", ""), query)
            self._new_version(known, pipeline, pipeline["display_name"], query, text)
            return pipeline

    def upload_version(self, query: Words, text: str) -> Document:
        with self._store.change() as known:
            pipeline = find("pipeline", query.get("pipelineid", ""), known.pipelines)
            return self._new_version(known, pipeline, query.get("name") or query.get("display_name", ""), query, text)

    def _new_version(self, known: Known, pipeline: Document, name: str, told: Mapping[str, Any], text: str) -> Document:
        of_it = {key: one for key, one in known.versions.items() if one["pipeline_id"] == pipeline["pipeline_id"]}
        require_free("pipeline version", name, of_it)
        identity = new_id()
        known.versions[identity] = {
            "pipeline_id": pipeline["pipeline_id"],
            "pipeline_version_id": identity,
            "display_name": name,
            "name": name,
            "description": told.get("description", ""),
            "created_at": now(),
            "pipeline_spec": self._store.keep_spec(identity, text),
        }
        return known.versions[identity]

    def delete_pipeline(self, pipeline_id: str) -> Document:
        """Gone only without versions, as KFP has it; the client's CLI deletes these first."""
        with self._store.change() as known:
            find("pipeline", pipeline_id, known.pipelines)
            if any(one["pipeline_id"] == pipeline_id for one in known.versions.values()):
                raise Refusal(FAILED_PRECONDITION, "The pipeline has versions; delete these first.")
            del known.pipelines[pipeline_id]
        return {}

    def list_versions(self, pipeline_id: str, query: Words) -> Document:
        known = self._store.read()
        find("pipeline", pipeline_id, known.pipelines)
        of_it = [one for one in known.versions.values() if one["pipeline_id"] == pipeline_id]
        return listed("pipeline_versions", of_it, query)

    def get_version(self, pipeline_id: str, pipeline_version_id: str) -> Document:
        return _version(self._store.read(), pipeline_id, pipeline_version_id)

    def delete_version(self, pipeline_id: str, pipeline_version_id: str) -> Document:
        with self._store.change() as known:
            _version(known, pipeline_id, pipeline_version_id)
            del known.versions[pipeline_version_id]
        return {}

    # experiments

    def list_experiments(self, query: Words) -> Document:
        return listed("experiments", list(self._store.read().experiments.values()), query)

    def get_experiment(self, experiment_id: str) -> Document:
        return find("experiment", experiment_id, self._store.read().experiments)

    def create_experiment(self, wanted: Document) -> Document:
        with self._store.change() as known:
            require_free("experiment", wanted.get("display_name", ""), known.experiments)
            identity = new_id()
            kept = {"display_name": wanted["display_name"], "description": wanted.get("description", "")}
            more = {"created_at": now(), "storage_state": "AVAILABLE"}
            known.experiments[identity] = {"experiment_id": identity, **kept, **more}
            return known.experiments[identity]

    def delete_experiment(self, experiment_id: str) -> Document:
        """Its runs stay, and are of the default experiment from then on."""
        with self._store.change() as known:
            if find("experiment", experiment_id, known.experiments)["display_name"] == DEFAULT:
                raise Refusal(FAILED_PRECONDITION, "The default experiment cannot be deleted.")
            del known.experiments[experiment_id]
        return {}

    def archive_experiment(self, experiment_id: str, state: str) -> Document:
        with self._store.change() as known:
            find("experiment", experiment_id, known.experiments)["storage_state"] = state
        return {}

    # runs

    def list_runs(self, query: Words) -> Document:
        """All, those that `seaway run` began too."""
        known = self._store.read()
        found = [_told(record, known) for record in records.records()]
        wanted = query.get("experiment_id", "")
        return listed("runs", [one for one in found if wanted in ("", one["experiment_id"])], query)

    def get_run(self, run_id: str) -> Document:
        return _told(_record(run_id), self._store.read())

    def create_run(self, wanted: Document) -> Document:
        """Start a pipeline that the call brings, or a version's.

        Raises:
            Refusal: it brings none, or its parameters are wrong.
        """
        known = self._store.read()
        experiment = wanted.get("experiment_id") or _default(known)
        find("experiment", experiment, known.experiments)
        parameters = (wanted.get("runtime_config") or {}).get("parameters") or {}
        try:
            run = start.start(self._source(wanted, known), parameters)
        except (InvalidSpec, RunFailed) as error:
            raise Refusal(INVALID_ARGUMENT, f"InvalidInputError: {error}") from error
        kept = ("display_name", "description", "pipeline_spec", "pipeline_version_reference")
        with self._store.change() as changed:
            told = {name: wanted[name] for name in kept if wanted.get(name)}
            changed.runs[run] = {**told, "experiment_id": experiment}
        return self.get_run(run)

    def _source(self, wanted: Document, known: Known) -> str:
        if spec := wanted.get("pipeline_spec"):
            identity = new_id()
            self._store.keep_spec(identity, text_of(spec))
            return str(self._store.specs(identity))
        reference = wanted.get("pipeline_version_reference") or {}
        if not reference:
            raise Refusal(INVALID_ARGUMENT, "The run names no pipeline: give a pipeline_spec or a version of one.")
        identity = reference.get("pipeline_version_id") or _latest_version(known, reference.get("pipeline_id", ""))
        find("pipeline version", identity, known.versions)
        return str(self._store.specs(identity))

    def terminate_run(self, run_id: str) -> Document:
        _record(run_id)
        start.stop(run_id)
        return {}

    def archive_run(self, run_id: str, state: str) -> Document:
        _record(run_id)
        with self._store.change() as known:
            known.runs.setdefault(run_id, {})["storage_state"] = state
        return {}

    def delete_run(self, run_id: str) -> Document:
        """Its record and logs; what it made stays, since other runs may reuse it. Raises: Refusal: it is going."""
        if _record(run_id)["state"] == "running":
            raise Refusal(FAILED_PRECONDITION, f"Run {run_id} is going; terminate it first.")
        shutil.rmtree(records.record_file(run_id).parent)
        with self._store.change() as known:
            known.runs.pop(run_id, None)
        return {}

    # what a laptop does not do

    def no_recurring_runs(self, _query: Words) -> Document:
        return {"recurringRuns": [], "total_size": 0}

    def not_here(self, what: str) -> Callable[..., Document]:
        def refuse(*_: Any, **__: Any) -> Document:
            raise Refusal(UNIMPLEMENTED, f"{what} `seaway submit --every` schedules a pipeline on Kubeflow.")

        return refuse


def _new_pipeline(known: Known, name: str, told: Mapping[str, Any]) -> Document:
    require_free("pipeline", name, known.pipelines)
    identity = new_id()
    words = {"display_name": name, "name": name, "description": told.get("description", ""), "created_at": now()}
    known.pipelines[identity] = {"pipeline_id": identity, **words}
    return known.pipelines[identity]


def _version(known: Known, pipeline: str, version: str) -> Document:
    found = find("pipeline version", version, known.versions)
    if found["pipeline_id"] != pipeline:
        raise Refusal(NOT_FOUND, f"Pipeline {pipeline!r} has no version {version!r}.")
    return found


def _latest_version(known: Known, pipeline: str) -> str:
    of_it = [one for one in known.versions.values() if one["pipeline_id"] == pipeline]
    if not of_it:
        raise Refusal(NOT_FOUND, f"There is no pipeline {pipeline!r} with a version.")
    return str(max(of_it, key=lambda one: one["created_at"])["pipeline_version_id"])


def _record(run: str) -> Document:
    try:
        return records.record(run)
    except InvalidSpec as error:
        raise Refusal(NOT_FOUND, f"There is no run {run!r}.") from error


def _default(known: Known) -> str:
    return next(key for key, one in known.experiments.items() if one["display_name"] == DEFAULT)


def _told(record: Document, known: Known) -> Document:
    told = dict(known.runs.get(record["run"], {}))
    if told.get("experiment_id") not in known.experiments:
        told.pop("experiment_id", None)
    return run_message(record, told, _default(known))
