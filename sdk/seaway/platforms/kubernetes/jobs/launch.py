"""The one way to run a custom resource: preflight, create or adopt, watch, stream, cancel, own."""

import logging

from seaway.errors import InvalidSpec, JobFailed, NameTaken, SeawayError
from seaway.platforms.kubernetes.client.api_errors import ApiCall
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.client.naming import RUN, SPEC
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import is_ours, with_owner
from seaway.platforms.kubernetes.client.permissions import LAUNCHED, Permission
from seaway.platforms.kubernetes.client.resources import EVENTS, POD_LOGS, PODS, Manifest, Resource
from seaway.platforms.kubernetes.jobs import queueing
from seaway.platforms.kubernetes.jobs.kind import Kind, Outcome, State
from seaway.platforms.kubernetes.jobs.pod_logs import Tell, to_log
from seaway.platforms.kubernetes.jobs.wait import JobWait, Patience
from seaway.signals import sigterm_raises

PERMISSIONS = (
    Permission(PODS, ("get", "list", "watch"), "wait: what keeps a job's pods from running; ownership: the step's own"),
    Permission(POD_LOGS, ("get",), "pod_logs: stream what the pods say into the step's log"),
    Permission(EVENTS, ("list", "watch"), "wait: quota, scheduling, images and evictions, in the cluster's words"),
    *queueing.PERMISSIONS,
)
log = logging.getLogger(__name__)


def launch(
    kind: Kind,
    manifest: Manifest,
    *,
    timeout_s: float,
    patience: Patience = Patience(),  # noqa: B008 (frozen)
    connection: Connection | None = None,
    tell: Tell = to_log,
) -> Outcome:
    """Run a job to its end; called again with the same manifest, it goes on with the job that is there.

    `manifest` comes from `naming.stamp`. A job that has succeeded already is the outcome; one that has failed, in an
    earlier attempt of the step, is deleted and started anew. On SIGTERM, an error or the time-out the job is deleted,
    and its pods are gone when this returns. A job that is suspended, by Kueue or by hand, waits for as long as that
    takes; the log says why.

    Args:
        timeout_s: from creation or adoption to the end, in seconds; those in which it is suspended are not counted.
        tell: gets each line of the pods' logs, with the pod's name.

    Raises:
        InvalidSpec, AdmissionRefused, QuotaExceeded, NamespaceUnavailable, NameTaken, KindMissing: nothing was started.
        JobFailed: the job failed; it is left for inspection.
        OperatorMissing, PodsStuck, TimedOut, ObjectDeleted, Forbidden, ServerGone: it was started and is ended.
    """
    _check_stamp(manifest)
    kind.preflight(manifest)
    objects = Objects(connection or connect(manifest["metadata"].get("namespace")))
    queueing.require_kueue(objects, manifest)
    if lost := queueing.unplaced(objects, kind, manifest):
        log.warning(lost)
    wait = JobWait(objects, kind, manifest["metadata"]["name"], tell, timeout_s, patience)
    with sigterm_raises() as termination, wait:
        try:
            with termination.deferred():
                job = create_or_adopt(wait, with_owner(objects, manifest))
            outcome = wait.outcome(job)
        except BaseException:
            with termination.ignored():
                if wait.started:
                    cancel(wait, manifest)
            raise
    if outcome.state is State.FAILED:
        raise JobFailed(_failure(wait, outcome))
    return outcome


def launching(resource: Resource) -> tuple[Permission, ...]:
    """What a step needs to launch jobs of one kind."""
    why = f"launch: create or adopt, follow and cancel {'an' if resource.kind[0] in 'AEIO' else 'a'} {resource.kind}"
    return (Permission(resource, LAUNCHED, why), *PERMISSIONS)


def create_or_adopt(wait: JobWait, manifest: Manifest) -> Manifest:
    """The job of this manifest: the one that is there, or a new one.

    Raises:
        NameTaken: an object of this name belongs to another run, or was made by somebody else.
    """
    objects, resource = wait.objects, wait.kind.resource
    while True:
        found = objects.get(resource, wait.name)
        if found is None:
            try:
                wait.started = True
                return objects.create(resource, manifest)
            except NameTaken:  # by an earlier attempt of this request that was carried out, or by another run
                log.debug("%s appeared while it was being created.", wait.call)
                continue
        if not is_of_run(found, manifest):
            raise NameTaken(_whose(found, wait.call))
        if _still_of_use(wait.kind, found):
            wait.started = True
            log.info("Going on with %s, which this run has started.", wait.call)
            return found
        _clear(wait, found)


def is_of_run(found: Manifest, manifest: Manifest) -> bool:
    """Whether an object was made by this run from this spec."""
    wanted = manifest["metadata"]
    return is_ours(found, {RUN: wanted["labels"][RUN]}, {SPEC: wanted["annotations"][SPEC]})


def cancel(wait: JobWait, manifest: Manifest) -> None:
    """Delete the job if it is ours, and wait until it and its pods are gone."""
    objects, resource = wait.objects, wait.kind.resource
    target = wait.call.kubectl_target
    try:
        found = objects.get(resource, wait.name)
        if found is None or not is_of_run(found, manifest):
            return
        objects.delete(resource, wait.name, found["metadata"]["uid"])
        if not wait.wait_deleted():
            log.error("%s or its pods are still being deleted; `kubectl get %s` shows why.", wait.call, target)
    except SeawayError as error:
        log.error(
            "%s may still run, for it could not be deleted: %s `kubectl delete %s` ends it.",
            wait.call,
            error,
            target,
        )


def _check_stamp(manifest: Manifest) -> None:
    metadata = manifest.get("metadata", {})
    if not (metadata.get("name") and metadata.get("labels", {}).get(RUN) and metadata.get("annotations", {}).get(SPEC)):
        raise InvalidSpec(
            f"The {manifest.get('kind')} has no name, run and hash to be found again by: use naming.stamp."
        )


def _still_of_use(kind: Kind, job: Manifest) -> bool:
    ended = kind.outcome(job)
    return "deletionTimestamp" not in job["metadata"] and (ended is None or ended.state is State.SUCCEEDED)


def _clear(wait: JobWait, job: Manifest) -> None:
    log.info("%s of an earlier attempt has failed or is being deleted; it is started anew.", wait.call)
    wait.objects.delete(wait.kind.resource, wait.name, job["metadata"]["uid"])
    if not wait.wait_deleted():
        raise NameTaken(
            f"{wait.call} of an earlier attempt is still there {wait.patience.cleanup_s:g} s after its "
            "deletion. "
            f"`kubectl get {wait.call.kubectl_target} -o yaml` shows the finalizers that it waits for."
        )


def _whose(found: Manifest, call: ApiCall) -> str:
    labels = found["metadata"].get("labels", {})
    owner = f"run {labels[RUN]}" if RUN in labels else "somebody else, for it has no label of a run"
    return (
        f"{call} exists and belongs to {owner}, or was made from another spec; it was left as it is. Run under another "
        f"run id, or delete it: `kubectl get {call.kubectl_target} --show-labels` shows whose it is."
    )


def _failure(wait: JobWait, outcome: Outcome) -> str:
    said = ": ".join(part for part in (outcome.reason, outcome.message) if part)
    return f"{wait.call} failed: {said}\n{wait.diagnosis()}\n`kubectl describe {wait.call.kubectl_target}` shows more."
