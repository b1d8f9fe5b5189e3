"""Recurring runs on Kubeflow Pipelines, made through its API: of objects that others make its controller runs none."""

from collections.abc import Mapping
from dataclasses import dataclass

import kfp
import kfp_server_api

from seaway.errors import InvalidSpec
from seaway.kfp import arguments
from seaway.kfp import compile as compiler
from seaway.kfp.fuse.join import fused
from seaway.kfp.image import with_image
from seaway.kfp.server import Server, connect, required, told
from seaway.kfp.submit import place
from seaway.kfp.versions import version_name

FIELDS = (5, 6)  # of a cron expression; Kubeflow's begins with the second
AT_ONCE = 1  # runs of one schedule


@dataclass(frozen=True)
class Recurring:
    """A schedule that stands."""

    name: str
    id: str
    url: str  # in the dashboard
    version: str
    cron: str  # six fields, UTC


def every(
    reference: str,
    given: Mapping[str, object],
    cron: str,
    server: Server,
    experiment: str = "Default",
    name: str = "",
    fuse: bool = False,
    build: str = "",
) -> Recurring:
    """Have this version of the pipeline run by a cron expression, one run at a time, none made up for.

    The schedule's name, the pipeline's where none is given, says which one it is: the same one is left as it is, one
    that differs is replaced, so this may be called again and again.

    Args:
        cron: five fields as everywhere, or six with the second before them; UTC.
        fuse: Join consecutive small steps, as `seaway compile --fuse` does.
        build: see `submit`.

    Raises:
        InvalidSpec: no such pipeline, a wrong parameter or expression.
        Forbidden, PipelinesUnavailable, ImageNotBuilt: see `submit`.
    """
    pipeline = compiler.load(reference)
    pipeline = fused(pipeline) if fuse else pipeline
    pipeline = with_image(pipeline, reference, build) if build else pipeline
    values, when, called = arguments.bind(pipeline.spec, given), six_fields(cron), name or pipeline.name
    with told(server):
        client = connect(server)
        placed = place(client, pipeline, experiment, compiler.description(reference))
        wanted = {"version": placed.version, "cron": when, "parameters": values, "enabled": True}
        there = _called(client, called, placed.experiment)
        kept = next((one for one in there if _says(one) == wanted), None) or client.create_recurring_run(
            placed.experiment,
            called,
            cron_expression=when,
            max_concurrency=AT_ONCE,
            no_catchup=True,
            params=values,
            pipeline_id=placed.pipeline,
            version_id=placed.version,
        )
        identity = required(kept.recurring_run_id, server)
        for one in there:
            if one.recurring_run_id != identity:
                client.delete_recurring_run(one.recurring_run_id)
    return Recurring(called, identity, f"{server.url}/#/recurringrun/details/{identity}", version_name(pipeline), when)


def six_fields(cron: str) -> str:
    """As Kubeflow reads it. Raises: InvalidSpec: another number of fields."""
    fields = cron.split()
    if len(fields) not in FIELDS:
        raise InvalidSpec(
            f"--every is {cron!r}; it must be a cron expression of five fields (minute, hour, day, month, weekday; "
            "UTC), such as '0 2 * * *' for each night at two."
        )
    return " ".join(["0", *fields][-max(FIELDS) :])


def _called(client: kfp.Client, name: str, experiment: str) -> list[kfp_server_api.V2beta1RecurringRun]:
    found, page = [], ""
    while True:
        listed = client.list_recurring_runs(page_token=page, experiment_id=experiment)
        found += [one for one in listed.recurring_runs or () if one.display_name == name]
        if not (page := listed.next_page_token or ""):
            return found


def _says(one: kfp_server_api.V2beta1RecurringRun) -> dict[str, object]:
    return {
        "version": one.pipeline_version_reference and one.pipeline_version_reference.pipeline_version_id,
        "cron": one.trigger and one.trigger.cron_schedule and one.trigger.cron_schedule.cron,
        "parameters": dict((one.runtime_config and one.runtime_config.parameters) or {}),
        "enabled": str(one.status) == "ENABLED",
    }
