"""The graph of a run: the views of its pipeline, each task with its state and time, each artifact with its page."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from seaway.dev.pages import duration
from seaway.kfp import dag_svg, dag_views
from seaway.kfp.dag_svg import Mark

ITERATION = re.compile(r"/iteration-\d+")
WORST_FIRST = ("failed", "interrupted", "retrying", "running", "succeeded", "cached")
WORDS = {"cached": "reused"}
FEW = 3  # views that are all seen at once
Steps = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Drawing:
    """A view, under the titles of the groups that it is in; `opened` where it is seen without a click."""

    title: str
    svg: str
    opened: bool


def drawings(record: Mapping[str, Any], compiled: Mapping[str, Any]) -> list[Drawing]:
    """The root's view and one for each group; none where what was run is not kept."""
    if not compiled:
        return []
    views = dag_views.all_views(compiled)
    fullest = max(views, key=lambda view: len(view.tasks))  # where most goes on, however deep it is nested
    return [_drawing(record, view, len(views) <= FEW or view is fullest) for view in views]


def _drawing(record: Mapping[str, Any], view: dag_views.View, opened: bool) -> Drawing:
    def mark(name: str) -> Mark:
        task, _, artifact = name.partition("/")
        steps = _steps_at(record["steps"], f"{view.place}{task}")
        if artifact:
            return _of_artifact(record["run"], steps, artifact)
        return _of_task(record, steps)

    title = " / ".join(view.path)
    return Drawing(title, dag_svg.inline(view, mark, f"Graph of {title or record['pipeline']}"), opened)


def _steps_at(steps: Steps, place: str) -> Steps:
    """Those of a task, of a group, or of all iterations of a loop."""
    plain = [(step, ITERATION.sub("", step.get("place") or step["name"])) for step in steps]
    return [step for step, at in plain if at == place or at.startswith(f"{place}/")]


def _of_artifact(run: str, steps: Steps, artifact: str) -> Mark:
    made = [step for step in steps if artifact in step["outputs"]]
    if len(made) != 1 or len(steps) != 1:  # of a group, or of none that has run
        return Mark("" if steps else "waiting")
    return Mark("", "", f"/runs/{quote(run)}/steps/{made[0]['number']}/outputs/{quote(artifact, safe='')}")


def _of_task(record: Mapping[str, Any], steps: Steps) -> Mark:
    if not steps:
        return Mark("waiting", "waiting" if record["state"] == "running" else "not run")
    state = next(word for word in WORST_FIRST if word in {step["state"] for step in steps})
    seconds = sum(_seconds(step) for step in steps)
    count = f"{len(steps)} steps, " if len(steps) > 1 else ""
    href = f"/runs/{quote(record['run'])}/steps/{steps[0]['number']}" if len(steps) == 1 else ""
    return Mark(state, f"{WORDS.get(state, state)}, {count}{duration(seconds)}", href)


def _seconds(step: Mapping[str, Any]) -> float:
    going = step["state"] in {"running", "retrying"}
    return time.time() - step["begun"] if going and step.get("begun") else float(step["seconds"])
