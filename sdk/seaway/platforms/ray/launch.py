"""The one way to run a job of Ray: submit or adopt, follow its log, wait with every patience, stop."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from seaway.errors import ObjectDeleted, RayUnavailable, SeawayError, TimedOut, TrainingFailed
from seaway.platforms.patience import LOOK_S, Away, Patience, carry_out, pause_s
from seaway.platforms.ray.jobs import ACTIVE, PENDING, STOPPED, SUCCEEDED, JobRecord, JobServer
from seaway.platforms.ray.placement import Placement
from seaway.training.ray.group import NO_RESOURCES, OUT_OF_TIME

SIGNS_PER_S = 200_000  # of a log that is read whole at each look: a long one is read less often
STARTED_S = 600.0  # beside the time in the queue: Ray may have to make the job's environment
CLEANUP_S = 120.0  # for a stopped job to be gone
TAIL_LINES = 60  # when one process fails, those that lose it fail after it, each with a traceback
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RayJob:
    """A job that is to run: found again by its name, which is of what it does and for which run."""

    name: str
    entrypoint: str
    runtime_env: Mapping[str, Any]


def launch(job: RayJob, placement: Placement) -> None:
    """Run a job to its end; called again for the same job, it goes on with the one that is there.

    One that failed in an earlier attempt of the step is submitted anew. On SIGTERM, an error or a deadline the job is
    stopped, and has ended when this returns.

    Raises:
        InvalidSpec: Ray refuses the job, or does not know who asks.
        TrainingFailed: it failed, with the last lines of its log.
        TimedOut: it did not get its resources, or did not end, in its time.
        ObjectDeleted: somebody else has stopped it, or the head has forgotten it.
        RayUnavailable: the cluster's head does not answer.
    """
    carry_out(JobWait(job, placement, JobServer.of(placement)))


@dataclass
class JobWait:
    """One wait for one job; `name` is that of its attempt, `here` says that there is one to be stopped."""

    job: RayJob
    placement: Placement
    server: JobServer
    name: str = ""
    here: bool = False
    written: str = ""
    patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self.patience = Patience("The head of the Ray cluster", self.placement.outage_s, self._lost)

    def _lost(self, outage: str) -> RayUnavailable:
        return RayUnavailable(f"{outage} Job {self.name} may run on; the step, run again, takes it up.")

    def submit_or_adopt(self) -> None:
        """Take the job of this name where it is still of use, else submit one."""
        self.patience.answered(self._submit)
        self.here = True

    def _submit(self) -> None:
        """Each attempt has a name of its own, for Ray frees none; one whose answer was lost is found by its name."""
        for attempt in count(1):
            self.name = f"{self.job.name}-{attempt}"
            found = self.server.show(self.name)
            if found is None or found.status in (*ACTIVE, SUCCEEDED):
                break
        if found:
            log.info("Going on with Ray job %s, which this run has submitted.", self.name)
        else:
            self.server.submit(self.name, self.job.entrypoint, self.job.runtime_env)
            log.info("Submitted Ray job %s.", self.name)

    def until_end(self) -> None:
        """Wait until the job has ended well. Raises as `launch`."""
        began = time.monotonic()
        while True:
            record = self.patience.answered(lambda: self.server.show(self.name))
            self.patience.answered(self._tell_new)
            if record is None or record.status not in ACTIVE:
                return self._judge(record)
            age = time.monotonic() - began
            self.patience.say(logging.INFO, f"Ray job {self.name} is {record.status}.")
            if record.status == PENDING and age > self.placement.queue_s + STARTED_S:
                raise TimedOut(f"Ray job {self.name} was not started for {age:.0f} s; Ray says: {record.message}")
            time.sleep(pause_s(age, len(self.written) / SIGNS_PER_S))

    def stop(self) -> None:
        """End the job, where there is one that runs, and wait until it has ended."""
        if not self.here:
            return
        try:
            self.server.stop(self.name)
            deadline = time.monotonic() + CLEANUP_S
            while (record := self.server.show(self.name)) is not None and record.status in ACTIVE:
                if time.monotonic() > deadline:
                    log.error("Ray job %s is still being ended; the dashboard shows why.", self.name)
                    break
                time.sleep(LOOK_S)
            self._tell_new()
        except (Away, SeawayError) as error:
            log.error("Ray job %s may still run, for it could not be stopped: %s; `ray job stop %s` ends it.",
                      self.name, error, self.name)  # fmt: skip

    def _tell_new(self) -> None:
        """Write whole lines that were added into this process's log."""
        written = self.server.log(self.name)
        new = written[len(self.written) :]
        whole = new[: new.rfind("\n") + 1]
        for line in whole.splitlines():
            log.info("%s", line)
        self.written += whole

    def _tail(self) -> str:
        return "\n".join(self.written.splitlines()[-TAIL_LINES:]) or "(it wrote nothing)"

    def _judge(self, record: JobRecord | None) -> None:
        self.here = False  # nothing is left to stop
        if record is None or record.status == STOPPED:
            how = "was stopped by somebody else" if record else "is not known to its cluster any more"
            raise ObjectDeleted(
                f"Ray job {self.name} {how}. Run the step again to start it anew: it resumes from its last checkpoint. "
                f"Its last lines:\n{self._tail()}"
            )
        if record.status == SUCCEEDED:
            return
        if record.code in (NO_RESOURCES, OUT_OF_TIME):
            raise TimedOut(f"Ray job {self.name} was ended by its deadline. Its last lines:\n{self._tail()}")
        how = f"exit code {record.code}" if record.code is not None else record.message
        raise TrainingFailed(f"Ray job {self.name} ended as {record.status} ({how}). Its last lines:\n{self._tail()}")
