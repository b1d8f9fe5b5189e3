"""Training as a job of a Ray cluster: the data go where its nodes see them, the job runs, the model comes back.

`SEAWAY_RAY` names a YAML or JSON file with the cluster's settings for `Placement`; `TrainSpec.placement` wins over
them. `SEAWAY_STORAGE` is the URI below which runs keep their data; without it that is the shared folder of the
settings, and without that the state folder of this machine, which the nodes are to see under the same path.
"""

import hashlib
import os
import shlex
from pathlib import Path

from seaway.platforms.home import home
from seaway.platforms.ray.launch import RayJob, launch
from seaway.platforms.ray.placement import Placement
from seaway.platforms.remote_training import STEP, below, carried_out, finished, nodes
from seaway.platforms.settings import cluster_settings
from seaway.training.fingerprint import fingerprint
from seaway.training.pod.job import VARIABLE, RemoteTraining
from seaway.training.ray.group import VARIABLE as GROUP
from seaway.training.ray.group import Group
from seaway.training.result import TrainResult
from seaway.training.spec import TrainSpec

PROGRAM = "seaway.training.ray.driver"


class RayTrainer:
    """Runs an entrypoint as a job of `spec.workers` processes."""

    def train(self, spec: TrainSpec) -> TrainResult:
        """See `seaway.training.Trainer.train`."""
        identity = fingerprint(spec)
        if (result := finished(spec, identity)) is not None:
            return result
        placement = Placement.parse({**cluster_settings("SEAWAY_RAY"), **spec.placement})
        folder = Path(placement.folder).absolute() if placement.folder else home() / "ray"
        training = below(os.environ.get("SEAWAY_STORAGE", "").rstrip("/") or str(folder), spec, identity)
        job = prepared(training, placement)
        return carried_out(spec, training, lambda: launch(job, placement))


def prepared(training: RemoteTraining, placement: Placement) -> RayJob:
    """The job; the same for the same training of the same run, so that it is found again."""
    name = f"seaway-{STEP}-{hashlib.sha256(training.text.encode()).hexdigest()[:16]}"
    group = Group(
        nodes=nodes(training.workers, placement.processes_per_node),
        bundle=placement.bundle,
        processes=placement.processes_per_node,
        cpus=placement.cpus,
        strategy=placement.strategy,
        restarts=placement.restarts,
        queue_s=placement.queue_s,
        timeout_s=training.timeout_s,
    )
    variables = {**placement.env, VARIABLE: training.text, GROUP: group.text}
    runtime_env = {**placement.runtime_env, "env_vars": variables}
    return RayJob(name, shlex.join([placement.python, "-m", PROGRAM]), runtime_env)
