"""OpenLineage's events of a run and its steps: each a job and a run of it, artifacts as datasets, by its own client."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from openlineage.client import event_v2 as lineage
from openlineage.client.facet_v2 import error_message_run, parent_run
from openlineage.client.serde import Serde

from seaway.kfp.local.run_record import Record, Step

NAMESPACE = "seaway"  # of jobs
PRODUCER = "pkg:pypi/seaway"
STATES = {
    "running": lineage.RunState.START,
    "succeeded": lineage.RunState.COMPLETE,
    "cached": lineage.RunState.COMPLETE,
    "failed": lineage.RunState.FAIL,
    "interrupted": lineage.RunState.ABORT,
}


def of_run(record: Record) -> bytes:
    """As the run is now."""
    return _event(record.state, record.begun + record.seconds, _id(record.run), record.pipeline, _error(record.reason))


def of_step(record: Record, step: Step) -> bytes:
    """As the step is now; its parent is the run."""
    parent = parent_run.ParentRunFacet(
        run=parent_run.Run(runId=_id(record.run)), job=parent_run.Job(namespace=NAMESPACE, name=record.pipeline)
    )
    facets = {"parent": parent, **_error(step.reason if step.state == "failed" else "")}
    name = f"{record.pipeline}.{step.place or step.name}"
    return _event(
        step.state,
        step.begun + step.seconds,
        _id(f"{record.run}/{step.number}"),
        name,
        facets,
        inputs=[lineage.InputDataset(**_place(uri)) for uri in step.taken],
        outputs=[lineage.OutputDataset(**_place(uri)) for uri in _uris(step.outputs)],
    )


def _event(state: str, at: float, run: str, job: str, facets: dict[str, Any], **datasets: Any) -> bytes:
    event = lineage.RunEvent(
        eventTime=datetime.fromtimestamp(at, UTC).isoformat(),
        producer=PRODUCER,
        run=lineage.Run(runId=run, facets=facets),
        job=lineage.Job(namespace=NAMESPACE, name=job),
        eventType=STATES[state],
        **datasets,
    )
    return str(Serde.to_json(event)).encode()


def _id(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"seaway:{name}"))


def _error(reason: str) -> dict[str, Any]:
    if not reason:
        return {}
    return {"errorMessage": error_message_run.ErrorMessageRunFacet(message=reason, programmingLanguage="PYTHON")}


def _uris(outputs: dict[str, Any]) -> Iterator[str]:
    for value in outputs.values():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict) and {"uri", "type"} <= one.keys():
                yield str(one["uri"])


def _place(uri: str) -> dict[str, str]:
    """A dataset by OpenLineage's rules of names: a file's path in `file`, a key in its bucket."""
    parts = urlsplit(uri)
    if parts.scheme in ("", "file"):
        return {"namespace": "file", "name": parts.path}
    return {"namespace": f"{parts.scheme}://{parts.netloc}", "name": parts.path.lstrip("/")}
