"""KServe's controller in Standard mode, played: an InferenceService has a Deployment called NAME-predictor."""

from fake_workloads import Operator, set_status
from seaway.platforms.kubernetes.client.resources import DEPLOYMENTS, Manifest
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES

ITS_OWN = ("minReplicas", "maxReplicas", "deploymentStrategy", "scaleMetric", "scaleTarget", "labels", "annotations")


class KServe(Operator):
    """Reconciles the InferenceServices of a namespace."""

    resource = INFERENCE_SERVICES

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
