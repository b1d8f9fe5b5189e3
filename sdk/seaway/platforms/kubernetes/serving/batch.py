"""Predictions as a Job with indexed completions: each pod has a share, by its index, and answers through the storage.

What pods have answered stays in the storage until all is there, so an attempt after a failed one goes on with it.
"""

import hashlib
import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from seaway.errors import InvalidSpec
from seaway.models import Signature
from seaway.models.package import content_sha256
from seaway.platforms.home import run_id
from seaway.platforms.kubernetes.client.connection import connected
from seaway.platforms.kubernetes.client.naming import Step, stamp
from seaway.platforms.kubernetes.jobs import batch_job
from seaway.platforms.kubernetes.jobs.launch import launch, launching
from seaway.platforms.kubernetes.jobs.queueing import PRIORITY, QUEUE
from seaway.platforms.kubernetes.pods.template import WITHOUT_MESH, container, pod_spec, variables
from seaway.platforms.kubernetes.serving.hosting import Hosting, hosting
from seaway.serving.batch.parts import files, hashes, keep_plan
from seaway.serving.batch.predict import check
from seaway.serving.batch.remote import SCRATCH_VARIABLE, VARIABLE, RemoteBatch, merged
from seaway.serving.batch.spec import BatchResult, BatchSpec
from seaway.storage import storage_for

KIND = replace(batch_job.KIND, suffix=len("-99999-12345"))  # pods are <job>-<index>-<5 characters>
COMMAND = ["python", "-m", "seaway.serving.batch.pod"]
STEP = "predictions"
SCRATCH = "/scratch"
LONGEST_S = 7 * 24 * 3600.0
KEPT_S = 24 * 3600  # a finished job, for whoever wants to look at it
RETRIES = 3  # of each pod
GRACE_S = 30


class JobPredictor:
    """Predicts on pods of the server image; the storage is that of endpoints' packages."""

    kind = KIND
    permissions = launching(kind.resource)

    def predict(self, spec: BatchSpec, pods: int) -> BatchResult:
        """See `BatchPredictor.predict`. Raises: JobFailed, and what `launch` does."""
        if pods < 1 or spec.shards != 1:
            raise InvalidSpec(f"pods is {pods} and shards {spec.shards}: give a Job one pod at least, and one shard.")
        settings = hosting(spec.hosting)
        check(spec, Signature.read(spec.package))
        plan = {"package": content_sha256(spec.package), "inputs": hashes(spec.rows), "keep": list(spec.keep)}
        keep_plan(spec.predictions, plan)
        batch = RemoteBatch.of(spec, _root(settings, plan), pods)
        _send(spec, batch)
        launch(KIND, job(batch, settings), timeout_s=LONGEST_S, connection=connected())
        return _collect(spec, batch)


def job(batch: RemoteBatch, settings: Hosting) -> dict[str, Any]:
    """The Job, named by this run and by what it does; it is what waits in a queue of Kueue, not each pod by itself."""
    ours = {"HOME": SCRATCH, "TMPDIR": "/tmp", "PYTHONUNBUFFERED": "1"}  # noqa: S108  # a volume of the pod's own
    wanted = {"SEAWAY_HOME": f"{SCRATCH}/home", SCRATCH_VARIABLE: SCRATCH, VARIABLE: batch.text}
    environment = {**ours, "OMP_NUM_THREADS": str(batch.threads), **settings.env, **wanted}
    mounts = [
        {"name": "scratch", "mountPath": SCRATCH},
        {"name": "scratch", "mountPath": "/tmp", "subPath": "tmp"},  # noqa: S108
    ]
    main = container(settings, "predict", COMMAND, variables(environment), mounts)
    volumes = [{"name": "scratch", "emptyDir": {"sizeLimit": settings.scratch}}]
    queue = {name: text for name, text in settings.labels.items() if name in (QUEUE, PRIORITY)}
    labels = {name: text for name, text in settings.labels.items() if name not in queue} | WITHOUT_MESH
    template = {
        "metadata": {"labels": labels, "annotations": {**settings.annotations, **WITHOUT_MESH}},
        "spec": {**pod_spec(settings, [main], volumes, GRACE_S), "restartPolicy": "Never"},
    }
    spec = {
        "completionMode": "Indexed",
        "completions": batch.shards,
        "parallelism": batch.shards,
        "backoffLimit": RETRIES * batch.shards,
        "ttlSecondsAfterFinished": KEPT_S,
        "template": template,
    }
    made = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"labels": queue}, "spec": spec}
    return stamp(made, Step(run_id(), STEP), KIND.suffix)


def _root(settings: Hosting, plan: dict[str, Any]) -> str:
    """Where the work is kept: by what it is, so that another attempt finds it. Raises: InvalidSpec: nowhere."""
    digest = hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()
    return f"{settings.root('rows')}/predictions/{run_id()}-{digest[:16]}"


def _send(spec: BatchSpec, batch: RemoteBatch) -> None:
    storage = storage_for(batch.root)
    storage.upload(spec.package, batch.package)
    for file in files(spec.rows):
        storage.upload(file, f"{batch.rows}/{file.name}")


def _collect(spec: BatchSpec, batch: RemoteBatch) -> BatchResult:
    """All answers, and what the shards told of them; nothing of it is left in the storage."""
    storage, results = storage_for(batch.root), []
    for uri in storage.list(batch.predictions):
        storage.download(uri, spec.predictions / uri.rpartition("/")[2])
    with tempfile.TemporaryDirectory(prefix="seaway-") as name:
        for shard in range(batch.shards):
            file = Path(name) / f"{shard}.json"
            storage.download(batch.result(shard), file)
            results.append(BatchResult.read(file))
    files_left = [*storage.list(batch.predictions), *storage.list(batch.rows)]
    for uri in (*files_left, *map(batch.result, range(batch.shards)), batch.package):
        storage.remove(uri)
    return merged(results)
