"""Whole runs of MLflow's, read for other trackers and recorded from them."""

import hashlib
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from seaway.errors import InvalidSpec
from seaway.models.comparison import model_hash
from seaway.platforms.mlflow import BATCH, MlflowRegistry
from seaway.platforms.registered import MAX_VALUE
from seaway.tracking import Point, TrackedRun

OWN = "mlflow."  # its own tags
SOURCE_TAG = "imported_sha256"
ODD = re.compile(r"[^\w\-. /]", re.ASCII)  # not in a name of MLflow's
LONGEST = 250  # characters of such a name
PARAMS = 100  # that one log_batch call takes


def runs_of(name: str) -> list[str]:
    """The ids of the runs of MLflow's that a run of Seaway's made, earliest first; of MLflow's own id, that one.

    Raises:
        InvalidSpec: there are none.
        RegistryUnavailable: the store does not answer.
    """
    registry = MlflowRegistry()
    with registry.session() as client:
        everywhere = [one.experiment_id for one in client.search_experiments()]
        found = [] if "'" in name else client.search_runs(everywhere, f"tags.`seaway.run` = '{name}'")
        ids = [str(one.info.run_id) for one in reversed(found)]
        if not ids and re.fullmatch(r"[0-9a-f]{32}", name):
            ids = [str(client.get_run(name).info.run_id)]
    if not ids:
        raise InvalidSpec(f"Nothing of {name} was tracked; give a run that trains with `track_as`, or MLflow's run id.")
    return ids


def runs_of_model(model: Path) -> list[str]:
    """The id of the run that recorded the training which left the folder `model`; an earlier one, where it was reused.

    Raises:
        InvalidSpec: it was not tracked.
        RegistryUnavailable: the store does not answer.
    """
    found = MlflowRegistry().run_of_weights(model_hash(model))
    if not found:
        raise InvalidSpec("The training of this model was not tracked; give its step a name by `track_as`.")
    return [found]


def read(run: str, files: Path | None) -> TrackedRun:
    """A run with all points of its metrics; its files too, into the folder `files` where one is given.

    Raises:
        RegistryUnavailable: the store does not answer, or has no such run.
    """
    registry = MlflowRegistry()
    with registry.session() as client:
        found = client.get_run(run)
        history = [point for name in found.data.metrics for point in client.get_metric_history(run, name)]
        tags = {name: value for name, value in found.data.tags.items() if not name.startswith(OWN)}
        return TrackedRun(
            key=run,
            name=found.info.run_name or run,
            experiment=client.get_experiment(found.info.experiment_id).name,
            params=dict(found.data.params),
            tags={**tags, "mlflow_run": run},
            points=[Point(one.key, one.value, one.step, one.timestamp) for one in history],
            files=_fetched(client, run, files) if files else {},
            finished=found.info.status == "FINISHED",
        )


def _fetched(client: Any, run: str, folder: Path) -> dict[str, Path]:
    folder.mkdir(parents=True)
    root = Path(client.download_artifacts(run, "", str(folder)))
    return {path.relative_to(root).as_posix(): path for path in sorted(root.rglob("*")) if path.is_file()}


def record(run: TrackedRun) -> str | None:
    """Record a run of another tracker's, in an experiment of its project's name; its id, or None: it was there.

    A run whose import was cut short is recorded anew, and the piece deleted.

    Raises:
        RegistryUnavailable: the store does not answer.
    """
    registry = MlflowRegistry()
    with registry.session() as client:
        experiment = registry.experiment(run.experiment)
        source = hashlib.sha256(run.key.encode()).hexdigest()
        for one in client.search_runs([experiment], f"tags.`{SOURCE_TAG}` = '{source}'"):
            if one.info.status == "FINISHED":
                return None
            client.delete_run(one.info.run_id)
        tags = {_name(name): value[:MAX_VALUE] for name, value in run.tags.items()} | {SOURCE_TAG: source}
        times = [point.time_ms for point in run.points]
        start = min(times) if times else None
        opened = str(client.create_run(experiment, run_name=run.name, tags=tags, start_time=start).info.run_id)
        _log(client, opened, run)
        client.set_terminated(opened, "FINISHED", max(times) if times else None)
        return opened


def _log(client: Any, opened: str, run: TrackedRun) -> None:
    from mlflow.entities import Metric, Param

    points = [Metric(_name(one.name), one.value, one.time_ms, one.step) for one in run.points]
    for start in range(0, len(points), BATCH):
        client.log_batch(opened, metrics=points[start : start + BATCH])
    params = [Param(_name(name), value[:MAX_VALUE]) for name, value in run.params.items()]
    for start in range(0, len(params), PARAMS):
        client.log_batch(opened, params=params[start : start + PARAMS])
    long = {name: value for name, value in run.params.items() if len(value) > MAX_VALUE}
    if long:
        client.log_dict(opened, long, "params.json")
    _log_files(client, opened, run.files)


def _log_files(client: Any, opened: str, files: Mapping[str, Path]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, path in files.items():
            target = Path(folder, *(_part(part) for part in PurePosixPath(name).parts))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
        if files:
            client.log_artifacts(opened, folder)


def _part(part: str) -> str:
    """A part of a path that stays where it is: `..` is none."""
    name = _name(part).replace("/", "_")
    return name if name.strip(".") else "_" * len(name)


def _name(name: str) -> str:
    """As MLflow takes it; what had to be changed gets a piece of its hash, so that two names stay two."""
    plain = ODD.sub("_", name)
    if plain == name and len(name) <= LONGEST:
        return name
    mark = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{plain[: LONGEST - len(mark) - 1]}-{mark}"
