"""A run as Comet's offline experiment, an archive that `comet upload` sends."""

import hashlib
import os
from pathlib import Path
from typing import Any

from seaway.tracking.mirrors import Mirrored, refuse_second
from seaway.tracking.tracked import TrackedRun

QUIET = {"COMET_INTERNAL_SENTRY_DSN": "", "COMET_LOGGING_CONSOLE": "ERROR", "COMET_DISABLE_AUTO_LOGGING": "1"}
ABOUT_THIS_PROCESS = (  # what it would log of the process that mirrors, which is not the run's
    "log_code", "log_graph", "auto_param_logging", "auto_metric_logging", "parse_args", "auto_output_logging",
    "log_env_details", "log_git_metadata", "log_git_patch",
)  # fmt: skip


def write(run: TrackedRun, folder: Path) -> Mirrored:
    """An archive, called as the experiment's key."""
    key = hashlib.sha256(run.key.encode()).hexdigest()[:32]
    target = folder / f"{key}.zip"
    refuse_second(target)
    experiment = _opened(run, key, folder)
    experiment.set_name(run.name)
    experiment.log_parameters(dict(run.params))
    for name, value in run.tags.items():
        experiment.log_other(name, value)
    for point in sorted(run.points, key=lambda one: one.step):
        experiment.log_metric(point.name, point.value, step=point.step)
    for name, path in run.files.items():
        experiment.log_asset(str(path), file_name=name)
    experiment.end()
    left = ("the times of values, which are those of the mirror",) if run.points else ()
    return Mirrored(target, "comet upload", left)


def _opened(run: TrackedRun, key: str, folder: Path) -> Any:
    os.environ.update(QUIET)  # read as comet_ml is imported
    from comet_ml import OfflineExperiment

    off = dict.fromkeys(ABOUT_THIS_PROCESS, False)
    names = {"project_name": run.experiment, "experiment_key": key, "offline_directory": str(folder)}
    return OfflineExperiment(**names, **off, display_summary_level=0)
