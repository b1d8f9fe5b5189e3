"""A run as TensorBoard's events: curves with their times, parameters as HParams."""

from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from seaway.tracking.mirrors import Mirrored, refuse_second
from seaway.tracking.tracked import TrackedRun


def write(run: TrackedRun, folder: Path) -> Mirrored:
    """A folder of events, called as the run's key."""
    target = folder / run.key
    refuse_second(target)
    with SummaryWriter(str(target)) as events:
        for point in run.points:
            events.add_scalar(point.name, point.value, point.step, walltime=point.time_ms / 1000)
        events.add_hparams(dict(run.params), {f"last/{name}": value for name, value in run.last.items()}, run_name=".")
        for name, value in {"name": run.name, **run.tags}.items():
            events.add_text(name, value)
    left = (f"{len(run.files)} files",) if run.files else ()
    return Mirrored(target, "tensorboard --logdir", left)
