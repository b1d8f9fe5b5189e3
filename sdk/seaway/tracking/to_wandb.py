"""A run as W&B's offline run, a folder that `wandb sync` sends."""

import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from seaway.tracking.mirrors import Mirrored, refuse_second
from seaway.tracking.tracked import Point, TrackedRun

ODD = re.compile(r"[/\\#?%:]")  # not in a project's name
LONGEST = 128  # characters of a project's name
QUIET = {"WANDB_ERROR_REPORTING": "false"}  # else it tells its makers of its use, offline too
NOTHING_OF_THIS_PROCESS = {
    "silent": True, "console": "off", "save_code": False, "disable_code": True, "disable_git": True,
    "disable_job_creation": True, "x_disable_stats": True, "x_disable_meta": True, "x_disable_machine_info": True,
    "symlink": False,
}  # fmt: skip


def write(run: TrackedRun, folder: Path) -> Mirrored:
    """A folder `wandb/offline-run-TIME-KEY`; a metric has one value a step there, and no step below 0."""
    for found in folder.glob(f"wandb/offline-run-*-{run.key}"):
        refuse_second(found)
    opened = _opened(run, folder)
    rows = _rows(run.points)
    for step in sorted(rows):
        opened.log(rows[step], step=step)
    for name, path in run.files.items():
        _save(opened, name, path)
    opened.finish(exit_code=0 if run.finished else 1)
    target = Path(opened.settings.sync_dir)
    return Mirrored(target, "wandb sync", tuple(_left(run.points)))


def _opened(run: TrackedRun, folder: Path) -> Any:
    os.environ.update(QUIET)  # read as wandb is imported
    import wandb

    settings = wandb.Settings(**NOTHING_OF_THIS_PROCESS)
    config = {**run.params, "tags": dict(run.tags)}
    project = ODD.sub("-", run.experiment)[:LONGEST]
    return wandb.init(
        mode="offline", dir=str(folder), project=project, id=run.key, name=run.name, config=config, settings=settings
    )


def _save(opened: Any, name: str, path: Path) -> None:
    kept = Path(opened.dir, name)
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, kept)
    opened.save(str(kept), base_path=opened.dir, policy="end")


def _rows(points: Sequence[Point]) -> dict[int, dict[str, float]]:
    """The values of each step, with the time of its latest in seconds."""
    rows: dict[int, dict[str, float]] = defaultdict(dict)
    for point in sorted(points, key=lambda one: one.time_ms):
        if point.step >= 0:
            rows[point.step] |= {point.name: point.value, "_timestamp": point.time_ms / 1000}
    return rows


def _left(points: Sequence[Point]) -> Iterator[str]:
    early = sum(point.step < 0 for point in points)
    if early:
        yield f"{early} values at steps below 0"
    twice = len(points) - early - len({(point.name, point.step) for point in points if point.step >= 0})
    if twice:
        yield f"{twice} values of steps that have a later one"
