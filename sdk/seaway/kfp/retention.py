"""Which versions of a pipeline go from a cluster: those that git has dropped stay there until somebody says so.

Nothing here knows git. A version that git still has and that goes is brought back by the next sync, as the newest.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from seaway.errors import InvalidSpec, KindMissing
from seaway.platforms.kubernetes.client.naming import OURS
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import Resource

VERSIONS = Resource("pipelines.kubeflow.org", "v2beta1", "pipelineversions", "PipelineVersion")
SCHEDULES = Resource("kubeflow.org", "v1beta1", "scheduledworkflows", "ScheduledWorkflow")
Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What becomes of a version. `why` says what keeps it; empty where it goes."""

    pipeline: str
    version: str
    created: str  # RFC 3339
    uid: str
    why: str

    @property
    def goes(self) -> bool:
        """Whether nothing keeps it."""
        return not self.why


def prune(objects: Objects, keep: int, named: Iterable[str], dry_run: bool) -> list[Verdict]:
    """Delete all that goes, unless it is a dry run; returns the verdict on each version.

    Raises:
        InvalidSpec: a version that was named is not there, so that a misspelt one keeps nothing from going.
        KindMissing: Kubeflow Pipelines does not keep its versions as objects here.
    """
    there = objects.list(VERSIONS, {"labelSelector": OURS}).items
    staying = [version for version in there if "deletionTimestamp" not in version["metadata"]]
    found = verdicts(staying, _schedules(objects), keep, set(named))
    if not dry_run:
        for verdict in found:
            if verdict.goes:
                objects.delete(VERSIONS, verdict.version, verdict.uid)
    return found


def verdicts(versions: Iterable[Manifest], schedules: Iterable[Manifest], keep: int, named: set[str]) -> list[Verdict]:
    """A verdict on each version, by pipeline, the newest first.

    A recurring run that is paused counts: it may go on, and would find its version gone.
    """
    pipelines = defaultdict[str, list[Manifest]](list)
    for version in versions:
        pipelines[version["spec"]["pipelineName"]].append(version)
    _require(named, pipelines)
    schedules = list(schedules)
    return [
        Verdict(pipeline, **_identity(version), why=_why(version, place, schedules, keep, named))
        for pipeline, group in sorted(pipelines.items())
        for place, version in enumerate(sorted(group, key=_age, reverse=True))
    ]


def _require(named: set[str], pipelines: Mapping[str, list[Manifest]]) -> None:
    there = {version["metadata"]["name"] for group in pipelines.values() for version in group}
    if missing := sorted(named - there):
        raise InvalidSpec(
            f"There is no version {', '.join(missing)}; there are: {', '.join(sorted(there)) or 'none'}. "
            "Nothing was removed."
        )


def _why(version: Manifest, place: int, schedules: Iterable[Manifest], keep: int, named: set[str]) -> str:
    naming = [schedule["metadata"]["name"] for schedule in schedules if _names(schedule["spec"], version["metadata"])]
    if place < keep:
        return "newest" if place == 0 else f"one of the {keep} newest"
    if naming:
        return f"recurring run {', '.join(sorted(naming))}"
    return "named" if version["metadata"]["name"] in named else ""


def _names(schedule: Manifest, version: Mapping[str, str]) -> bool:
    """By its id, as Kubeflow Pipelines writes it, or by its name."""
    return version["uid"] == schedule.get("pipelineVersionId") or version["name"] == schedule.get("pipelineName")


def _identity(version: Manifest) -> dict[str, str]:
    metadata = version["metadata"]
    return {"version": metadata["name"], "created": metadata["creationTimestamp"], "uid": metadata["uid"]}


def _age(version: Manifest) -> tuple[str, str]:
    """When it was made, to the second, as Kubeflow Pipelines goes by it; then by name."""
    return version["metadata"]["creationTimestamp"], version["metadata"]["name"]


def _schedules(objects: Objects) -> list[dict[str, Any]]:
    try:
        return objects.list(SCHEDULES).items
    except KindMissing:  # no such kind, no recurring run
        return []
