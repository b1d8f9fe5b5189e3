"""How a training runs on Slurm: what is asked of the scheduler, and what starts the processes on its nodes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from seaway.errors import InvalidSpec
from seaway.platforms.settings import check_seconds, check_variables, check_whole, parsed

WORD = re.compile(r"[^\s\0]+")  # of an sbatch option: a line of the script holds one option
RESERVED = ("SEAWAY_", "PET_", "SLURM_")  # variables that Seaway's programs and Slurm set
PYXIS, APPTAINER = "pyxis", "apptainer"
TEXTS = ("partition", "account", "qos", "time", "memory", "gpu_type", "constraint", "reservation", "image", "python")


@dataclass(frozen=True)
class Placement:
    """How a training runs on Slurm; validated on construction.

    Args:
        folder: Seen under this path by this machine and by all nodes: logs, and where no storage is named, the data.
        processes_per_node: Training processes of each node; `workers` of them in all.
        partition, account, qos, reservation, constraint: As `sbatch` takes them; empty leaves them to the site.
        time: Limit of one start of the job, as `sbatch --time` takes it; empty takes the training's `timeout_s`.
        cpus: Cores of each process.
        memory: Of each node, as `sbatch --mem` takes it; empty leaves it to the site.
        gpus: Accelerators of each node.
        gpu_type: Of them, where a site has several.
        image: Container image that has Seaway and the entrypoint; empty runs `python` on the nodes themselves.
        container: What starts it, `pyxis` or `apptainer`.
        mounts: Of the container, each as `PATH` or `PATH:PATH_IN_IT`; `folder` is mounted anyway.
        python: The interpreter on the nodes or in the image; empty takes this one, or the image's `python`.
        setup: Shell lines before the start, such as `module load cuda`.
        options: Other options of sbatch, each one word such as `--exclusive` or `--nice=100`.
        env: Variables.
        requeues: Times that Slurm may start the job anew, after preemption or a lost node; 0 forbids it.
        queue_s: Seconds that the job may wait for its nodes.
        outage_s: Seconds that the controller may not answer.
    Raises:
        InvalidSpec: a field is out of range; nothing is submitted.
    """

    folder: str = ""
    processes_per_node: int = 1
    partition: str = ""
    account: str = ""
    qos: str = ""
    reservation: str = ""
    constraint: str = ""
    time: str = ""
    cpus: int = 1
    memory: str = ""
    gpus: int = 0
    gpu_type: str = ""
    image: str = ""
    container: str = PYXIS
    mounts: Sequence[str] = ()
    python: str = ""
    setup: Sequence[str] = ()
    options: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    requeues: int = 3
    queue_s: float = 24 * 3600.0
    outage_s: float = 600.0

    def __post_init__(self) -> None:
        check_whole(self, processes_per_node=1, cpus=1, gpus=0, requeues=0)
        check_seconds(self, "queue_s", "outage_s")
        self._check_texts()
        self._check_lists()
        if self.container not in (PYXIS, APPTAINER):
            raise InvalidSpec(f"placement.container={self.container!r}; there are: {PYXIS}, {APPTAINER}.")

    def _check_texts(self) -> None:
        for name in TEXTS:
            value = getattr(self, name)
            if not isinstance(value, str) or (value and not WORD.fullmatch(value)):
                raise InvalidSpec(f"placement.{name}={value!r} is to be one word, as sbatch takes it.")

    def _check_lists(self) -> None:
        for name in ("mounts", "setup", "options"):
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(one, str) and "\n" not in one for one in value):
                raise InvalidSpec(f"placement.{name}={value!r} is to be a list of texts of one line each.")
        for option in self.options:
            if not option.startswith("-") or not WORD.fullmatch(option):
                raise InvalidSpec(f"placement.options: {option!r} is to be one word such as --exclusive or --nice=100.")
        check_variables(self.env, RESERVED)

    @classmethod
    def parse(cls, settings: Mapping[str, object]) -> "Placement":
        """From JSON or YAML values. Raises: InvalidSpec: a name is unknown, or a value is out of range."""
        placement: Placement = parsed(cls, settings, "placement.")
        return placement
