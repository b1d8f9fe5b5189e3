"""Every error class of Seaway, and why it exists.

A message is one paragraph: what was wrong, where, and what to do about it.
Callers tell errors apart by class, never by text.
"""

from pathlib import Path


class SeawayError(Exception):
    """Base of all errors that Seaway raises on purpose; the command line shows its message without a traceback."""


class InvalidSpec(SeawayError, ValueError):
    """An argument or a spec field is out of range or names something unknown; nothing has been started."""


class DataUnreadable(SeawayError):
    """A file or table is missing, empty, truncated, or lacks a column that was asked for."""


class StorageCorrupted(DataUnreadable):
    """Bytes that were read are not those that were written: their checksum differs; nothing of them is kept."""


class StorageUnavailable(SeawayError):
    """The object store does not answer, refuses the credentials, or has no such bucket."""


class ValidationFailed(SeawayError):
    """The data breaks a rule; the message names rule, column, count and examples."""


class FeaturesUnavailable(SeawayError):
    """The feature repository cannot give what was asked: unknown view, broken definitions, empty source."""


class TrainingFailed(SeawayError):
    """A training process failed or never ended; the message ends with the failing rank's last log lines."""


class TuningFailed(SeawayError):
    """Too many trials of a study failed, or none ended well; the message ends with the last failure's reason."""


class CheckpointUnusable(SeawayError):
    """A checkpoint cannot be written (disk full) or is not of this training run (other data, other parameters)."""


class PackageRefused(SeawayError):
    """A model package is corrupted, unsigned, signed by another key, holds unknown files, a pickle, or unsafe paths."""


class RegistryUnavailable(SeawayError):
    """The model registry or tracking store does not answer, or has no such model."""


class ProductionChanged(SeawayError):
    """Another model than the expected one is in production; nothing was promoted over it."""


class GateClosed(SeawayError):
    """The model misses a threshold of the evaluation gate; the message names each one with value and bound."""


class EndpointFailed(SeawayError):
    """An endpoint did not become ready, ended, or refused a request; the message ends with its last log lines."""


class PortTaken(EndpointFailed):
    """A port that was asked for by number is in use by another process."""


class TrafficFailed(SeawayError):
    """Weights could not be set, or the traffic does not follow the weights that were set."""


class MetricsUnavailable(SeawayError):
    """Metrics are missing, stale or unreachable; a judge must not take this for good news."""


class RolledBack(SeawayError):
    """The rollout ended with the stable model in charge; the message says on which evidence."""


class Forbidden(SeawayError):
    """The API server refuses who we are or what we may do; never taken for "not found"."""


class KindMissing(SeawayError):
    """The cluster does not serve this kind of object: its custom resource definition is not installed."""


class OperatorMissing(SeawayError):
    """An object was created and nothing ever took it up: the kind is served, but its controller does not run."""


class NameTaken(SeawayError):
    """An object of this name, or a field of it, belongs to another owner; it was left as it is."""


class AdmissionRefused(SeawayError):
    """An admission webhook or policy of the cluster refused the object, or did not answer."""


class QuotaExceeded(SeawayError):
    """The namespace's resource quota leaves no room for the object."""


class NamespaceUnavailable(SeawayError):
    """The namespace does not exist, or is being deleted."""


class ObjectDeleted(SeawayError):
    """The object that was waited for was deleted by somebody else."""


class ObjectChanged(SeawayError):
    """Somebody else has changed the object since it was read; nothing was written over the change."""


class PodsStuck(SeawayError):
    """A pod cannot start and will not by waiting: its image cannot be had, or Pod Security refuses it."""


class JobFailed(SeawayError):
    """The job ended as failed; the message has its reason and the last log lines of the pods that failed."""


class TimedOut(SeawayError):
    """The job did not end in its time and was deleted; the message says what its pods were waiting for."""


class ServerGone(SeawayError):
    """The API server did not answer for longer than an outage may last."""


class PipelinesUnavailable(SeawayError):
    """Kubeflow Pipelines does not answer, fails, or something else than its API answers at the address."""


class RunFailed(SeawayError):
    """A pipeline run failed; the message names the step, its reason and its log; `folder` has the run's record."""

    def __init__(self, message: str, folder: Path) -> None:
        super().__init__(message)
        self.folder = folder
