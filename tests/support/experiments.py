"""Each rule by which Katib refuses an Experiment, broken once, and what it takes: held against us and against Katib."""

from collections.abc import Callable
from typing import Any

Break = Callable[[dict[str, Any]], None]


def valid() -> dict[str, Any]:
    """An Experiment that every version of Katib takes."""
    double = {"name": "lr", "parameterType": "double", "feasibleSpace": {"min": "0.01", "max": "0.1", "step": "0.01"}}
    integer = {"name": "layers", "parameterType": "int", "feasibleSpace": {"min": "1", "max": "9"}}
    choice = {"name": "optimizer", "parameterType": "categorical", "feasibleSpace": {"list": ["adam", "sgd"]}}
    names = ("lr", "layers", "optimizer")
    variables = [{"name": name, "value": f"${{trialParameters.{name}}}"} for name in names]
    container = {"name": "main", "image": "docker.io/x/y:1", "env": variables}
    job = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    return {
        "apiVersion": "kubeflow.org/v1beta1",
        "kind": "Experiment",
        "metadata": {"name": "study"},
        "spec": {
            "objective": {"type": "maximize", "objectiveMetricName": "auc"},
            "algorithm": {"algorithmName": "random"},
            "maxTrialCount": 6,
            "parallelTrialCount": 2,
            "maxFailedTrialCount": 3,
            "parameters": [double, integer, choice],
            "trialTemplate": {
                "primaryContainerName": "main",
                "trialParameters": [{"name": name, "reference": name} for name in names],
                "trialSpec": {"apiVersion": "batch/v1", "kind": "Job", "spec": job},
            },
        },
    }


def put(path: str, value: Any) -> Break:
    """Sets `a.0.b` in the spec; None takes the field away."""

    def change(manifest: dict[str, Any]) -> None:
        *above, last = path.split(".")
        target: Any = manifest["spec"]
        for key in above:
            target = target[int(key)] if isinstance(target, list) else target.setdefault(key, {})
        if value is None:
            del target[int(last) if isinstance(target, list) else last]
        else:
            target[int(last) if isinstance(target, list) else last] = value

    return change


def name(text: str) -> Break:
    return lambda manifest: manifest["metadata"].update(name=text)


def both(*changes: Break) -> Break:
    return lambda manifest: [change(manifest) for change in changes] and None


def collector(kind: str, **source: Any) -> Break:
    return put("metricsCollectorSpec", {"collector": {"kind": kind}, **({"source": source} if source else {})})


def algorithm(name: str, **settings: Any) -> Break:
    named = [{"name": setting, "value": str(value)} for setting, value in settings.items()]
    return put("algorithm", {"algorithmName": name, "algorithmSettings": named})


def early(name: str, **settings: Any) -> Break:
    named = [{"name": setting, "value": str(value)} for setting, value in settings.items()]
    return put("earlyStopping", {"algorithmName": name, "algorithmSettings": named})


def filtered(expression: str) -> Break:
    return collector("File", filter={"metricsFormat": [expression]})


def path(**fields: str) -> dict[str, Any]:
    return {"fileSystemPath": fields}


LR, CHOICE, TEMPLATE = "parameters.0", "parameters.2", "trialTemplate"
SPACE = f"{LR}.feasibleSpace"
JOB = f"{TEMPLATE}.trialSpec"
PARAMETER = f"{TEMPLATE}.trialParameters.0"
OPERATION = {
    "operationType": "convolution",
    "parameters": [{"name": "size", "parameterType": "categorical", "feasibleSpace": {"list": ["3"]}}],
}
GRAPH = {"numLayers": 1, "inputSizes": [32], "outputSizes": [10]}


def architecture(name: str, graph: dict[str, Any] = GRAPH, operation: dict[str, Any] = OPERATION) -> Break:
    """An architecture search in the place of the parameters."""
    return both(
        algorithm(name), put("parameters", []), put("nasConfig", {"graphConfig": graph, "operations": [operation]})
    )


# name of the rule -> (how it is broken, the field that is told)
WEBHOOK: dict[str, tuple[Break, str]] = {
    "name begins with a letter": (name("0study"), "metadata.name"),
    "name has at most 40 characters": (name("a" * 41), "metadata.name"),
    "maxFailedTrialCount is not negative": (put("maxFailedTrialCount", -1), "spec.maxFailedTrialCount"),
    "maxTrialCount is positive": (put("maxTrialCount", 0), "spec.maxTrialCount"),
    "parallelTrialCount is positive": (put("parallelTrialCount", 0), "spec.parallelTrialCount"),
    "maxFailedTrialCount is at most maxTrialCount": (put("maxFailedTrialCount", 7), "spec.maxFailedTrialCount"),
    "parallelTrialCount is at most maxTrialCount": (put("parallelTrialCount", 7), "spec.parallelTrialCount"),
    "three trials at once where nothing is said": (
        both(put("parallelTrialCount", None), put("maxTrialCount", 2), put("maxFailedTrialCount", 1)),
        "spec.parallelTrialCount",
    ),
    "objective is there": (put("objective", None), "spec.objective"),
    "objective has a type": (put("objective.type", "best"), "spec.objective.type"),
    "objective names a metric": (put("objective.objectiveMetricName", ""), "spec.objective.objectiveMetricName"),
    "additional metrics are others": (
        put("objective.additionalMetricNames", ["auc"]), "spec.objective.additionalMetricNames"),
    "algorithm is there": (put("algorithm", None), "spec.algorithm"),
    "algorithm has a name": (put("algorithm.algorithmName", ""), "spec.algorithm.algorithmName"),
    "algorithm is known": (algorithm("annealing"), "spec.algorithm.algorithmName"),
    "early stopping has a name": (early(""), "spec.earlyStopping.algorithmName"),
    "early stopping is known": (early("asha"), "spec.earlyStopping.algorithmName"),
    "resumePolicy is known": (put("resumePolicy", "Always"), "spec.resumePolicy"),
    "parameters or nasConfig": (put("parameters", []), "spec"),
    "not both parameters and nasConfig": (put("nasConfig", {"operations": [OPERATION]}), "spec"),
    "parameterType is known": (put(f"{LR}.parameterType", "float"), "spec.parameters[0].parameterType"),
    "parameterType is there": (put(f"{LR}.parameterType", ""), "spec.parameters[0].parameterType"),
    "distribution is known": (put(f"{SPACE}.distribution", "beta"), "spec.parameters[0].feasibleSpace.distribution"),
    "a number has no list": (put(f"{SPACE}.list", ["1"]), "spec.parameters[0].feasibleSpace.list"),
    "a number has a max": (put(f"{SPACE}.max", None), "spec.parameters[0].feasibleSpace.max"),
    "a number has a min": (put(f"{SPACE}.min", None), "spec.parameters[0].feasibleSpace.max"),
    "a choice has no bounds": (put(f"{CHOICE}.feasibleSpace.max", "1"), "spec.parameters[2].feasibleSpace"),
    "a choice has no step": (put(f"{CHOICE}.feasibleSpace.step", "1"), "spec.parameters[2].feasibleSpace"),
    "trialTemplate is there": (put(TEMPLATE, None), "spec.trialTemplate"),
    "primaryContainerName is there": (
        put(f"{TEMPLATE}.primaryContainerName", ""), "spec.trialTemplate.primaryContainerName"),
    "other kinds need a successCondition": (
        both(put(f"{JOB}.kind", "Workflow"), put(f"{TEMPLATE}.failureCondition", "a.b")), "spec.trialTemplate"),
    "other kinds need a failureCondition": (
        both(put(f"{JOB}.kind", "Workflow"), put(f"{TEMPLATE}.successCondition", "a.b")), "spec.trialTemplate"),
    "trialParameters are there": (put(f"{TEMPLATE}.trialParameters", []), "spec.trialTemplate.trialParameters"),
    "trialSpec or configMap": (put(JOB, None), "spec.trialTemplate.trialSpec"),
    "not both trialSpec and configMap": (put(f"{TEMPLATE}.configMap", {"configMapName": "x"}), "spec.trialTemplate"),
    "configMap is named in full": (
        both(put(JOB, None), put(f"{TEMPLATE}.configMap", {"configMapName": "x"})), "spec.trialTemplate.configMap"),
    "a trial parameter has a name": (put(f"{PARAMETER}.name", ""), "spec.trialTemplate.trialParameters[0]"),
    "a trial parameter has a reference": (put(f"{PARAMETER}.reference", ""), "spec.trialTemplate.trialParameters[0]"),
    "a trial parameter's name has no braces": (
        put(f"{PARAMETER}.name", "l{r"), "spec.trialTemplate.trialParameters[0]"),
    "trial parameters' names differ": (
        put(f"{TEMPLATE}.trialParameters.1.name", "lr"), "spec.trialTemplate.trialParameters[1].name"),
    "trial parameters' references differ": (
        put(f"{TEMPLATE}.trialParameters.1.reference", "lr"), "spec.trialTemplate.trialParameters[1].reference"),
    "a reference is to a parameter": (
        put(f"{PARAMETER}.reference", "rate"), "spec.trialTemplate.trialParameters[0].reference"),
    "a reference to the trial is to what it has": (
        put(f"{PARAMETER}.reference", "${trialSpec.Age}"), "spec.trialTemplate.trialParameters[0].reference"),
    "a trial parameter is in the template": (
        put(f"{PARAMETER}.name", "rate"), "spec.trialTemplate.trialParameters[0].name"),
    "a placeholder has its trial parameter": (
        put(f"{JOB}.metadata", {"labels": {"a": "${trialParameters.more}"}}), "spec.trialTemplate"),
    "the trial has no name": (put(f"{JOB}.metadata", {"name": "x"}), "spec.trialTemplate"),
    "the trial has no namespace": (put(f"{JOB}.metadata", {"namespace": "x"}), "spec.trialTemplate"),
    "the trial has an apiVersion": (put(f"{JOB}.apiVersion", ""), "spec.trialTemplate"),
    "the trial has a kind": (put(f"{JOB}.kind", ""), "spec.trialTemplate"),
    "a Job has the fields of a Job": (put(f"{JOB}.spec.replicas", 2), "spec.trialTemplate.trialSpec.spec.replicas"),
    "a Job's container has the fields of one": (
        put(f"{JOB}.spec.template.spec.containers.0.comand", ["x"]),
        "spec.trialTemplate.trialSpec.spec.template.spec.containers[0].comand"),
    "collector is known": (collector("None"), "spec.metricsCollectorSpec.collector.kind"),
    "File has an absolute path": (
        collector("File", **path(path="figures")), "spec.metricsCollectorSpec.source.fileSystemPath.path"),
    "File is a file": (
        collector("File", **path(kind="Directory")), "spec.metricsCollectorSpec.source.fileSystemPath.path"),
    "File has a known format": (
        collector("File", **path(format="CSV")), "spec.metricsCollectorSpec.source.fileSystemPath.format"),
    "JSON has no filter": (
        collector("File", **path(format="JSON"), filter={"metricsFormat": ["(a)(b)"]}),
        "spec.metricsCollectorSpec.source.filter"),
    "TensorFlowEvent is a directory": (
        collector("TensorFlowEvent", **path(kind="File", path="/a")), "spec.metricsCollectorSpec.source"),
    "TensorFlowEvent has no format": (
        collector("TensorFlowEvent", **path(format="TEXT")), "spec.metricsCollectorSpec.source.fileSystemPath.format"),
    "PrometheusMetric has a port": (
        collector("PrometheusMetric", httpGet={"port": "metrics"}), "spec.metricsCollectorSpec.source.httpGet.port"),
    "PrometheusMetric has a path": (
        collector("PrometheusMetric", httpGet={"path": "metrics"}), "spec.metricsCollectorSpec.source.httpGet.path"),
    "Custom has a container": (collector("Custom"), "spec.metricsCollectorSpec.collector.customCollector"),
    "Custom has an absolute path": (
        put("metricsCollectorSpec", {"collector": {"kind": "Custom", "customCollector": {"name": "c"}},
                                     "source": path(path="a", kind="File")}),
        "spec.metricsCollectorSpec.source.fileSystemPath"),
    "a filter is an expression": (filtered("(a"), "spec.metricsCollectorSpec.source.filter.metricsFormat"),
    "a filter is one of Go's": (filtered("(?=a)(b)(c)"), "spec.metricsCollectorSpec.source.filter.metricsFormat"),
    "a filter has two groups": (filtered("(a)=b"), "spec.metricsCollectorSpec.source.filter.metricsFormat"),
    "a misspelt field is lost": (put("maxTrialCounts", 3), "spec.maxTrialCounts"),
    "a count is a number": (put("maxTrialCount", "3"), "spec.maxTrialCount"),
    "a count has 32 bits": (put("maxTrialCount", 2**31), "spec.maxTrialCount"),
    "a bound is a text": (put(f"{SPACE}.min", 0.01), "spec.parameters[0].feasibleSpace.min"),
}  # fmt: skip

SUGGESTION: dict[str, tuple[Break, str]] = {
    "a filter of StdOut has two groups": (collector("StdOut", filter={"metricsFormat": ["(a)=b"]}), "two top"),
    "parameterType unknown is drawn by nobody": (put(f"{LR}.parameterType", "unknown"), "parameterType"),
    "a choice has choices": (put(f"{CHOICE}.feasibleSpace", {"distribution": "uniform"}), "feasibleSpace.list"),
    "a bound is a number": (put(f"{SPACE}.min", "low"), "must be written as doubles"),
    "a step is a number": (put(f"{SPACE}.step", "small"), "must be written as doubles"),
    "an int's bound is whole": (put("parameters.1.feasibleSpace.min", "0.5"), "must be written as ints"),
    "min is at most max": (put(f"{SPACE}.min", "2"), "must be at most max"),
    "bounds are finite": (put(f"{SPACE}.max", "inf"), "finite"),
    "a step is positive": (put(f"{SPACE}.step", "-1"), "must be greater than 0"),
    "a logarithm is of a positive number": (
        both(put(f"{SPACE}.distribution", "logUniform"), put(f"{SPACE}.min", "0")), "no logarithm"),
    "parameters' names differ": (
        both(
            put("parameters.1.name", "lr"),
            put(f"{TEMPLATE}.trialParameters.1", None),
            put(f"{JOB}.spec.template.spec.containers.0.env.1.value", "1"),
        ),
        "stands for another",
    ),
    "every parameter is referred to": (
        both(put(PARAMETER, None), put(f"{JOB}.spec.template.spec.containers.0.env.0.value", "1")),
        "refers to parameter"),
    "random has one setting": (algorithm("random", seed=1), "unknown setting seed"),
    "random_state is not negative": (algorithm("random", random_state=-1), "outside what random takes"),
    "tpe's gamma is a share": (algorithm("tpe", gamma=1), "outside"),
    "tpe's prior_weight is positive": (algorithm("tpe", prior_weight=0), "outside"),
    "tpe's n_EI_candidates is positive": (algorithm("tpe", n_EI_candidates=0), "outside"),
    "multivariate-tpe has no gamma": (algorithm("multivariate-tpe", gamma=0.5), "unknown setting"),
    "cmaes's sigma is not negative": (algorithm("cmaes", sigma=-1), "outside"),
    "cmaes's restart_strategy is known": (algorithm("cmaes", restart_strategy="often"), "outside"),
    "cmaes takes two numbers or more": (
        both(algorithm("cmaes"), put("parameters.1", {"name": "layers", "parameterType": "discrete",
                                                      "feasibleSpace": {"list": ["1"]}})), "two or more"),
    "bayes's base_estimator is known": (algorithm("bayesianoptimization", base_estimator="NN"), "outside"),
    "bayes's acq_func is known": (algorithm("bayesianoptimization", acq_func="UCB"), "outside"),
    "bayes's acq_optimizer is known": (algorithm("bayesianoptimization", acq_optimizer="adam"), "outside"),
    "bayes takes doubles above 0": (
        both(algorithm("bayesianoptimization"), put(f"{SPACE}.min", "-1")), "above 0 only"),
    "a grid's doubles have steps": (both(algorithm("grid"), put(f"{SPACE}.step", None)), "no step"),
    "a grid has as many points as trials": (
        both(algorithm("grid"), put("maxTrialCount", 181)), "more than the grid's 180 combinations"),
    "hyperband needs r_l": (algorithm("hyperband", resource_name="layers"), "hyperband needs r_l"),
    "hyperband needs resource_name": (algorithm("hyperband", r_l=2), "hyperband needs resource_name"),
    "hyperband's r_l is positive": (algorithm("hyperband", r_l=-1, resource_name="layers"), "outside"),
    "hyperband's bracket runs at once": (algorithm("hyperband", r_l=9, resource_name="layers"), "not less than 9"),
    "hyperband's resource is a parameter": (
        algorithm("hyperband", r_l=2, resource_name="epochs"), "must be in parameters"),
    "pbt needs a folder": (algorithm("pbt", n_population=5, truncation_threshold=0.2), "needs suggestion_trial_dir"),
    "pbt's population is 5 or more": (
        algorithm("pbt", n_population=4, truncation_threshold=0.2, suggestion_trial_dir="/c"), "outside"),
    "pbt's truncation_threshold is a share": (
        algorithm("pbt", n_population=5, truncation_threshold=2, suggestion_trial_dir="/c"), "outside"),
    "pbt's numbers have steps": (
        algorithm("pbt", n_population=5, truncation_threshold=0.2, suggestion_trial_dir="/c"), "layers: pbt draws"),
    "medianstop's min_trials_required is positive": (early("medianstop", min_trials_required=0), "outside"),
    "medianstop's start_step is positive": (early("medianstop", start_step=0), "outside"),
    "medianstop has no other setting": (early("medianstop", patience=3), "unknown setting"),
    "an architecture search has nasConfig": (algorithm("darts"), "nasConfig"),
    "enas needs a graph": (architecture("enas", {"numLayers": 1, "inputSizes": [32]}), "outputSizes"),
    "enas has no other setting": (both(architecture("enas"), algorithm("enas", depth=2)), "unknown setting"),
    "darts's num_epochs is positive": (both(architecture("darts"), algorithm("darts", num_epochs=0)), "outside"),
    "an operation has a type": (architecture("darts", operation={**OPERATION, "operationType": ""}), "operationType"),
    "an operation has parameters": (architecture("darts", operation={"operationType": "skip"}), "parameters"),
    "an operation's double has a step": (
        architecture("darts", operation={"operationType": "a", "parameters": [
            {"name": "b", "parameterType": "double", "feasibleSpace": {"min": "0", "max": "1"}}]}), "step must be"),
}  # fmt: skip

TAKEN: dict[str, Break] = {
    "as it is": both(),
    "no counts": both(put("maxTrialCount", None), put("maxFailedTrialCount", None), put("parallelTrialCount", None)),
    "every resumePolicy": put("resumePolicy", "FromVolume"),
    "logUniform": put(f"{SPACE}.distribution", "logUniform"),
    "a reference to the trial's name": put(f"{PARAMETER}.reference", "lr"),
    "conditions of another kind": both(
        put(f"{JOB}.kind", "Workflow"),
        put(f"{TEMPLATE}.failureCondition", "a"),
        put(f"{TEMPLATE}.successCondition", "b"),
    ),
    "a TrainJob's conditions go without saying": put(f"{JOB}.kind", "TrainJob"),
    "Push": collector("Push"),
    "File by its defaults": collector("File"),
    "TensorFlowEvent by its defaults": collector("TensorFlowEvent"),
    "PrometheusMetric by its defaults": collector("PrometheusMetric"),
    "a filter with two groups": filtered(r"([\w|-]+)\s*=\s*([+-]?\d*)"),
    "a grid": both(algorithm("grid"), put("maxTrialCount", 180)),
    "hyperband": both(algorithm("hyperband", r_l=2, resource_name="layers")),
    "median stopping": early("medianstop", min_trials_required=3, start_step=4),
    "enas": architecture("enas"),
    "darts": architecture("darts"),
}
