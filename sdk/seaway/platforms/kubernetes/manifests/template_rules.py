"""Templates of pods inside other objects: the object is taken whatever they say, and then its pods are refused."""

from collections.abc import Iterator

from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.manifests import builtin_rules
from seaway.platforms.kubernetes.manifests.fields import Part, entries, part
from seaway.platforms.kubernetes.manifests.pod_rules import ALWAYS, OF_JOBS, pod
from seaway.platforms.kubernetes.training.rayjob import templates
from seaway.platforms.kubernetes.validation.problem import Problem

ANY_RESTART = (*ALWAYS, *OF_JOBS)
OPEN = "${"  # a placeholder, of which nobody knows what it becomes
LATER = "its pods would be refused"


def pytorchjob(manifest: Manifest) -> Iterator[Problem]:
    """The pods of each role; the role's own restart policy replaces that of the template."""
    yield from _refused_later(_roles(part(manifest, "spec", "pytorchReplicaSpecs"), "spec.pytorchReplicaSpecs"))


def rayjob(manifest: Manifest) -> Iterator[Problem]:
    """The pods of head, workers and submitter."""
    for path, template in templates(part(manifest, "spec")):
        yield from _refused_later(pod(part(template, "spec"), f"{path}.spec", ANY_RESTART))


def training_runtime(manifest: Manifest) -> Iterator[Problem]:
    """The pods of each replicated job; the TrainJob may bring the image."""
    jobs = entries(part(manifest, "spec", "template", "spec"), "replicatedJobs", "spec.template.spec")
    for path, job in jobs:
        spec = part(job, "template", "spec", "template", "spec")
        found = pod(spec, f"{path}.template.spec.template.spec", ("OnFailure", "Never", ""))
        yield from _refused_later(_but(found, "image", "restartPolicy"))


def seldon_deployment(manifest: Manifest) -> Iterator[Problem]:
    """The pods of each component; the operator brings the images of the servers that it knows."""
    for path, predictor in entries(part(manifest, "spec"), "predictors", "spec"):
        for place, component in entries(predictor, "componentSpecs", path):
            yield from _refused_later(
                _but(pod(part(component, "spec"), f"{place}.spec", ALWAYS), "image", "containers")
            )


def trials(manifest: Manifest) -> Iterator[Problem]:
    """The job that each trial of an Experiment is, as far as it has no placeholders."""
    trial, field = part(manifest, "spec", "trialTemplate", "trialSpec"), "spec.trialTemplate.trialSpec"
    if trial.get("kind") == "Job":
        found = builtin_rules.job(part(trial, "spec"), f"{field}.spec")
    elif trial.get("kind") == "PyTorchJob":
        replicas = part(trial, "spec", "pytorchReplicaSpecs")
        found = _roles(replicas, f"{field}.spec.pytorchReplicaSpecs")
    else:
        return
    yield from _refused_later(one for one in found if OPEN not in one.says)


def _roles(replicas: Part, field: str) -> Iterator[Problem]:
    for role in replicas:
        yield from pod(part(replicas, role, "template", "spec"), f"{field}[{role}].template.spec", ANY_RESTART)


def _but(found: Iterator[Problem], *names: str) -> Iterator[Problem]:
    return (one for one in found if one.field.rpartition(".")[2] not in names)


def _refused_later(found: Iterator[Problem]) -> Iterator[Problem]:
    return (Problem(one.field, f"{one.says}: {LATER}") for one in found)
