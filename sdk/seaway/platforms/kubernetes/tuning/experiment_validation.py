"""What Katib's admission webhook refuses in an Experiment (kubeflow.org/v1beta1, Katib 0.19).

Its CRD has no schema, so all that a schema would say is here too. The rules follow `pkg/webhook/v1beta1/experiment` of
Katib 0.19; its webhook judges an object after it has filled in defaults, and so do they. What the webhook takes and a
later part of Katib then fails on is in `suggestion_rules`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from kubernetes import client

from seaway.platforms.kubernetes.client.resources import Manifest
from seaway.platforms.kubernetes.validation.problem import Problem

LONGEST_NAME = 40  # Katib 0.19; it appends a trial's and an algorithm's name
PARALLEL = 3  # trials at once where nothing is said
NEVER_RESUMED = "Never"
RESTARTABLE = ("LongRunning", "FromVolume")
PARAMETER_TYPES = ("double", "int", "discrete", "categorical", "unknown")
NUMERIC, LISTED = ("double", "int"), ("discrete", "categorical")
DISTRIBUTIONS = ("uniform", "logUniform", "normal", "logNormal", "unknown")
ALGORITHMS = (  # of Katib's own katib-config
    "random", "tpe", "grid", "hyperband", "bayesianoptimization", "cmaes", "sobol", "multivariate-tpe", "enas", "darts",
    "pbt",
)  # fmt: skip
EARLY_STOPPING = ("medianstop",)
METRICS_FILE, EVENTS_FOLDER = "/var/log/katib/metrics.log", "/var/log/katib/tfevent/"
METRICS_PORT = 8080
PLACEHOLDER = "${{trialParameters.{}}}"
LEFT_OVER = re.compile(r"\$\{trialParameters\..+?\}")
OF_TRIAL = re.compile(r"\$\{trialSpec\.(.+?)\}")
INDEXED = re.compile(r"(.+)\[(.+)]")
TRIAL_FIELDS = ("Name", "Namespace", "Kind", "APIVersion", "Annotations", "Labels")
TWO_GROUPS = re.compile(r".*\(.*\).*\(.*\).*")
NOT_IN_RE2 = re.compile(r"\(\?(=|!|<=|<!|>|\()|\\[1-9]")  # github.com/google/re2/wiki/Syntax
SPECIAL_IN_GO = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}  # as encoding/json writes them
JOBS = {  # conditions that stand for success and failure where nothing is said
    "Job": ("Complete", "Failed"),
    "TrainJob": ("Complete", "Failed"),
    **dict.fromkeys(("TFJob", "PyTorchJob", "XGBoostJob", "MPIJob"), ("Succeeded", "Failed")),
}


def rules(manifest: Manifest) -> Iterator[Problem]:
    """All that the webhook refuses in a new Experiment."""
    spec = defaulted(manifest.get("spec") or {})
    yield from name_rule(manifest["metadata"]["name"])
    yield from count_rules(spec)
    yield from objective_rules(spec.get("objective"))
    yield from algorithm_rules("spec.algorithm", spec.get("algorithm"), ALGORITHMS)
    if spec.get("earlyStopping") is not None:
        yield from algorithm_rules("spec.earlyStopping", spec["earlyStopping"], EARLY_STOPPING)
    yield from resume_rule(spec["resumePolicy"])
    yield from template_rules(spec)
    yield from space_rules(spec)
    yield from collector_rules(spec["metricsCollectorSpec"])


def update_rules(old: Manifest, new: Manifest) -> Iterator[Problem]:
    """What the webhook refuses of a change, beside what it refuses in a new Experiment; `old` has its status."""
    before, after = defaulted(old["spec"]), defaulted(new["spec"])
    if before == after:
        return
    if _completed(old) and not _restartable(old, before):
        yield Problem(
            "spec.resumePolicy",
            f'Invalid value: "{after["resumePolicy"]}": Experiment can be restarted if it is in succeeded state by '
            f"reaching max trials and spec.resumePolicy = {RESTARTABLE[0]} or {RESTARTABLE[1]}",
        )
    trials = old.get("status", {}).get("trials", 0)
    if after.get("maxTrialCount") is not None and after["maxTrialCount"] <= trials:
        yield _invalid("spec.maxTrialCount", after["maxTrialCount"], f"must be greater than status.trials ({trials})")
    editable = ("parallelTrialCount", "maxTrialCount", "maxFailedTrialCount")
    if _without(before, editable) != _without(after, editable):
        yield Problem("spec", f"Forbidden: only {', '.join(f'spec.{name}' for name in editable)} are editable")


def defaulted(spec: Manifest) -> dict[str, Any]:
    """The spec as the webhook completes it before it judges."""
    spec = {name: value for name, value in spec.items() if value is not None}
    return {
        **spec,
        "parallelTrialCount": spec.get("parallelTrialCount", PARALLEL),
        "resumePolicy": spec.get("resumePolicy") or NEVER_RESUMED,
        "metricsCollectorSpec": _defaulted_collector(spec.get("metricsCollectorSpec") or {}),
        **({"trialTemplate": _defaulted_template(spec["trialTemplate"])} if "trialTemplate" in spec else {}),
    }


def _defaulted_template(template: Manifest) -> dict[str, Any]:
    kind = (template.get("trialSpec") or {}).get("kind")
    conditions = JOBS.get(kind) if isinstance(kind, str) else None
    if not conditions:
        return dict(template)
    fields = zip(("successCondition", "failureCondition"), map(condition_of, conditions), strict=True)
    return {**template, **{field: template.get(field) or condition for field, condition in fields}}


def condition_of(kind: str) -> str:
    """The GJSON expression that selects the condition of this type where it holds."""
    return f'status.conditions.#(type=="{kind}")#|#(status=="True")#'


def _defaulted_collector(collector: Manifest) -> dict[str, Any]:
    kind = (collector.get("collector") or {"kind": "StdOut"}).get("kind", "")
    source = dict(collector.get("source") or {})
    if kind == "PrometheusMetric":
        endpoint = source.get("httpGet") or {}
        port = endpoint.get("port")
        source["httpGet"] = {
            **endpoint,
            "path": endpoint.get("path") or "/metrics",
            "port": METRICS_PORT if port in (None, 0, "0") else port,
        }
    if kind == "File":
        given = {name: value for name, value in (source.get("fileSystemPath") or {}).items() if value}
        source["fileSystemPath"] = {"kind": "File", "path": METRICS_FILE, "format": "TEXT", **given}
    if kind == "TensorFlowEvent":
        given = {name: value for name, value in (source.get("fileSystemPath") or {}).items() if value}
        source["fileSystemPath"] = {"kind": "Directory", "path": EVENTS_FOLDER, **given}
    return {"collector": {"kind": "StdOut"}, **collector, **({"source": source} if source else {})}


def name_rule(name: str) -> Iterator[Problem]:
    if not re.match("[a-z]", name) or len(name) > LONGEST_NAME:
        yield _invalid(
            "metadata.name",
            name,
            f"name must consist of lower case alphanumeric characters or '-', start with an alphabetic character and "
            f"may not be longer than {LONGEST_NAME} characters",
        )


def count_rules(spec: Manifest) -> Iterator[Problem]:
    failed, most, parallel = (spec.get(name) for name in ("maxFailedTrialCount", "maxTrialCount", "parallelTrialCount"))
    if failed is not None and failed < 0:
        yield _invalid("spec.maxFailedTrialCount", failed, "should not be less than 0")
    if most is not None and most <= 0:
        yield _invalid("spec.maxTrialCount", most, "must be greater than 0")
    if parallel is not None and parallel <= 0:
        yield _invalid("spec.parallelTrialCount", parallel, "must be greater than 0")
    for name, count in (("maxFailedTrialCount", failed), ("parallelTrialCount", parallel)):
        if count is not None and most is not None and count > most:
            yield _invalid(f"spec.{name}", count, "should be less than or equal to spec.maxTrialCount")


def objective_rules(objective: Manifest | None) -> Iterator[Problem]:
    where = "spec.objective"
    if objective is None:
        yield _required(where)
        return
    if objective.get("type") not in ("minimize", "maximize"):
        yield _invalid(f"{where}.type", objective.get("type", ""), "must be minimize or maximize")
    metric = objective.get("objectiveMetricName", "")
    if not metric:
        yield _required(f"{where}.objectiveMetricName")
    others = objective.get("additionalMetricNames") or ()
    if metric in others:
        yield _invalid(
            f"{where}.additionalMetricNames", list(others), f"should not contain {where}.objectiveMetricName"
        )


def algorithm_rules(where: str, algorithm: Manifest | None, known: tuple[str, ...]) -> Iterator[Problem]:
    """Of the algorithm, or of early stopping: the cluster's katib-config names those that there are."""
    if algorithm is None:
        yield _required(where)
        return
    name = algorithm.get("algorithmName", "")
    if not name:
        yield _required(f"{where}.algorithmName")
    elif name not in known:
        yield Problem(f"{where}.algorithmName", f'Invalid value: "{name}": Katib brings: {", ".join(known)}')


def resume_rule(policy: str) -> Iterator[Problem]:
    known = (NEVER_RESUMED, *RESTARTABLE)
    if policy not in known:
        yield _invalid("spec.resumePolicy", policy, f"invalid ResumePolicyType, there are: {', '.join(known)}")


def space_rules(spec: Manifest) -> Iterator[Problem]:
    parameters, nas = spec.get("parameters") or (), spec.get("nasConfig")
    if not parameters and nas is None:
        yield Problem("spec", "Required value: spec.parameters or spec.nasConfig must be specified")
    if parameters and nas is not None:
        yield Problem("spec", "Invalid value: only one of spec.parameters and spec.nasConfig can be specified")
    for index, parameter in enumerate(parameters):
        yield from parameter_rules(f"spec.parameters[{index}]", parameter)


def parameter_rules(where: str, parameter: Manifest) -> Iterator[Problem]:
    kind, space = parameter.get("parameterType", ""), parameter.get("feasibleSpace") or {}
    if kind not in PARAMETER_TYPES:
        yield _invalid(f"{where}.parameterType", kind, f"parameterType: {kind} is not supported")
    distribution = space.get("distribution", "")
    if distribution and distribution not in DISTRIBUTIONS:
        yield _invalid(f"{where}.feasibleSpace.distribution", distribution, "distribution is not supported")
    given = [name for name in ("min", "max", "step", "list") if space.get(name)]
    if kind in NUMERIC:
        if "list" in given:
            yield _invalid(f"{where}.feasibleSpace.list", space["list"], f"not supported for parameterType: {kind}")
        if not {"min", "max"} <= set(given):
            yield Problem(
                f"{where}.feasibleSpace.max",
                f"Required value: feasibleSpace.max and feasibleSpace.min must be specified for parameterType: {kind}",
            )
    elif kind in LISTED and set(given) & {"min", "max", "step"}:
        yield _invalid(
            f"{where}.feasibleSpace",
            ", ".join(given),
            f".max, .min and .step is not supported for parameterType: {kind}",
        )


def template_rules(spec: Manifest) -> Iterator[Problem]:
    where, template = "spec.trialTemplate", spec.get("trialTemplate")
    if template is None:
        yield _required(where)
        return
    if not template.get("primaryContainerName"):
        yield _required(f"{where}.primaryContainerName")
    if not (template.get("successCondition") and template.get("failureCondition")):
        yield Problem(where, "Required value: successCondition and failureCondition must be specified")
    if not template.get("trialParameters"):
        yield _required(f"{where}.trialParameters")
        return
    if wrong := list(_source_rules(where, template)):
        yield from wrong
    elif template.get("trialSpec") is not None:
        yield from _trial_parameter_rules(spec, template)


def _source_rules(where: str, template: Manifest) -> Iterator[Problem]:
    trial, config = template.get("trialSpec"), template.get("configMap")
    if trial is None and config is None:
        yield Problem(
            f"{where}.trialSpec",
            "Required value: spec.trialTemplate.trialSpec or spec.trialTemplate.configMap must be specified",
        )
    elif trial is not None and config is not None:
        yield Problem(where, "Required value: only one of trialSpec or configMap can be specified")
    elif config is not None and not all(
        config.get(name) for name in ("configMapName", "configMapNamespace", "templatePath")
    ):
        yield Problem(
            f"{where}.configMap",
            "Required value: configMapName, configMapNamespace and templatePath must be specified",
        )


def _trial_parameter_rules(spec: Manifest, template: Manifest) -> Iterator[Problem]:
    """Every placeholder of the template has its parameter, every parameter its placeholder."""
    text, names, references = as_go_writes(template["trialSpec"]), set[str](), set[str]()
    known = {parameter.get("name", "") for parameter in spec.get("parameters") or ()}
    for index, parameter in enumerate(template["trialParameters"]):
        where = f"spec.trialTemplate.trialParameters[{index}]"
        name, reference = parameter.get("name", ""), parameter.get("reference", "")
        if not name or not reference or set("{}") & set(name):
            yield Problem(where, "Invalid value: name and reference must be specified and name must not contain braces")
            continue
        for field, value, taken in (("name", name, names), ("reference", reference, references)):
            if value in taken:
                yield _invalid(f"{where}.{field}", value, "can't be duplicated in spec.trialTemplate.trialParameters")
        if name in names or reference in references:
            continue
        names.add(name)
        references.add(reference)
        if known and reference not in known and not refers_to_trial(reference):
            yield _invalid(f"{where}.reference", reference, "does not exist in spec.parameters")
        if PLACEHOLDER.format(name) not in text:
            yield _invalid(f"{where}.name", name, "not found in spec.trialTemplate")
            return
        text = text.replace(PLACEHOLDER.format(name), "test-value")
    if left := LEFT_OVER.findall(text):
        yield Problem("spec.trialTemplate", f"Invalid value: {', '.join(left)} not found in trialParameters")
    yield from _trial_rules(json.loads(text))


def as_go_writes(value: Any) -> str:
    """JSON as Katib sees the template when it looks for placeholders."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return "".join(SPECIAL_IN_GO.get(letter, letter) for letter in text)


def refers_to_trial(reference: str) -> bool:
    """Whether a reference is to the trial's own metadata, such as `${trialSpec.Name}`."""
    found = OF_TRIAL.search(reference)
    if not found:
        return False
    indexed = INDEXED.search(found[1])
    return (indexed[1] if indexed else found[1]) in TRIAL_FIELDS


def _trial_rules(trial: Manifest) -> Iterator[Problem]:
    where, metadata = "spec.trialTemplate", trial.get("metadata")
    if not isinstance(metadata, Mapping | None):
        yield Problem(f"{where}.trialSpec.metadata", "Invalid value: must be an object")
    elif metadata and (metadata.get("name") or metadata.get("namespace")):
        yield Problem(where, "Invalid value: metadata.name and metadata.namespace of the trial must be omitted")
    if not trial.get("apiVersion") or not trial.get("kind"):
        yield Problem(where, "Required value: APIVersion and Kind of the trial must be specified")
    if (trial.get("apiVersion"), trial.get("kind")) == ("batch/v1", "Job"):
        for field in unknown_fields(trial, "V1Job", "trialSpec"):
            yield Problem(f"{where}.{field}", "Invalid value: unable to convert to Job")


def unknown_fields(value: Any, kind: str, where: str) -> Iterator[str]:
    """Paths in `value` that the Kubernetes type `kind`, as its Python client names it, does not have."""
    if found := re.fullmatch(r"list\[(\w+)\]", kind):
        for index, entry in enumerate(value if isinstance(value, list) else ()):
            yield from unknown_fields(entry, found[1], f"{where}[{index}]")
        return
    model = getattr(client, kind, None)
    if model is None or not isinstance(value, Mapping):
        return
    types = {model.attribute_map[name]: below for name, below in model.openapi_types.items()}
    for name, below in value.items():
        if name not in types:
            yield f"{where}.{name}"
        else:
            yield from unknown_fields(below, types[name], f"{where}.{name}")


def collector_rules(collector: Manifest) -> Iterator[Problem]:
    kind = (collector["collector"] or {}).get("kind", "")
    source = collector.get("source") or {}
    if kind not in COLLECTORS:
        yield _invalid("spec.metricsCollectorSpec.collector.kind", kind, f"there are: {', '.join(COLLECTORS)}")
        return
    yield from COLLECTORS[kind](collector, source)
    if kind not in UNFILTERED:
        yield from filter_rules(source)


SOURCE = "spec.metricsCollectorSpec.source"


def _no_rule(collector: Manifest, source: Manifest) -> Iterator[Problem]:
    yield from ()


def file_rule(collector: Manifest, source: Manifest) -> Iterator[Problem]:
    path = source["fileSystemPath"]
    if path["kind"] != "File" or not path["path"].startswith("/"):
        yield Problem(
            f"{SOURCE}.fileSystemPath.path", "Required value: file path where metrics file exists is required"
        )
    if path["format"] not in ("TEXT", "JSON"):
        yield Problem(f"{SOURCE}.fileSystemPath.format", "Required value: format of metrics file, TEXT or JSON")
    if path["format"] == "JSON" and source.get("filter") is not None:
        yield Problem(f"{SOURCE}.filter", "Invalid value: filter must be nil when format of metrics file is JSON")


def events_rule(collector: Manifest, source: Manifest) -> Iterator[Problem]:
    path = source["fileSystemPath"]
    if path["kind"] != "Directory" or not path["path"].startswith("/"):
        yield Problem(SOURCE, "Required value: directory path where tensorflow event files exist is required")
    if path.get("format"):
        yield _invalid(f"{SOURCE}.fileSystemPath.format", path["format"], "must be empty")


def prometheus_rule(collector: Manifest, source: Manifest) -> Iterator[Problem]:
    endpoint = source["httpGet"]
    if not re.fullmatch(r"\+?0*[1-9]\d*", str(endpoint["port"])):
        yield _invalid(f"{SOURCE}.httpGet.port", endpoint["port"], "must be a positive integer value")
    if not endpoint["path"].startswith("/"):
        yield _invalid(f"{SOURCE}.httpGet.path", endpoint["path"], "path is invalid for PrometheusMetric")


def custom_rule(collector: Manifest, source: Manifest) -> Iterator[Problem]:
    if collector["collector"].get("customCollector") is None:
        yield _required("spec.metricsCollectorSpec.collector.customCollector")
    path = source.get("fileSystemPath")
    if path is not None and (not path.get("path", "").startswith("/") or path.get("kind") not in ("File", "Directory")):
        yield Problem(f"{SOURCE}.fileSystemPath", "Invalid value: path must be absolute, kind File or Directory")


COLLECTORS = {
    "StdOut": _no_rule,
    "Push": _no_rule,
    "File": file_rule,
    "TensorFlowEvent": events_rule,
    "PrometheusMetric": prometheus_rule,
    "Custom": custom_rule,
}


UNFILTERED = ("StdOut", "Push")  # whose filters the webhook does not look at


def filter_rules(source: Manifest) -> Iterator[Problem]:
    for expression in (source.get("filter") or {}).get("metricsFormat") or ():
        yield from filter_rule(expression)


def filter_rule(expression: str) -> Iterator[Problem]:
    """The first group of a match is the metric's name, the second its value; the expression is one of Go's."""
    where = f"{SOURCE}.filter.metricsFormat"
    try:
        re.compile(expression)
    except re.error as error:
        yield _invalid(where, expression, f"invalid filter: {error}")
        return
    if NOT_IN_RE2.search(expression):
        yield _invalid(where, expression, "invalid filter: Go has no lookaround and no back-references")
    elif not TWO_GROUPS.search(expression):
        yield _invalid(where, expression, "two top subexpressions are required")


def _completed(experiment: Manifest) -> bool:
    return any(_holds(experiment, kind) for kind in ("Succeeded", "Failed"))


def _restartable(experiment: Manifest, spec: Manifest) -> bool:
    return _holds(experiment, "Succeeded", "ExperimentMaxTrialsReached") and spec["resumePolicy"] in RESTARTABLE


def _holds(experiment: Manifest, kind: str, reason: str = "") -> bool:
    conditions = experiment.get("status", {}).get("conditions") or ()
    return any(
        entry["type"] == kind and entry["status"] == "True" and reason in ("", entry.get("reason"))
        for entry in conditions
    )


def _without(spec: Manifest, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: value for name, value in spec.items() if name not in names}


def _invalid(field: str, value: Any, says: str) -> Problem:
    return Problem(field, f"Invalid value: {json.dumps(value)}: {says}")


def _required(field: str) -> Problem:
    return Problem(field, "Required value: must be specified")
