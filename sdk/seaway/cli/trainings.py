"""The trainings of a run: steps that are given rows to learn and to validate, params and an entrypoint."""

from pathlib import Path

from seaway.errors import InvalidSpec
from seaway.kfp.local.orchestrator import Call
from seaway.kfp.local.records import record, records
from seaway.kfp.local.step_inputs import calls, path_of
from seaway.platforms.home import home
from seaway.training.spec import TrainSpec

ROWS, SETTINGS = ("train", "validation"), ("entrypoint", "params")


def training_of(run: str, title: str) -> TrainSpec:
    """What the training step of a run was given, the latest run's where none is named.

    Raises:
        InvalidSpec: there is no such run or step, or there are several.
    """
    name = run or _latest()
    titles = {step["place"]: step["title"] for step in record(name)["steps"]}
    found = {titles[call.place]: call for call in calls(name) if _is_training(call)}
    told = f"Trainings of run {name}: {', '.join(found) or 'none'}."
    if not found or (title and title not in found):
        raise InvalidSpec(f"Run {name} has no training{f' {title!r}' if title else ''} to examine. {told}")
    if not title and len(found) > 1:
        raise InvalidSpec(f"Run {name} has several trainings: say which by --step. {told}")
    return _spec(found[title or next(iter(found))])


def _latest() -> str:
    if not (kept := records()):
        raise InvalidSpec("There are no runs in this folder; `seaway run PIPELINE` makes one.")
    return str(kept[0]["run"])


def _is_training(call: Call) -> bool:
    given = call.inputs
    return all(path_of(given.get(name)) is not None for name in ROWS) and all(name in given for name in SETTINGS)


def _spec(call: Call) -> TrainSpec:
    given = call.inputs
    train, validation = (path_of(given[name]) or Path() for name in ROWS)
    unused = home() / "doctor"  # nothing is trained, so nothing is written there
    return TrainSpec(
        train=train, validation=validation, output=unused, checkpoints=unused,
        entrypoint=given["entrypoint"], params=given["params"], seed=int(given.get("seed", 0)),
    )  # fmt: skip
