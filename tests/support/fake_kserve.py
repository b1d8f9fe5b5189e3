"""KServe's controller in Standard mode, played: an InferenceService has a Deployment called NAME-predictor."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from controllers import playing
from fake_workloads import Writer, set_status
from seaway.platforms.kubernetes.client.objects import Objects
from seaway.platforms.kubernetes.client.resources import DEPLOYMENTS, Manifest
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES

ITS_OWN = ("minReplicas", "maxReplicas", "deploymentStrategy", "scaleMetric", "scaleTarget", "labels", "annotations")


@dataclass
class KServe:
    """Reconciles the InferenceServices of a namespace."""

    objects: Objects
    writer: Writer = field(init=False)

    def __post_init__(self) -> None:
        self.writer = Writer(self.objects)

    def played(self) -> AbstractContextManager[None]:
        return playing(self.reconcile)

    def reconcile(self) -> None:
        for found in self.objects.list(INFERENCE_SERVICES).items:
            if "deletionTimestamp" not in found["metadata"]:
                self.take(found)

    def take(self, found: Manifest) -> None:
        predictor, metadata = found["spec"]["predictor"], found["metadata"]
        name = f"{metadata['name']}-predictor"
        owner = {"apiVersion": INFERENCE_SERVICES.api_version, "kind": INFERENCE_SERVICES.kind}
        owner |= {"name": metadata["name"], "uid": metadata["uid"], "controller": True, "blockOwnerDeletion": True}
        template = {
            "metadata": {"labels": {"app": f"isvc.{name}", **predictor["labels"]}},
            "spec": {key: value for key, value in predictor.items() if key not in ITS_OWN},
        }
        selector = {"matchLabels": {"app": f"isvc.{name}"}}
        manifest = {
            "apiVersion": DEPLOYMENTS.api_version,
            "kind": DEPLOYMENTS.kind,
            "metadata": {"name": name, "ownerReferences": [owner]},
            "spec": {"replicas": predictor["minReplicas"], "selector": selector, "template": template},
        }
        self.writer.apply(DEPLOYMENTS, manifest)
        told = {"observedGeneration": metadata["generation"]}
        if found.get("status") != told:
            item = {"apiVersion": INFERENCE_SERVICES.api_version, "kind": INFERENCE_SERVICES.kind, **found}
            set_status(self.objects, item, INFERENCE_SERVICES, told)
