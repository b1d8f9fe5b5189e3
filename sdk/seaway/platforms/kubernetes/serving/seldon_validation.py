"""What the webhook of Seldon Core refuses of a SeldonDeployment: its rules in 1.17.1, which 1.18.2 has unchanged.

It takes more than one expects: no predictors at all, a lone predictor with more than all traffic, a server that it
knows without a container. What it takes is not refused here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.validation.problem import Problem

NO_ENGINE, SERVICE_NAME = "seldon.io/no-engine", "seldon.io/svc-name"  # annotations of a predictor
FULL = 100  # per cent
PROTOCOLS = ("seldon", "tensorflow", "kfserving", "v2")
TRANSPORTS = {"rest": "REST", "grpc": "GRPC"}  # the deployment's, with what a graph's endpoints call it
SERVER_TYPES = ("rpc", "kafka")
BUILT_IN = ("SIMPLE_MODEL", "SIMPLE_ROUTER", "RANDOM_ABTEST", "AVERAGE_COMBINER")  # by the orchestrator itself
UNKNOWN, UNKNOWN_TYPE = "UNKNOWN_IMPLEMENTATION", "UNKNOWN_TYPE"
FROM_A_HUB = "HUGGINGFACE_SERVER"  # needs no modelUri
NO_TENSORFLOW = ("SKLEARN_SERVER", "XGBOOST_SERVER", "MLFLOW_SERVER", FROM_A_HUB)
KAFKA = {"KAFKA_BROKER", "KAFKA_INPUT_TOPIC", "KAFKA_OUTPUT_TOPIC"}

Part = Mapping[str, Any]


def rules(manifest: Manifest) -> Iterator[Problem]:
    """All that it refuses of an object that passes its schema."""
    spec = manifest.get("spec") or {}
    predictors = spec.get("predictors") or []
    yield from _words(spec)
    yield from _names(predictors)
    yield from _transports(spec, predictors)
    yield from _traffic(predictors)
    for index, predictor in enumerate(predictors):
        field = f"spec.predictors[{index}]"
        if spec.get("serverType") == "kafka" and not _names_topics(predictor):
            yield Problem(field, f"For kafka please supply svcOrchSpec envs {', '.join(sorted(KAFKA))}")
        if NO_ENGINE in predictor.get("annotations", {}) and predictor["graph"].get("children"):
            yield Problem(field, "Running without engine only valid for single element graphs")
        yield from _units(f"{field}.graph", predictor["graph"], predictor, spec.get("protocol", ""))


def _words(spec: Part) -> Iterator[Problem]:
    """Fields whose values are a list of words that the schema does not know."""
    for name, known in (("protocol", PROTOCOLS), ("transport", tuple(TRANSPORTS)), ("serverType", SERVER_TYPES)):
        if spec.get(name) and spec[name] not in known:
            yield Problem(f"spec.{name}", f"Invalid {name} {spec[name]!r}: one of {', '.join(known)}")


def _names(predictors: Sequence[Part]) -> Iterator[Problem]:
    names = [predictor["name"] for predictor in predictors]
    services = [text for one in predictors if (text := one.get("annotations", {}).get(SERVICE_NAME)) is not None]
    for what, given in (("predictor", names), ("service", services)):
        for twice in (text for text, count in Counter(given).items() if count > 1):
            yield Problem("spec.predictors", f"Duplicate {what} name {twice!r}")


def _transports(spec: Part, predictors: Sequence[Part]) -> Iterator[Problem]:
    """One kind of endpoint in all graphs, and the deployment's own where it names one."""
    units = [unit for predictor in predictors for unit in _graph(predictor["graph"])]
    found = {kind for unit in units if (kind := (unit.get("endpoint") or {}).get("type"))}
    if len(found) > 1:
        yield Problem("spec", f"Multiple endpoint.types found ({', '.join(sorted(found))}) - can only have 1 type")
    elif spec.get("transport") in TRANSPORTS and found & set(TRANSPORTS.values()) - {TRANSPORTS[spec["transport"]]}:
        yield Problem("spec.transport", f"Mixed transport types found: the graph has {', '.join(found)}")


def _traffic(predictors: Sequence[Part]) -> Iterator[Problem]:
    shadows = [one for one in predictors if one.get("shadow")]
    total = sum(one.get("traffic", 0) for one in predictors if not one.get("shadow"))
    if len(predictors) - len(shadows) > 1 and total != FULL:
        yield Problem("spec.predictors", f"Traffic must sum to {FULL} for multiple predictors, not to {total}")
    if len(predictors) == 1 and 0 < total < FULL:
        yield Problem("spec.predictors[0].traffic", f"Traffic must be {FULL} for a single predictor when set")
    if len(predictors) == len(shadows) == 1:
        yield Problem("spec.predictors[0].shadow", "Shadow can not exist as only predictor")
    if len(shadows) > 1:
        yield Problem("spec.predictors", "Multiple shadows are not allowed")
    if any(not 0 <= one.get("traffic", 0) <= FULL for one in shadows):
        yield Problem("spec.predictors", f"shadow traffic is illegal, it should be between 0 and {FULL}")


def _units(field: str, unit: Part, predictor: Part, protocol: str) -> Iterator[Problem]:
    """A graph's nodes: each has what it runs."""
    container = _container(predictor, unit["name"])
    implementation = unit.get("implementation") or UNKNOWN
    if implementation == UNKNOWN and container is None:
        yield Problem(f"{field}.name", f"Can't find container for Predictive Unit {unit['name']!r}")
    if implementation == UNKNOWN and unit.get("type") == UNKNOWN_TYPE and not unit.get("methods"):
        yield Problem(f"{field}.type", "Predictive Unit has no implementation methods defined")
    if implementation not in (UNKNOWN, *BUILT_IN):
        if not unit.get("modelUri") and implementation != FROM_A_HUB:
            yield Problem(f"{field}.modelUri", "Predictive unit modelUri required when using standalone servers")
        if protocol == "tensorflow" and implementation in NO_TENSORFLOW:
            yield Problem(f"{field}.implementation", f"{implementation} does not handle tensorflow protocol")
    if "logger" in unit and not (unit["logger"] or {}).get("mode"):
        yield Problem(f"{field}.logger.mode", "No logger mode specified")
    for index, child in enumerate(unit.get("children") or ()):
        yield from _units(f"{field}.children[{index}]", child, predictor, protocol)


def _graph(unit: Part) -> Iterator[Part]:
    yield unit
    for child in unit.get("children") or ():
        yield from _graph(child)


def _container(predictor: Part, name: str) -> Part | None:
    components = predictor.get("componentSpecs") or ()
    containers = [one for component in components for one in component.get("spec", {}).get("containers") or ()]
    return next((one for one in containers if one["name"] == name), None)


def _names_topics(predictor: Part) -> bool:
    given = (predictor.get("svcOrchSpec") or {}).get("env") or ()
    return {variable["name"] for variable in given} >= KAFKA
