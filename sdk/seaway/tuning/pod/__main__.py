"""`python -m seaway.tuning.pod`: what each pod of a trial on a cluster does.

It reads the trial's point from the environment, trains as `seaway.training.pod` does, and tells the figures of each
epoch in the form that a metrics collector reads: time, then `name=value`, or JSON. Last come the figures of the model,
which are the trial's values.
"""

import json
import logging
import math
import os
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from seaway.entrypoint import run
from seaway.errors import DataUnreadable, SeawayError, TrainingFailed
from seaway.storage import read_json, storage_for
from seaway.training.pod.__main__ import main as train
from seaway.training.pod.job import VARIABLE as TRAINING
from seaway.training.pod.job import RemoteTraining
from seaway.tuning.pod.trial import NAME, POINT, VARIABLE, RemoteTrial, folder

LOOK_S = 0.2  # between looks at the history
METRIC = re.compile(r"[\w-]+")  # what Katib's collectors take for a name
log = logging.getLogger("seaway.tuning.pod")


def main() -> int:
    """Train one trial; the exit code is that of the training.

    Raises:
        InvalidSpec: the environment holds no trial, or no point of its space.
        TrainingFailed: the model has no finite value of the objective.
    """
    trial = RemoteTrial.parse(os.environ.get(VARIABLE, ""))
    template, name = RemoteTraining.parse(os.environ.get(TRAINING, "")), os.environ[NAME]
    point = trial.point(texts(trial, os.environ))
    log.info("trial %s: %s", name, json.dumps(point))
    os.environ[TRAINING] = trial.training(template, point, name).text  # its processes read it
    output = Path(os.environ.get("SEAWAY_SCRATCH", ".")) / "model"
    with Figures(trial, output / "history.jsonl", folder(template, name)).told() as figures:
        code = train()
    if code == 0 and (output / "metrics.json").exists():
        figures.tell(_finite(trial, read_json(output / "metrics.json")))
    return code


def texts(trial: RemoteTrial, environment: Mapping[str, str]) -> dict[str, str]:
    """The text of each parameter."""
    names = enumerate(trial.space.parameters)
    return {name: environment[variable] for index, name in names if (variable := POINT.format(index)) in environment}


def _finite(trial: RemoteTrial, metrics: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises: TrainingFailed: what is to be compared is no number, and would pass for the best."""
    value = metrics.get(trial.metric)
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise TrainingFailed(f"metrics.json has {value!r} for {trial.metric}, which the study compares; it has: "
                             f"{', '.join(metrics)}.")  # fmt: skip
    return metrics


class Figures:
    """Tells the epochs of a history while they are written, and keeps the history behind a URI."""

    def __init__(self, trial: RemoteTrial, history: Path, uri: str) -> None:
        self.trial, self.history, self.uri = trial, history, uri
        self.epochs = 0
        if trial.file:
            Path(trial.file).touch()  # a collector waits for it without a pause

    @contextmanager
    def told(self) -> Iterator["Figures"]:
        """Tell in the background, and what is left at the end."""
        stop = threading.Event()
        thread = threading.Thread(target=self._keep_telling, args=[stop], name="figures", daemon=True)
        thread.start()
        try:
            yield self
        finally:
            stop.set()
            thread.join()
            self.look()

    def look(self) -> None:
        """Tell the epochs that are new."""
        try:
            lines = self.history.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return
        new, self.epochs = lines[self.epochs :], len(lines)
        for line in new:
            self.tell(json.loads(line))
        if new:
            self._keep()

    def tell(self, figures: Mapping[str, Any]) -> None:
        """One line for the collector; what is no finite number is left out, since a collector takes it for a text."""
        plain = {name: repr(value) for name, value in figures.items() if METRIC.fullmatch(name) and _is_finite(value)}
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        line = f"{now} {' '.join(f'{name}={value}' for name, value in plain.items())}"
        if not self.trial.file:
            log.info("%s", line)
            return
        with Path(self.trial.file).open("a", encoding="utf-8") as file:
            file.write((json.dumps({"timestamp": now, **plain}) if self.trial.format == "JSON" else line) + "\n")

    def _keep_telling(self, stop: threading.Event) -> None:
        while not stop.wait(LOOK_S):
            self.look()

    def _keep(self) -> None:
        try:
            storage_for(self.uri).upload(self.history, f"{self.uri}/history.jsonl")
        except (SeawayError, DataUnreadable) as error:
            log.warning("The history is not yet kept: %s", error)


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


if __name__ == "__main__":
    run(main)
