"""Which programs have pages of their own, what of this state folder they show, and how each is started."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

from seaway.dev.files import NotShown, place_of
from seaway.errors import InvalidSpec
from seaway.extras import advice
from seaway.kfp.local.records import records
from seaway.platforms.home import home

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Ui:
    """A program with pages: its name in addresses, what it is called, what it shows, and a package that it needs."""

    name: str
    title: str
    shows: str
    package: str
    command: Callable[[int], Sequence[str]]  # on that port of loopback; raises InvalidSpec where there is nothing yet

    @property
    def absent(self) -> str:
        """How to install it; empty where it is."""
        return "" if find_spec(self.package) else advice(self.package) or f"The package {self.package} is missing."


def _mlflow(port: int) -> Sequence[str]:
    from seaway.platforms.mlflow import store_uri

    store = store_uri()
    if urlsplit(store).scheme in ("http", "https"):
        raise InvalidSpec(f"Runs are tracked by the server {store}, which has its own pages.")
    if not (home() / "mlflow" / "mlflow.db").is_file():
        raise InvalidSpec("Nothing was tracked or registered here yet; a training with `track_as` begins it.")
    where = ["--host", LOOPBACK, "--port", str(port), "--workers", "1"]
    return [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", store, "--no-serve-artifacts", *where]


def _tensorboard(port: int) -> Sequence[str]:
    curves = home() / "artifacts"
    if not any(curves.rglob("events.out.tfevents.*")):
        raise InvalidSpec("No step has left curves here yet; trainings do.")
    where = ["--host", LOOPBACK, "--port", str(port)]
    return [sys.executable, "-m", "tensorboard.main", "--logdir", str(curves), *where]


def _evidently(port: int) -> Sequence[str]:
    checks = list(_folders_with("evidently.json"))
    if not checks:
        raise InvalidSpec("No check of drift was made here yet; `monitor_drift` makes one.")
    folder = home() / "dev" / "evidently"
    command = [sys.executable, "-m", "seaway.dev.uis.evidently_process", str(folder), str(port)]
    return [*command, *(f"{pipeline}={place / 'evidently.json'}" for pipeline, place in checks)]


def _feast(port: int) -> Sequence[str]:
    latest = next((place for _, place in _folders_with("feature_store.yaml")), None)
    if latest is None:
        raise InvalidSpec("No feature repository was made here yet; `build_features` makes one.")
    program = "from feast.cli.cli import cli; cli()"
    return [
        sys.executable, "-c", program, "--chdir", str(latest), "ui", "--host", LOOPBACK, "--port", str(port)
    ]  # fmt: skip


UIS = {
    ui.name: ui
    for ui in (
        Ui("mlflow", "MLflow", "tracked runs, their curves and files, and registered models", "mlflow", _mlflow),
        Ui("tensorboard", "TensorBoard", "the curves of all trainings", "tensorboard", _tensorboard),
        Ui("evidently", "Evidently", "every check of drift, by pipeline", "evidently", _evidently),
        Ui("feast", "Feast", "the feature repository of the latest run that has one", "grpc_health", _feast),
    )
}


def _folders_with(name: str) -> Iterator[tuple[str, Path]]:
    """Pipeline and folder of each artifact that has such a file, of the latest run first, each once."""
    seen = set[Path]()
    for run in records():
        for output in (output for step in run["steps"] for output in step.get("outputs", {}).values()):
            place = _place(output)
            if place and place not in seen and (place / name).is_file():
                seen.add(place)
                yield run["pipeline"], place


def _place(output: object) -> Path | None:
    """Where an output is on this machine; None for a parameter, and for what is not to be shown."""
    if not isinstance(output, dict) or "uri" not in output:
        return None
    try:
        return place_of(output)
    except NotShown:
        return None
