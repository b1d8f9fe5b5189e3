"""What a trainer's launcher costs: one training of two processes by each backend, and by calling its program by hand.

Slurm (`slurm-wlm` and `munge` of Debian) and Ray are real ones on loopback, started before anything is timed; where
the programs of one are missing it is left out, and said so.
"""

import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from seaway.platforms.local.training.torchrun import TorchrunTrainer
from seaway.platforms.ray.trainer import RayTrainer
from seaway.platforms.slurm.trainer import SlurmTrainer
from seaway.storage import sha256
from seaway.training import TrainSpec
from seaway.training.fingerprint import fingerprint

from benchmarks import Row, main

SUPPORT = Path(__file__).parents[1] / "tests" / "support"
ROUNDS, ROWS, EPOCHS, PROCESSES = 5, 20_000, 3, 2
GOAL = "ours <= other + 1 s"
MODEL = "model.safetensors"
HAND = "by hand"
Train = Callable[[TrainSpec], object]
log = logging.getLogger(__name__)


def measure() -> list[Row]:
    """Seconds of a training beside its epochs, median of the rounds; each round has every backend once.

    From the call to the model, without what the epochs took by their own count: they are the same program everywhere,
    and on a machine with other work they differ by more than what a launcher costs.
    """
    os.environ.update({"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"})
    sys.path.append(str(SUPPORT))
    with TemporaryDirectory(prefix="seaway-bench-", ignore_cleanup_errors=True) as folder, backends() as trainers:
        beside: dict[str, list[float]] = {name: [] for name in trainers}
        models = set()
        for number in range(ROUNDS):
            for name, train in trainers.items():
                spec = training(Path(folder) / f"{name.replace(' ', '-')}-{number}")
                began = time.perf_counter()
                train(spec)
                whole = time.perf_counter() - began
                beside[name].append(whole - of_epochs(spec.output))
                models.add(sha256(spec.output / MODEL))
    theirs = median(beside.pop(HAND))
    same = "equal models" if len(models) == 1 else f"{len(models)} different models"
    return [row(name, seconds, theirs, same) for name, seconds in beside.items()]


def of_epochs(output: Path) -> float:
    """Their seconds, by the training's own history."""
    return sum(json.loads(line)["seconds"] for line in (output / "history.jsonl").read_text().splitlines())


def row(name: str, seconds: list[float], theirs: float, same: str) -> Row:
    """A backend beside the program's own start."""
    ours = median(seconds)
    note = f"{ours - theirs:+.2f} s; of {len(seconds)}: {min(seconds):.1f} to {max(seconds):.1f} s; {same}"
    return Row(f"training by {name}, beside its epochs", ours, theirs, "s", GOAL, "lower", f"{note}; other: by hand")


@contextmanager
def backends() -> Iterator[Mapping[str, Train]]:
    """What trains, by name; clusters are there while this is open."""
    with ExitStack() as stack:
        found: dict[str, Train] = {HAND: by_hand, "torchrun": TorchrunTrainer().train}
        if settings := slurm(stack):
            found["slurm"] = lambda spec: SlurmTrainer().train(replace(spec, placement=settings))
        if of_ray := ray(stack):
            found["ray"] = lambda spec: RayTrainer().train(replace(spec, placement=of_ray))
        yield found


def slurm(stack: ExitStack) -> dict[str, Any]:
    """A placement on a cluster of this machine; empty where there is none."""
    import slurm_cluster

    if missing := slurm_cluster.missing():
        log.warning("backends: %s are not on PATH, Slurm is not measured.", ", ".join(missing))
        return {}
    os.environ["SLURM_CONF"] = str(stack.enter_context(slurm_cluster.running()).conf)
    return {"processes_per_node": PROCESSES}


def ray(stack: ExitStack) -> dict[str, Any]:
    """As `slurm`."""
    import ray_cluster

    if find_spec("ray") is None:
        log.warning("backends: ray is not installed and is not measured.")
        return {}
    cluster = stack.enter_context(ray_cluster.running())
    reached = {"address": cluster.url, "token_file": str(cluster.token_file), "python": sys.executable}
    return {**reached, "processes_per_node": PROCESSES}


def training(folder: Path) -> TrainSpec:
    """The same rows and network in a folder of its own, and a state folder that knows no training."""
    from small_training import small_training

    folder.mkdir()
    os.environ.update({"SEAWAY_HOME": str(folder / "home"), "SEAWAY_RUN_ID": folder.name})
    return small_training(folder, rows=ROWS, epochs=EPOCHS, batch_size=256, workers=PROCESSES)


def by_hand(spec: TrainSpec) -> None:
    """As torchrun's own documentation starts a module."""
    for made in (spec.output, spec.checkpoints):
        made.mkdir()
    file = spec.output.with_name("spec.json")
    spec.write(file, fingerprint(spec)["run"])
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={PROCESSES}"]
    subprocess.run([*torchrun, "-m", spec.entrypoint, "--spec", str(file)], check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main(measure)
