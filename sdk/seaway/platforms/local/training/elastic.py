"""The process that holds the workers of one training: torch.distributed.elastic on loopback only.

Run as `python -m seaway.platforms.local.training.elastic JOB`, where JOB is a folder with `job.json`; logs and, on
failure, `failure.json` are written into it. It ends its workers when it is told to (SIGTERM, SIGINT) and when its
parent is gone, whose pipe is its standard input.

It supervises nothing itself: `torch.distributed.launcher.api.launch_agent` runs torch's LocalElasticAgent, as the
command `torchrun` does. The command is not used because both of its rendezvous listen on every interface, and the
dynamic one (c10d) unpickles what it is sent; its socket cannot be chosen. Here torch's key-value store gets a socket
that is bound to 127.0.0.1, on a port that the kernel picks. Workers are forked from this process, which has imported
torch and runs none of it yet, so that torch is loaded once and not once a worker.
"""

import faulthandler
import importlib
import importlib.util
import json
import os
import runpy
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from seaway.training.heartbeat import SIGNAL, tell_stacks

LOOPBACK = "127.0.0.1"
SHUTDOWN_S = 10  # from SIGTERM to SIGKILL
RENDEZVOUS_S = 300
STACKS = "stacks.log"  # where this process writes where it stands, when it is asked to
AFTERMATH_S = 0.5  # five of the agent's looks at its workers


def main(job: Path) -> int:
    """Run the job; 0 when all workers ended well, else 1."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    faulthandler.register(SIGNAL, file=(job / STACKS).open("w"))
    settings = json.loads((job / "job.json").read_text(encoding="utf-8"))
    _preload(settings["entrypoint"])
    return _launch(job, settings)


def _preload(entrypoint: str) -> None:
    """Import what the entrypoint's package names in `PRELOADED`, once for all workers."""
    package = importlib.util.find_spec(entrypoint)
    if package is not None and package.submodule_search_locations is not None:
        for module in getattr(importlib.import_module(entrypoint), "PRELOADED", ()):
            importlib.import_module(module)


def run_entrypoint(module: str, spec: str, job: str) -> None:
    """Run a module as `python -m MODULE --spec SPEC` would, in this worker; what went wrong is in its stderr."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the agent's handlers are not the worker's
    signal.signal(signal.SIGINT, signal.default_int_handler)
    tell_stacks(Path(job))
    sys.argv = [module, "--spec", spec]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if end.code:
            _fail(Path(job), f"{end.code}\n" if isinstance(end.code, str) else "")
            raise SystemExit(end.code if isinstance(end.code, int) else 1) from None
    except BaseException:
        _fail(Path(job), traceback.format_exc())
        raise


def _fail(job: Path, reason: str) -> None:
    """Leave the reason in the log and the time in a file.

    When one worker fails, the others soon lose their connections to it and fail too; the wait lets the agent see a
    worker that was killed, which leaves no file, before those that fail because of it.
    """
    (job / f"failed-{os.environ['RANK']}").write_text(str(time.time_ns()))
    sys.stderr.write(reason)
    sys.stderr.flush()
    time.sleep(AFTERMATH_S)


def _first_failed(job: Path, seen: int) -> int:
    """The rank that failed first, by the workers' own word; else the one that the agent saw."""
    times = {int(file.read_text()): int(file.name.removeprefix("failed-")) for file in job.glob("failed-*")}
    return times[min(times)] if times else seen


def _end_with_parent() -> None:
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _launch(job: Path, settings: dict[str, Any]) -> int:
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import launch_agent

    config = _config(job, settings["workers"])
    try:
        launch_agent(config, run_entrypoint, [settings["entrypoint"], settings["spec"], str(job)])
    except ChildFailedError as error:
        rank, failure = error.get_first_failure()
        report = {"rank": _first_failed(job, rank) if failure.exitcode > 0 else rank, "exitcode": failure.exitcode}
        (job / "failure.json").write_text(json.dumps(report), encoding="utf-8")
        return 1
    except SignalException as end:
        return 128 + int(end.sigval)
    return 0


def _config(job: Path, workers: int):  # type: ignore[no-untyped-def]  # torch is untyped here
    from torch.distributed.elastic.multiprocessing import DefaultLogsSpecs, Std
    from torch.distributed.elastic.rendezvous import rendezvous_handler_registry
    from torch.distributed.launcher.api import LaunchConfig

    rendezvous_handler_registry.register("loopback", _rendezvous)
    return LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=workers,
        run_id="seaway",
        role="trainer",
        rdzv_backend="loopback",
        rdzv_endpoint=LOOPBACK,
        local_addr=LOOPBACK,
        max_restarts=0,  # a retried step resumes from the checkpoints
        start_method="fork",
        logs_specs=DefaultLogsSpecs(log_dir=str(job / "logs"), tee=Std.ALL),
        log_line_prefix_template="[rank ${rank}] ",
        shutdown_timeout=SHUTDOWN_S,
    )


def _rendezvous(parameters):  # type: ignore[no-untyped-def]
    from seaway.platforms.local.training.rendezvous import LoopbackRendezvous

    return LoopbackRendezvous(parameters.run_id, RENDEZVOUS_S)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
