"""What a cluster would say of an object: refused, or taken although it will not do what it says."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from seaway.platforms.kubernetes.manifests import (
    builtin_rules,
    istio_rules,
    kserve_rules,
    template_rules,
    training_rules,
)
from seaway.platforms.kubernetes.manifests.documents import Document, documents
from seaway.platforms.kubernetes.manifests.kinds import Kinds, carried
from seaway.platforms.kubernetes.serving import seldon_validation
from seaway.platforms.kubernetes.serving.kserve import INFERENCE_SERVICES
from seaway.platforms.kubernetes.traffic import gateway_api, istio
from seaway.platforms.kubernetes.traffic.seldon_operator import SELDON_DEPLOYMENTS
from seaway.platforms.kubernetes.training import pytorchjob, rayjob, trainjob
from seaway.platforms.kubernetes.tuning import experiment, experiment_validation, suggestion_validation
from seaway.platforms.kubernetes.validation.problem import Problem, Rule

REFUSED: Mapping[tuple[str, str], Rule] = {  # beside the schema, by group and kind
    **builtin_rules.RULES,
    **istio_rules.RULES,
    (pytorchjob.RESOURCE.group, "PyTorchJob"): training_rules.pytorchjob_rules,
    (trainjob.GROUP, "TrainJob"): training_rules.trainjob_rules,
    (rayjob.RESOURCE.group, "RayJob"): rayjob.rules,
    (trainjob.GROUP, "TrainingRuntime"): trainjob.runtime_rules,
    (trainjob.GROUP, "ClusterTrainingRuntime"): trainjob.runtime_rules,
    (experiment.RESOURCE.group, "Experiment"): experiment_validation.rules,
    (INFERENCE_SERVICES.group, "InferenceService"): kserve_rules.rules,
    (SELDON_DEPLOYMENTS.group, "SeldonDeployment"): seldon_validation.rules,
}
FILLED = {
    (INFERENCE_SERVICES.group, "InferenceService")
}  # kinds whose webhook writes them anew before the server looks
ADVISED: Mapping[tuple[str, str], Sequence[Rule]] = {
    (istio.VIRTUAL_SERVICES.group, "VirtualService"): (istio.weight_problems,),
    (gateway_api.HTTP_ROUTES.group, "HTTPRoute"): (gateway_api.weight_problems,),
    (experiment.RESOURCE.group, "Experiment"): (suggestion_validation.rules, template_rules.trials),
    (pytorchjob.RESOURCE.group, "PyTorchJob"): (template_rules.pytorchjob,),
    (trainjob.GROUP, "TrainJob"): (training_rules.trainjob_advice,),
    (rayjob.RESOURCE.group, "RayJob"): (template_rules.rayjob,),
    (trainjob.GROUP, "TrainingRuntime"): (template_rules.training_runtime,),
    (trainjob.GROUP, "ClusterTrainingRuntime"): (template_rules.training_runtime,),
    (SELDON_DEPLOYMENTS.group, "SeldonDeployment"): (template_rules.seldon_deployment,),
    (INFERENCE_SERVICES.group, "InferenceService"): (kserve_rules.advice,),
}


@dataclass(frozen=True)
class Verdict:
    """Of one object. `by` says whose word it is, such as Istio 1.31; empty where nobody here knows the kind."""

    document: Document
    name: str
    by: str = ""
    refused: Sequence[Problem] = ()
    advised: Sequence[Problem] = ()


def judged(place: str, kinds: Kinds = carried) -> Iterator[Verdict]:
    """Of each object of a file, a folder or standard input (`-`). Raises: InvalidSpec: there is nothing to read."""
    return (judge(document, kinds) for document in documents(place))


def judge(document: Document, kinds: Kinds = carried) -> Verdict:
    """By what is known of its kind."""
    if document.broken:
        return Verdict(document, "no object", "YAML", (Problem("", document.broken),))
    value, kind = document.value, _identity(document.value)
    if not isinstance(value, Mapping) or not all(kind):
        says = "Required value: apiVersion and kind say what it is"
        return Verdict(document, _name(value), "Kubernetes", (Problem("", says),))
    known = kinds(*kind)
    if known is None:
        return Verdict(document, _name(value))
    place = (known.structure.resource.group, known.structure.resource.kind)
    if place in FILLED:
        value = known.structure.filled(value)
    refused = known.structure.problems(value, [REFUSED[place]] if place in REFUSED else ())
    rules = () if refused else ADVISED.get(place, ())
    read = known.structure.read(value) if rules else value
    return Verdict(document, _name(value), known.by, refused, [problem for rule in rules for problem in rule(read)])


def _identity(value: Any) -> tuple[str, str]:
    texts = [value.get(key) for key in ("apiVersion", "kind")] if isinstance(value, Mapping) else ["", ""]
    api_version, kind = (text if isinstance(text, str) else "" for text in texts)
    return api_version, kind


def _name(value: Any) -> str:
    """`Kind name`, as far as they are there."""
    if not isinstance(value, Mapping):
        return "no object"
    metadata = value.get("metadata")
    name = metadata.get("name") or metadata.get("generateName") if isinstance(metadata, Mapping) else ""
    return " ".join(str(text) for text in (value.get("kind"), name) if text) or "no object"
