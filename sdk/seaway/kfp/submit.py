"""Submitting a pipeline to Kubeflow Pipelines, through kfp's own client.

A version has the name that `seaway manifests` gives it, so what GitOps put there is found and run, not put there again,
whatever it says of itself.
"""

import json
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import kfp
import kfp_server_api
import urllib3

from seaway.errors import JobFailed
from seaway.kfp import arguments, failure, parameters
from seaway.kfp import compile as compiler
from seaway.kfp.compile import Compiled
from seaway.kfp.fuse.join import fused
from seaway.kfp.image import with_image
from seaway.kfp.refusals import require_runnable
from seaway.kfp.server import SERVER_ERROR, Server, connect, required, told
from seaway.kfp.states import Progress, progress
from seaway.kfp.versions import title, today, version_name
from seaway.platforms.kubernetes.client.backoff import Backoff

T = TypeVar("T")
NAME_LENGTH = 120  # of a run, in letters; the server takes 128
OUTAGE_S = 120.0  # that a wait endures
POLL_S = 5.0


@dataclass(frozen=True)
class Submitted:
    """A run that was created."""

    run: str  # its id
    url: str  # in the dashboard
    version: str
    state: str


def submit(
    reference: str,
    given: Mapping[str, object],
    server: Server,
    experiment: str = "Default",
    change: str = "",
    fuse: bool = False,
    build: str = "",
) -> Submitted:
    """Put the pipeline there unless it is there, and create a run of it in the experiment, which is made where missing.

    Args:
        reference: Name or file of the pipeline.
        given: Parameters that are not as by default.
        server: Where to.
        experiment: That the run belongs to.
        change: What is different since the version before, shown in the list of versions where this one is new.
        fuse: Join consecutive small steps, as `seaway compile --fuse` does.
        build: Name of an image of the code beside the pipeline's file: pushed there, and what the steps run in.

    Raises:
        InvalidSpec: no such pipeline, a wrong parameter, or the server refuses a value.
        ImageNotBuilt: the image could not be pushed.
        Forbidden: the server asks for another login, or this one may not do that here.
        PipelinesUnavailable: nothing answers there, or something else than Kubeflow Pipelines.
    """
    pipeline = compiler.load(reference)
    pipeline = fused(pipeline) if fuse else pipeline
    pipeline = with_image(pipeline, reference, build) if build else pipeline
    values = arguments.bind(pipeline.spec, given)
    with told(server):
        client = connect(server)
        placed = place(client, pipeline, experiment, compiler.description(reference), change)
        called = run_name(pipeline, values, datetime.now(UTC))
        created = client.run_pipeline(
            placed.experiment, called, pipeline_id=placed.pipeline, version_id=placed.version, params=values
        )
        run = client.get_run(required(created.run_id, server))
    return Submitted(run.run_id, address(server, run.run_id), version_name(pipeline), str(run.state))


def run_name(pipeline: Compiled, values: Mapping[str, object], now: datetime) -> str:
    """What a list of runs shows: the pipeline, the parameters that are not as by default, and when, in UTC."""
    declared = pipeline.spec.root.input_definitions.parameters
    differ = [
        f"{name}={json.dumps(value)}" for name, value in values.items() if value != parameters.default(declared[name])
    ]
    words, time_ = " ".join([pipeline.name, *differ]), f" {now:%Y-%m-%d %H:%M:%S}"
    return words[: NAME_LENGTH - len(time_)] + time_


def address(server: Server, run: str) -> str:
    """Where the dashboard shows a run."""
    return f"{server.url}/#/runs/details/{run}"


@dataclass(frozen=True)
class Placed:
    """Ids of what a run is made of."""

    pipeline: str
    version: str
    experiment: str


def place(client: kfp.Client, pipeline: Compiled, experiment: str, description: str = "", change: str = "") -> Placed:
    """Put pipeline, version and experiment there, each unless it is there; what is there keeps its words.

    Raises:
        InvalidSpec: Kubeflow Pipelines cannot run it.
    """
    require_runnable(pipeline.spec)
    folder = _pipeline_id(client, pipeline.name, description)
    version = _version_id(client, folder, pipeline, description, change)
    return Placed(folder, version, str(client.create_experiment(experiment).experiment_id))


def wait(run: str, server: Server) -> None:
    """Wait until the run has ended well; an outage of up to `OUTAGE_S` is endured.

    Raises:
        JobFailed: it failed or was cancelled.
    """
    with told(server):
        backoff = Backoff(OUTAGE_S)
        client = _enduring(lambda: connect(server), backoff)
        while True:
            found = _enduring(lambda: client.get_run(run), backoff)
            how = progress(str(found.state or "PENDING"))
            if how is Progress.GOOD:
                return
            if how is Progress.BAD:
                told_of = f"Run {run} is {found.state}; its steps and logs: {address(server, run)}."
                raise JobFailed(f"{told_of} {failure.reason(found, server)}".rstrip())
            time.sleep(POLL_S)


def _pipeline_id(client: kfp.Client, name: str, description: str) -> str:
    place = client.get_user_namespace() or None
    found = client.list_pipelines(filter=_called(name), namespace=place).pipelines
    if found:
        return str(found[0].pipeline_id)
    wanted = kfp_server_api.V2beta1Pipeline(name=name, display_name=name, description=description, namespace=place)
    return str(client.pipelines.pipeline_service_create_pipeline(pipeline=wanted).pipeline_id)


def _version_id(client: kfp.Client, folder: str, pipeline: Compiled, description: str, change: str) -> str:
    name = version_name(pipeline)
    found = client.list_pipeline_versions(folder, filter=_called(name)).pipeline_versions
    if found:
        return str(found[0].pipeline_version_id)
    words = {"display_name": title(name, change, today()), "description": change.strip() or description}
    with tempfile.TemporaryDirectory() as scratch:
        file = Path(scratch) / "pipeline.yaml"
        file.write_text(pipeline.text, encoding="utf-8")
        uploads = kfp_server_api.PipelineUploadServiceApi(client.pipelines.api_client)  # kfp's own call has no title
        kept = uploads.upload_pipeline_version(str(file), name=name, pipelineid=folder, **words)
    return str(kept.pipeline_version_id)


def _called(name: str) -> str:
    """kfp's filter: those of this name, whatever a dashboard shows for it."""
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "name", "stringValue": name}]})


def _enduring(ask: Callable[[], T], backoff: Backoff) -> T:
    """The answer, asked for again where the server is away."""
    while True:
        try:
            found = ask()
        except (kfp_server_api.ApiException, urllib3.exceptions.HTTPError) as error:
            if getattr(error, "status", SERVER_ERROR) < SERVER_ERROR or not backoff.failed():
                raise
            time.sleep(backoff.pause_s())
        else:
            backoff.succeeded()
            return found
