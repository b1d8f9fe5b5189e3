"""The one way to run a batch job: submit or adopt, follow its log, wait with every patience, cancel."""

import logging
import time
from dataclasses import dataclass, field
from pathlib import Path

from seaway.errors import ObjectDeleted, SeawayError, SlurmUnavailable, TimedOut, TrainingFailed
from seaway.platforms.patience import LOOK_S, Away, Patience, carry_out, pause_s
from seaway.platforms.slurm import commands
from seaway.platforms.slurm.commands import JobRecord
from seaway.platforms.slurm.placement import Placement
from seaway.platforms.slurm.script_log import ScriptLog

CLEANUP_S = 120.0  # for a cancelled job to be gone: Slurm's own KillWait is 30 s
WAITING = {"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_FED", "SUSPENDED", "STOPPED"}
ACTIVE = {*WAITING, "RUNNING", "COMPLETING", "SIGNALING", "STAGE_OUT", "RESIZING", "REQUEUE_HOLD", "SPECIAL_EXIT"}
COMPLETED, CANCELLED = "COMPLETED", "CANCELLED"
HOPELESS = {  # a pending job with such a reason is never started
    "BadConstraints", "launch failed requeued held", "InvalidAccount", "InvalidQOS", "DependencyNeverSatisfied",
    "PartitionTimeLimit", "PartitionNodeLimit", "AssocMaxCpuPerJobLimit", "QOSMaxCpuPerJobLimit",
}  # fmt: skip
HINTS = {
    "TIMEOUT": "raise timeout_s, or placement.time where that is set; started again, it resumes from its checkpoint",
    "OUT_OF_MEMORY": "raise placement.memory",
    "NODE_FAIL": "a node was lost, and the job was not to be requeued; started again, it resumes from its checkpoint",
    "PREEMPTED": "another job took its nodes, and it was not to be requeued; started again, it resumes",
    "DEADLINE": "its deadline came before its nodes",
    "BOOT_FAIL": "its nodes could not be booted",
}
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchJob:
    """A job that is to run: found again by its name, which is of what it does and for which run.

    Attributes:
        script: Its batch script.
        log: Where it writes, with %j for its number.
        timeout_s: That it may run, in seconds.
    """

    name: str
    script: Path
    log: str
    timeout_s: float


def launch(job: BatchJob, placement: Placement) -> None:
    """Run a job to its end; called again for the same job, it goes on with the one that is there.

    One that failed in an earlier attempt of the step is submitted anew. On SIGTERM, an error or a deadline the job is
    cancelled, and has ended when this returns.

    Raises:
        InvalidSpec: Slurm refuses the job.
        TrainingFailed: it failed, with the last lines of its log.
        TimedOut: it did not get its nodes, or did not end, in its time.
        ObjectDeleted: somebody else has cancelled it.
        SlurmUnavailable: the controller does not answer.
    """
    carry_out(JobWait(job, placement))


@dataclass
class JobWait:
    """One wait for one job; `number` is empty until there is a job."""

    job: BatchJob
    placement: Placement
    number: str = ""
    ran_s: float = 0.0
    queued_s: float = 0.0
    patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self.patience = Patience("Slurm's controller", self.placement.outage_s, self._lost)

    def _lost(self, outage: str) -> SlurmUnavailable:
        job = f"Job {self.number}" if self.number else f"A job called {self.job.name}"
        return SlurmUnavailable(
            f"{outage} {job} may run on; `scontrol ping` shows the controller's state, and the step, run again, takes "
            "its job up."
        )

    def submit_or_adopt(self) -> None:
        """Take the job of this name where it is still of use, else submit one."""
        found = self.patience.answered(self._submitted)
        self.number = found.number
        self.log = ScriptLog(Path(self.job.log.replace("%j", self.number)), self.number)

    def _submitted(self) -> JobRecord:
        """A submission whose answer was lost is found by its name at the next attempt."""
        found = commands.newest(self.job.name)
        if found and found.state in {*ACTIVE, COMPLETED}:
            log.info("Going on with Slurm job %s, which this run has submitted.", found.number)
            return found
        number = commands.submit(self.job.script)
        log.info("Submitted Slurm job %s (%s).", number, self.job.name)
        return JobRecord(number, "PENDING")

    def until_end(self) -> None:
        """Wait until the job has ended well. Raises as `launch`."""
        began = before = time.monotonic()
        while True:
            record = self.patience.answered(lambda: commands.show(self.number))
            self.log.tell_new()
            if record is None or record.state not in ACTIVE:
                return self._judge(record)
            now = time.monotonic()
            self._spend(record, now - before)
            before = now
            self._follow(record)
            self.log.follow(pause_s(now - began))

    def stop(self) -> None:
        """End the job, where there is one that runs, and wait until it has ended."""
        if not self.number:
            return
        try:
            commands.cancel(self.number)
            deadline = time.monotonic() + CLEANUP_S
            while (record := commands.show(self.number)) is not None and record.state in ACTIVE:
                if time.monotonic() > deadline:
                    log.error("Slurm job %s is still being ended; `scontrol show job %s` shows why.",
                              self.number, self.number)  # fmt: skip
                    break
                self.log.follow(LOOK_S)
            self.log.tell_new()
        except (Away, SeawayError) as error:
            log.error("Slurm job %s may still run, for it could not be cancelled: %s `scancel %s` ends it.",
                      self.number, error, self.number)  # fmt: skip

    def _spend(self, record: JobRecord, seconds: float) -> None:
        """Raises: TimedOut: the job waits, or runs, for longer than it may."""
        if record.state in WAITING:
            self.queued_s += seconds
        else:
            self.ran_s, self.queued_s = self.ran_s + seconds, 0.0
        if self.queued_s > self.placement.queue_s:
            raise TimedOut(
                f"Slurm job {self.number} waited for its nodes for {self.placement.queue_s:g} s "
                f"(placement.queue_s) and is cancelled; Slurm's reason: {record.reason or 'none'}. `squeue --start` "
                "shows when such a job would begin, `sinfo` which nodes there are."
            )
        if self.ran_s > self.job.timeout_s:
            raise TimedOut(
                f"Slurm job {self.number} did not end within {self.job.timeout_s:g} s and is cancelled; raise "
                f"timeout_s. Started again, it resumes from its last checkpoint. Its last lines:\n{self.log.tail()}"
            )

    def _follow(self, record: JobRecord) -> None:
        """Tell what changes. Raises: TrainingFailed: the job is started too often, or can never be."""
        why = f" ({record.reason})" if record.reason else f" on {record.nodes}" if record.nodes else ""
        again = f", started anew {record.restarts} times" if record.restarts else ""
        self.patience.say(logging.INFO, f"Slurm job {self.number} is {record.state}{why}{again}.")
        if record.restarts > self.placement.requeues:
            raise TrainingFailed(
                f"Slurm job {self.number} was to be started for the {record.restarts + 1}th time and is cancelled: "
                f"placement.requeues is {self.placement.requeues}. Its last lines:\n{self.log.tail()}"
            )
        if record.state in WAITING and record.reason in HOPELESS:
            raise TrainingFailed(
                f"Slurm job {self.number} will never start and is cancelled: {record.reason}. Mend placement; "
                f"`sinfo` shows what the partitions have. Its last lines:\n{self.log.tail()}"
            )

    def _judge(self, record: JobRecord | None) -> None:
        number, self.number = self.number, ""  # nothing is left to cancel
        if record is None:
            log.warning("Slurm has forgotten job %s (MinJobAge); its model shows whether it ended well.", number)
        elif record.state == CANCELLED:
            raise ObjectDeleted(
                f"Slurm job {number} was cancelled by somebody else while this step waited for it. Run the step again "
                f"to start it anew: it resumes from its last checkpoint. Its last lines:\n{self.log.tail()}"
            )
        elif record.state != COMPLETED:
            hint = f"; {HINTS[record.state]}" if record.state in HINTS else ""
            code, _, signal = record.exit_code.partition(":")
            how = f"signal {signal}" if signal not in ("", "0") else f"exit code {code}"
            raise TrainingFailed(
                f"Slurm job {number} ended as {record.state} ({record.reason or 'no reason given'}, {how}){hint}. "
                f"Its last lines:\n{self.log.tail()}"
            )
