"""What the webhooks of Kubeflow's training refuse of other people's jobs, beside the rules that our own jobs must pass.

As written for training operator 1.9 and Trainer 2.3 (pkg/webhooks, and Trainer's pkg/runtime/framework/plugins).
"""

import re
from collections.abc import Iterator

from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.manifests.fields import entries, part
from seaway.platforms.kubernetes.training import pytorchjob, trainjob
from seaway.platforms.kubernetes.validation.problem import Problem, short

MANAGERS = ("kubeflow.org/training-operator", "kueue.x-k8s.io/multikueue")
RUNTIMES = ("TrainingRuntime", "ClusterTrainingRuntime")
PATCHED = ("node", "dataset-initializer", "model-initializer")  # whose variables the TrainJob itself says
DOMAIN_PATH = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/[^/\s].*")


def pytorchjob_rules(manifest: Manifest) -> Iterator[Problem]:
    """A PyTorchJob."""
    yield from pytorchjob.rules(manifest)
    spec, replicas = part(manifest, "spec"), part(manifest, "spec", "pytorchReplicaSpecs")
    if spec.get("elasticPolicy") is not None and "Worker" not in replicas:
        yield Problem(
            "spec.pytorchReplicaSpecs[Worker]", "Required value: must be configured if elastic policy is used"
        )
    workers = part(replicas, "Worker").get("replicas")
    if isinstance(workers, int) and workers < 1:
        yield Problem("spec.pytorchReplicaSpecs[Worker].replicas", "Forbidden: must be at least 1")
    manager = part(spec, "runPolicy").get("managedBy")
    if manager is not None and manager not in MANAGERS:
        says = f"Unsupported value: {short(manager)}: supported values: {', '.join(MANAGERS)}"
        yield Problem("spec.runPolicy.managedBy", says)


def trainjob_rules(manifest: Manifest) -> Iterator[Problem]:
    """A TrainJob; what only its runtime can tell is asked where the runtime's name tells it."""
    reference = part(manifest, "spec", "runtimeRef")
    group, kind = reference.get("apiGroup", trainjob.GROUP), reference.get("kind", RUNTIMES[1])
    if group != trainjob.GROUP or kind not in RUNTIMES:
        yield Problem("spec.runtimeRef", f"Invalid value: unsupported runtime: {kind}.{group}")
    if of_torch(manifest):
        yield from trainjob.rules(manifest)
    for path, patch in entries(part(manifest, "spec"), "runtimePatches", "spec"):
        if not DOMAIN_PATH.fullmatch(str(patch.get("manager") or "")):
            yield Problem(f"{path}.manager", "Invalid value: must be a domain-prefixed path, such as example.org/team")
        yield from _patched(part(patch, "trainingRuntimeSpec", "template", "spec"), path)


def of_torch(manifest: Manifest) -> bool:
    """Whether the runtime is one for PyTorch, as far as its name says."""
    return "torch" in str(part(manifest, "spec", "runtimeRef").get("name"))


def trainjob_advice(manifest: Manifest) -> Iterator[Problem]:
    """What is refused if the runtime is one for PyTorch after all."""
    if not of_torch(manifest):
        yield from trainjob.rules(manifest)


def _patched(spec: Manifest, field: str) -> Iterator[Problem]:
    below = f"{field}.trainingRuntimeSpec.template.spec"
    for path, job in entries(spec, "replicatedJobs", below):
        pod = part(job, "template", "spec", "template", "spec")
        for place, container in entries(pod, "containers", f"{path}.template.spec.template.spec"):
            if container.get("env") and container.get("name") in PATCHED:
                yield Problem(
                    f"{place}.env", f"Invalid value: must not have envs for the {container['name']} container"
                )
