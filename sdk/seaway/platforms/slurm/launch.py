"""The one way to run a batch job: submit or adopt, follow its log, wait with every patience, cancel."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from seaway.errors import ObjectDeleted, SeawayError, SlurmUnavailable, TimedOut, TrainingFailed
from seaway.platforms.slurm import commands
from seaway.platforms.slurm.commands import ControllerAway, JobRecord
from seaway.platforms.slurm.placement import Placement
from seaway.platforms.slurm.script_log import ScriptLog
from seaway.signals import sigterm_raises

LOOK_S, LONGEST_LOOK_S = 0.5, 10.0  # between questions to the controller, at first and after some minutes
LOOKS_PER_AGE = 60  # a job that is a minute old is looked at each second
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
Answer = TypeVar("Answer")


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
    wait = JobWait(job, placement)
    with sigterm_raises() as termination:
        try:
            with termination.deferred():
                wait.submit_or_adopt()
            wait.until_end()
        except BaseException:
            with termination.ignored():
                wait.cancel()
            raise


@dataclass
class JobWait:
    """One wait for one job; `number` is empty until there is a job."""

    job: BatchJob
    placement: Placement
    number: str = ""
    ran_s: float = 0.0
    queued_s: float = 0.0
    told: set[str] = field(default_factory=set)

    def submit_or_adopt(self) -> None:
        """Take the job of this name where it is still of use, else submit one."""
        found = self._answered(self._submitted)
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
            record = self._answered(lambda: commands.show(self.number))
            self.log.tell_new()
            if record is None or record.state not in ACTIVE:
                return self._judge(record)
            now = time.monotonic()
            self._spend(record, now - before)
            before = now
            self._follow(record)
            self.log.follow(min(LONGEST_LOOK_S, LOOK_S + (now - began) / LOOKS_PER_AGE))

    def cancel(self) -> None:
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
        except (ControllerAway, SeawayError) as error:
            log.error("Slurm job %s may still run, for it could not be cancelled: %s `scancel %s` ends it.",
                      self.number, error, self.number)  # fmt: skip

    def _answered(self, ask: Callable[[], Answer]) -> Answer:
        """What the controller answers, after an outage too. Raises: SlurmUnavailable: it lasts too long."""
        began = time.monotonic()
        while True:
            try:
                return ask()
            except ControllerAway as away:
                if time.monotonic() - began > self.placement.outage_s:
                    raise SlurmUnavailable(
                        f"Slurm's controller has not answered for {self.placement.outage_s:g} s: {away}. "
                        f"{f'Job {self.number}' if self.number else f'A job called {self.job.name}'} may run on; "
                        "`scontrol ping` shows the controller's state, and the step, run again, takes its job up."
                    ) from away
                self._say(logging.WARNING, f"Slurm's controller does not answer: {away}; waiting for it.")
                time.sleep(LOOK_S)

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
        self._say(logging.INFO, f"Slurm job {self.number} is {record.state}{why}{again}.")
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

    def _say(self, level: int, sentence: str) -> None:
        if sentence not in self.told:
            self.told.add(sentence)
            log.log(level, "%s", sentence)
