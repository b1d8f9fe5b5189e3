"""What the webhook of KServe refuses of an InferenceService (kserve, pkg/apis/serving/v1beta1); as written for 0.20.

What depends on the cluster's own settings is not asked: the mode of an object that does not name one.
"""

import re
from collections.abc import Iterator
from itertools import chain

from seaway.platforms.kubernetes.manifests.fields import Part, at_least, entries, part, required
from seaway.platforms.kubernetes.validation.problem import Problem, short

NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
MODE, AUTOSCALER = "serving.kserve.io/deploymentMode", "serving.kserve.io/autoscalerClass"
STANDARD, KNATIVE = ("Standard", "RawDeployment"), ("Knative", "Serverless")
AUTOSCALERS = ("hpa", "external", "keda", "none")
FRAMEWORKS = (
    "xgboost", "pytorch", "triton", "sklearn", "tensorflow", "onnx", "pmml", "lightgbm", "paddle", "huggingface",
    "model",
)  # fmt: skip
COMPONENTS = ("predictor", "transformer", "explainer")
CONTAINER, BESIDE = "kserve-container", "transformer-container"
BLOCKED = "PYTHONPATH"
LOGGED = ("all", "request", "response")
FIXED = ("maxReplicas", "scaleTarget", "scaleMetric", "autoScaling")  # what a canary cannot say: it has fixed replicas
SHARDED = ("PIPELINE_PARALLEL_SIZE", "TENSOR_PARALLEL_SIZE")
WRITTEN = (  # of a metric
    *(("resource", "target", "type"), ("external", "target", "type"), ("podmetric", "target", "type")),
    *(("external", "metric", "backend"), ("podmetric", "metric", "backend")),
)
FULL = 100  # per cent


def rules(manifest: Part) -> Iterator[Problem]:
    """All that it refuses of an object of the right shape."""
    spec, annotations = part(manifest, "spec"), part(manifest, "metadata", "annotations")
    name = part(manifest, "metadata").get("name") or ""
    if name and not NAME.fullmatch(name):
        yield Problem("metadata.name", f"Invalid value: {short(name)}: must match {NAME.pattern}")
    if (scaler := annotations.get(AUTOSCALER)) is not None and scaler not in AUTOSCALERS:
        yield Problem(
            f"metadata.annotations[{AUTOSCALER}]", f"Invalid value: [{scaler}] is not a supported autoscaler class type"
        )
    for kind in COMPONENTS:
        if kind in spec or kind == "predictor":
            yield from _component(part(spec, kind), f"spec.{kind}", kind)
            yield from _scaling(part(spec, kind), f"spec.{kind}", annotations)
    predictor = part(spec, "predictor")
    yield from _predictor(predictor)
    if predictor.get("workerSpec") is not None:
        yield from _workers(predictor, annotations)
    if spec.get("canary"):
        yield from _canaries(spec, annotations)


def advice(manifest: Part) -> Iterator[Problem]:
    """What it takes, and no ServingRuntime then does: its own mutating webhook writes an empty name of the format."""
    predictors = [("spec.predictor", part(manifest, "spec", "predictor"))]
    predictors += [
        (f"{path}.predictor", part(one, "predictor")) for path, one in entries(part(manifest, "spec"), "canary", "spec")
    ]
    for field, predictor in predictors:
        if predictor.get("model") is not None and not part(predictor, "model", "modelFormat").get("name"):
            yield Problem(f"{field}.model.modelFormat.name", "no ServingRuntime takes a model whose format has no name")


def _component(component: Part, field: str, kind: str) -> Iterator[Problem]:
    found = list(_implementations(component, kind))
    if len(found) != 1:
        yield Problem(field, f"Invalid value: exactly one implementation must be set, not {len(found)}")
    yield from at_least(component, field, 0, "minReplicas", "maxReplicas", "containerConcurrency")
    least, most = component.get("minReplicas", 1), component.get("maxReplicas", 0)
    if isinstance(least, int) and isinstance(most, int) and 0 < most < least:
        yield Problem(f"{field}.minReplicas", f"Invalid value: {least}: cannot be greater than maxReplicas")
    yield from _logger(component.get("logger"), f"{field}.logger")
    yield from chain.from_iterable(_storage(one, path) for path, one in entries(component, "storageUris", field))
    if component.get("storageUris") and any(part(component, one).get("storageUri") for one in FRAMEWORKS):
        yield Problem(f"{field}.storageUris", "Invalid value: storageUri and storageUris cannot both be set")
    yield from _blocked(component, field)
    yield from _written(component, field)


def _written(component: Part, field: str) -> Iterator[Problem]:
    """What its mutating webhook writes empty although the schema calls it optional, and the server then refuses."""
    for path, volume in entries(component, "volumes", field):
        if volume.get("projected") is not None and part(volume, "projected").get("sources") is None:
            yield Problem(f"{path}.projected.sources", "Invalid value: null: must be of type array")
    for path, metric in entries(part(component, "autoScaling"), "metrics", f"{field}.autoScaling"):
        for source, owner, name in WRITTEN:
            if metric.get(source) is not None and not part(metric, source, owner).get(name):
                yield Problem(f"{path}.{source}.{owner}.{name}", 'Unsupported value: ""')


def _implementations(component: Part, kind: str) -> Iterator[str]:
    """What would answer; of containers the one that KServe knows by name, else the first of a lone custom one."""
    frameworks = [one for one in FRAMEWORKS if kind == "predictor" and component.get(one) is not None]
    frameworks += ["art"] if kind == "explainer" and component.get("art") is not None else []
    yield from frameworks
    containers = [one.get("name") for _, one in entries(component, "containers")]
    if kind != "predictor":
        yield from ["containers"] if containers else []
    else:
        named = [CONTAINER for name in containers if name == CONTAINER]
        yield from named or (["containers"] if containers and not frameworks else [])


def _logger(logger: Part | None, field: str) -> Iterator[Problem]:
    if logger is None:
        return
    if logger.get("mode") not in LOGGED:
        yield Problem(f"{field}.mode", f"Unsupported value: {short(logger.get('mode'))}: {', '.join(LOGGED)}")
    if logger.get("storage") is not None:
        yield from (
            Problem(f"{field}.storage.{name}", "Required value")
            for name in ("path", "parameters", "key")
            if part(logger, "storage").get(name) is None
        )


def _storage(one: Part, field: str) -> Iterator[Problem]:
    yield from required(one, field, "uri")
    path = one.get("mountPath")
    if isinstance(path, str) and (path == "/" or not path.startswith("/") or ".." in path):
        yield Problem(f"{field}.mountPath", f"Invalid value: {short(path)}: an absolute path below / is wanted")


def _blocked(component: Part, field: str) -> Iterator[Problem]:
    workers = part(component, "workerSpec")
    lists = [(component, field, kind) for kind in ("containers", "initContainers")]
    lists += [(workers, f"{field}.workerSpec", kind) for kind in ("containers", "initContainers")]
    containers = [each for owner, place, kind in lists for each in entries(owner, kind, place)]
    containers += [(f"{field}.{one}", part(component, one)) for one in (*FRAMEWORKS, "art")]
    for path, container in containers:
        for place, variable in entries(container, "env", path):
            if variable.get("name") == BLOCKED:
                yield Problem(f"{place}.name", f"Forbidden: setting {BLOCKED} is not allowed for security reasons")


def _scaling(component: Part, field: str, annotations: Part) -> Iterator[Problem]:
    """By who scales it, where the object says who does."""
    metric, target = component.get("scaleMetric"), component.get("scaleTarget")
    scaler = annotations.get(AUTOSCALER) if annotations.get(MODE) in STANDARD else ""
    if scaler == "hpa":
        if metric not in (None, "cpu", "memory"):
            yield Problem(f"{field}.scaleMetric", f"Invalid value: [{metric}] is not a supported metric")
        if isinstance(target, int) and (target > FULL or (target < 1 and metric != "memory")):
            yield Problem(f"{field}.scaleTarget", f"Invalid value: {target}: a percentage of 1 to {FULL} is wanted")
    if scaler == "keda" and metric is not None:
        yield Problem(f"{field}.scaleMetric", "Invalid value: ScaleMetric is not supported for KEDA")
    if annotations.get(MODE) in KNATIVE and component.get("deploymentStrategy") is not None:
        says = "Forbidden: customizing deploymentStrategy is only supported for raw deployment mode"
        yield Problem(f"{field}.deploymentStrategy", says)


def _predictor(predictor: Part) -> Iterator[Problem]:
    for framework in FRAMEWORKS:
        if part(predictor, framework).get("name"):
            field = f"spec.predictor.{framework}.name"
            yield Problem(field, "Forbidden: the 'name' field is not allowed in standard predictor")
    for path, container in entries(predictor, "containers", "spec.predictor"):
        named = {one.get("name"): one for _, one in entries(container, "env")}
        if container.get("name") == BESIDE and "STORAGE_URI" in named:
            yield Problem(f"{path}.env", "Forbidden: STORAGE_URI must not be set in the transformer container")


def _workers(predictor: Part, annotations: Part) -> Iterator[Problem]:
    """Several nodes of one model."""
    field, workers, model = "spec.predictor.workerSpec", part(predictor, "workerSpec"), part(predictor, "model")
    if len(entries(workers, "containers")) > 1:
        yield Problem(f"{field}.containers", "Invalid value: workerSpec must not contain more than one container")
    yield from at_least(workers, field, 1, "pipelineParallelSize", "tensorParallelSize")
    if predictor.get("model") is None:
        return
    for path, variable in entries(model, "env", "spec.predictor.model"):
        if variable.get("name") in SHARDED:
            yield Problem(f"{path}.name", f"Forbidden: {variable['name']} must be set in workerSpec")
    kind = str(model.get("storageUri") or "").partition("://")[0]
    if kind not in ("pvc", "oci"):
        yield Problem(
            "spec.predictor.model.storageUri", "Invalid value: with workerSpec it must be of pvc:// or oci://"
        )
    if annotations.get(AUTOSCALER) != "none":
        yield Problem(f"metadata.annotations[{AUTOSCALER}]", "Required value: must be none beside workerSpec")


def _canaries(spec: Part, annotations: Part) -> Iterator[Problem]:
    stable, found = part(spec, "predictor"), entries(spec, "canary", "spec")
    if annotations.get(MODE, STANDARD[0]) not in STANDARD:
        yield Problem("spec.canary", "Forbidden: canary is only supported in Standard deployment mode")
    uris = [part(stable, one).get("storageUri") for one in FRAMEWORKS]
    if stable.get("model") is None and not any(uris):
        yield Problem("spec.canary", "Forbidden: canary requires a stable predictor with a model")
    yield from chain.from_iterable(_canary(part(one, "predictor"), f"{path}.predictor", stable) for path, one in found)
    names = [stable.get("name"), *(part(one, "predictor").get("name") for _, one in found)]
    for index, (path, one) in enumerate(found):
        name, share = part(one, "predictor").get("name"), one.get("trafficPercent")
        if name and name in names[: index + 1]:
            yield Problem(f"{path}.predictor.name", f"Duplicate value: {short(name)}")
        if isinstance(share, int) and not 0 <= share <= FULL:
            yield Problem(f"{path}.trafficPercent", f"Invalid value: {share}: must be between 0 and {FULL}")
    shares = [one["trafficPercent"] for _, one in found if isinstance(one.get("trafficPercent"), int)]
    if sum(shares) > FULL:
        yield Problem(
            "spec.canary", f"Invalid value: the canaries' trafficPercent add up to {sum(shares)}, not to 100 or less"
        )


def _canary(predictor: Part, field: str, stable: Part) -> Iterator[Problem]:
    yield from required(predictor, field, "name")
    yield from _component(predictor, field, "predictor")
    if predictor.get("workerSpec") is not None:
        yield Problem(f"{field}.workerSpec", "Forbidden: multi-node is not supported for canary")
    for name in FIXED:
        if predictor.get(name) not in (None, 0) or (name == "scaleTarget" and predictor.get(name) == 0):
            yield Problem(f"{field}.{name}", "Forbidden: canary uses fixed replicas")
    least, most = predictor.get("minReplicas", 0), stable.get("minReplicas", 1)
    if isinstance(least, int) and isinstance(most, int) and least > most:
        yield Problem(f"{field}.minReplicas", f"Invalid value: {least}: must not exceed stable predictor minReplicas")
