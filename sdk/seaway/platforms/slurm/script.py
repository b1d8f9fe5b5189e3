"""The batch script of a training: what is asked of Slurm, and one task a node that holds the node's processes.

The first node's address becomes torchrun's rendezvous, as the operators of Kubeflow set it for their pods; so what
runs on a node is what runs in a pod, `python -m seaway.training.pod`.
"""

import math
import os
import shlex
import sys
from collections.abc import Iterator

from seaway.platforms import remote_training
from seaway.platforms.slurm.placement import APPTAINER, Placement
from seaway.training.pod.job import VARIABLE, RemoteTraining

PROGRAM = "seaway.platforms.slurm.node"
MARGIN_MIN = 2  # after `timeout_s`, so that who waits says why the job ended
FIRST_PORT, PORTS = 20_000, 10_000  # of the rendezvous, by the job's number: two jobs on one node differ
RENDEZVOUS = f"""\
export PET_NNODES="$SLURM_JOB_NUM_NODES"
first=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
PET_MASTER_ADDR=$(scontrol show node --oneliner "$first" | sed -n 's/.* NodeAddr=\\([^ ]*\\) .*/\\1/p')
export PET_MASTER_ADDR="${{PET_MASTER_ADDR:-$first}}"
export PET_MASTER_PORT=$(({FIRST_PORT} + SLURM_JOB_ID % {PORTS}))
"""
ALONE = f"""\
export PET_NNODES=1 PET_MASTER_ADDR=127.0.0.1
export PET_MASTER_PORT=$(({FIRST_PORT} + SLURM_JOB_ID % {PORTS}))
export GLOO_SOCKET_IFNAME="${{GLOO_SOCKET_IFNAME:-lo}}" NCCL_SOCKET_IFNAME="${{NCCL_SOCKET_IFNAME:-lo}}"
"""


def build(name: str, log: str, training: RemoteTraining, placement: Placement) -> str:
    """The text of the script; equal for equal arguments. `log` is a path in which Slurm writes the number for %j."""
    nodes = remote_training.nodes(training.workers, placement.processes_per_node)
    options = _directives(name, log, nodes, training.timeout_s, placement)
    variables = {
        VARIABLE: training.text,
        "PET_NPROC_PER_NODE": str(placement.processes_per_node),
        "OMP_NUM_THREADS": str(placement.cpus),
        **({} if placement.image else {"PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}),
        **placement.env,
    }
    lines = [
        "#!/bin/sh",
        *(f"#SBATCH {option}" for option in options),
        "set -eu",
        *placement.setup,
        *(f"export {variable}={shlex.quote(value)}" for variable, value in variables.items()),
        (RENDEZVOUS if nodes > 1 else ALONE).rstrip(),
        f"exec {_srun(placement, nodes)}",
    ]
    return "\n".join(lines) + "\n"


def _directives(name: str, log: str, nodes: int, timeout_s: float, placement: Placement) -> Iterator[str]:
    yield from (f"--job-name={name}", f"--output={log}", "--open-mode=append", "--export=ALL")
    yield from (f"--nodes={nodes}", "--ntasks-per-node=1", f"--cpus-per-task={_cores(placement)}")
    yield f"--time={placement.time or math.ceil(timeout_s / 60) + MARGIN_MIN}"
    yield "--requeue" if placement.requeues else "--no-requeue"
    named = {"partition": "partition", "account": "account", "qos": "qos", "reservation": "reservation",
             "constraint": "constraint", "mem": "memory"}  # fmt: skip
    for option, setting in named.items():
        if value := getattr(placement, setting):
            yield f"--{option}={value}"
    if placement.gpus:
        yield f"--gpus-per-node={placement.gpu_type + ':' if placement.gpu_type else ''}{placement.gpus}"
    yield from placement.options


def _cores(placement: Placement) -> int:
    return placement.cpus * placement.processes_per_node


def _srun(placement: Placement, nodes: int) -> str:
    """One task on each node; when one ends badly, the others are ended too, for they would wait for it."""
    srun = ["srun", f"--nodes={nodes}", f"--ntasks={nodes}", f"--cpus-per-task={_cores(placement)}",
            "--kill-on-bad-exit=1", "--label", "--unbuffered"]  # fmt: skip
    python = placement.python or ("python" if placement.image else sys.executable)
    return shlex.join([*srun, *_contained(placement), python, "-m", PROGRAM])


def _contained(placement: Placement) -> list[str]:
    if not placement.image:
        return []
    mounts = ",".join([placement.folder, *placement.mounts])
    if placement.container == APPTAINER:
        return ["apptainer", "exec", *(["--nv"] if placement.gpus else []), "--bind", mounts, placement.image]
    pairs = ",".join(mount if ":" in mount else f"{mount}:{mount}" for mount in mounts.split(","))
    return [f"--container-image={placement.image}", f"--container-mounts={pairs}"]
