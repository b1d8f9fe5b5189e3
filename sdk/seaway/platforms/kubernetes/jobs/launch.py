"""The one way to run a custom resource: preflight, create or adopt, watch, stream, cancel, own."""

import logging

from seaway.errors import InvalidSpec, JobFailed, NameTaken, SeawayError
from seaway.platforms.kubernetes.client.api_errors import Call
from seaway.platforms.kubernetes.client.connection import Connection, connect
from seaway.platforms.kubernetes.client.naming import RUN, SPEC
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.ownership import owned
from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.jobs.kind import Kind, Outcome, State
from seaway.platforms.kubernetes.jobs.pod_logs import Tell, to_log
from seaway.platforms.kubernetes.jobs.wait import Following, Patience
from seaway.signals import sigterm_raises

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
    and its pods are gone when this returns.

    Args:
        timeout_s: from creation or adoption to the end, in seconds.
        tell: gets each line of the pods' logs, with the pod's name.

    Raises:
        InvalidSpec, AdmissionRefused, QuotaExceeded, NamespaceUnavailable, NameTaken, KindMissing: nothing was started.
        JobFailed: the job failed; it is left for inspection.
        OperatorMissing, PodsStuck, TimedOut, ObjectDeleted, Forbidden, ServerGone: it was started and is ended.
    """
    _check_stamp(manifest)
    kind.preflight(manifest)
    objects = Objects(connection or connect(manifest["metadata"].get("namespace")))
    following = Following(objects, kind, manifest["metadata"]["name"], tell, timeout_s, patience)
    with sigterm_raises() as termination, following:
        try:
            with termination.deferred():
                job = create_or_adopt(following, owned(objects, manifest))
            outcome = following.outcome(job)
        except BaseException:
            with termination.ignored():
                if following.started:
                    cancel(following, manifest)
            raise
    if outcome.state is State.FAILED:
        raise JobFailed(_failure(following, outcome))
    return outcome


def create_or_adopt(following: Following, manifest: Manifest) -> Manifest:
    """The job of this manifest: the one that is there, or a new one.

    Raises:
        NameTaken: an object of this name belongs to another run, or was made by somebody else.
    """
    objects, resource = following.objects, following.kind.resource
    while True:
        found = objects.get(resource, following.name)
        if found is None:
            try:
                following.started = True
                return objects.create(resource, manifest)
            except NameTaken:  # by an earlier attempt of this request that was carried out, or by another run
                log.debug("%s appeared while it was being created.", following.call)
                continue
        if not is_ours(found, manifest):
            raise NameTaken(_whose(found, following.call))
        if _still_of_use(following.kind, found):
            following.started = True
            log.info("Going on with %s, which this run has started.", following.call)
            return found
        _clear(following, found)


def is_ours(found: Manifest, manifest: Manifest) -> bool:
    """Whether an object was made by this run from this spec."""
    theirs, wanted = found["metadata"], manifest["metadata"]
    return bool(
        theirs.get("labels", {}).get(RUN) == wanted["labels"][RUN]
        and theirs.get("annotations", {}).get(SPEC) == wanted["annotations"][SPEC]
    )


def cancel(following: Following, manifest: Manifest) -> None:
    """Delete the job if it is ours, and wait until it and its pods are gone."""
    objects, resource = following.objects, following.kind.resource
    target = following.call.kubectl_target
    try:
        found = objects.get(resource, following.name)
        if found is None or not is_ours(found, manifest):
            return
        objects.delete(resource, following.name, found["metadata"]["uid"])
        if not following.gone():
            log.error("%s or its pods are still being deleted; `kubectl get %s` shows why.", following.call, target)
    except SeawayError as error:
        log.error(
            "%s may still run, for it could not be deleted: %s `kubectl delete %s` ends it.",
            following.call,
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


def _clear(following: Following, job: Manifest) -> None:
    log.info("%s of an earlier attempt has failed or is being deleted; it is started anew.", following.call)
    following.objects.delete(following.kind.resource, following.name, job["metadata"]["uid"])
    if not following.gone():
        raise NameTaken(
            f"{following.call} of an earlier attempt is still there {following.patience.cleanup_s:g} s after its "
            "deletion. "
            f"`kubectl get {following.call.kubectl_target} -o yaml` shows the finalizers that it waits for."
        )


def _whose(found: Manifest, call: Call) -> str:
    labels = found["metadata"].get("labels", {})
    owner = f"run {labels[RUN]}" if RUN in labels else "somebody else, for it has no label of a run"
    return (
        f"{call} exists and belongs to {owner}, or was made from another spec; it was left as it is. Run under another "
        f"run id, or delete it: `kubectl get {call.kubectl_target} --show-labels` shows whose it is."
    )


def _failure(following: Following, outcome: Outcome) -> str:
    said = ": ".join(part for part in (outcome.reason, outcome.message) if part)
    return (
        f"{following.call} failed: {said}\n{following.last_words()}\n"
        f"`kubectl describe {following.call.kubectl_target}` shows more."
    )
