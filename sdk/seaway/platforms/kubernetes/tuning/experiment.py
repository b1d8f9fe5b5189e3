"""Experiment of Katib (kubeflow.org/v1beta1): a study whose trials are PyTorchJobs.

The trial template is the job that `train` builds. Its pods get each parameter's text in an environment variable, where
Katib puts it in place of `${trialParameters.pN}`: the shell line that Katib makes of the command has no parameter in
it, so that no value can break it.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kubeflow_katib_api import models as katib

from seaway.errors import InvalidSpec
from seaway.platforms.kubernetes.client.naming import LONGEST
from seaway.platforms.kubernetes.client.resources import Manifest, Resource
from seaway.platforms.kubernetes.jobs.kind import Kind, outcome_by_conditions
from seaway.platforms.kubernetes.training import pytorchjob
from seaway.platforms.kubernetes.training.placement import Placement
from seaway.platforms.kubernetes.training.pod import START_S
from seaway.platforms.kubernetes.tuning import experiment_validation, suggestion_validation
from seaway.platforms.kubernetes.tuning.experiment_validation import LONGEST_NAME, PLACEHOLDER, condition_of
from seaway.platforms.kubernetes.validation.problem import Problem
from seaway.platforms.kubernetes.validation.schema import require_valid
from seaway.training.pod.job import RemoteTraining
from seaway.tuning import Categorical, Int, SearchSpace, TuneSpec
from seaway.tuning.algorithm import KATIB
from seaway.tuning.pod.__main__ import METRIC
from seaway.tuning.pod.trial import NAME, POINT, VARIABLE, RemoteTrial, Scale, bounds
from seaway.tuning.space import Parameter

RESOURCE = Resource("kubeflow.org", "v1beta1", "experiments", "Experiment")
TRIALS = Resource("kubeflow.org", "v1beta1", "trials", "Trial")
EXPERIMENT = "katib.kubeflow.org/experiment"  # label of trials and, since Katib 0.15, of their pods
COMMAND = ["python", "-m", "seaway.tuning.pod"]
RESOURCE_NAME = "epochs"  # what hyperband shares out: a param of the training
PASSED = (
    "algorithm",
    "earlyStopping",
    "metricsCollectorSpec",
    "nasConfig",
    "objective",
    "resumePolicy",
    "trialTemplate",
)
SEEDED = ("grid", "random", "tpe", "bayesianoptimization", "cmaes")
LOGARITHMIC = (
    "random",
    "tpe",
)  # their service (hyperopt) draws by the distribution; goptuna's, skopt's and ours do not
WITHOUT_QUOTES = re.compile(r'[^"\\$\x00-\x1f]+')  # what can stand in the place of a placeholder
FIRST_OF_ELASTIC = {"training.kubeflow.org/replica-type": "worker", "training.kubeflow.org/replica-index": "0"}
MASTER = {"training.kubeflow.org/job-role": "master"}


@dataclass(frozen=True)
class Study:
    """A study as Katib will carry it out.

    Args:
        spec: What is asked for.
        template: The training of every trial, its data and models behind URIs.
        distributions: Whether the cluster's Katib has `feasibleSpace.distribution`, which came with 0.18: one that has
            not drops it, and draws evenly.
    Raises:
        InvalidSpec: Katib cannot express it.
    """

    spec: TuneSpec
    template: RemoteTraining
    distributions: bool = True

    def __post_init__(self) -> None:
        if not METRIC.fullmatch(self.objective):
            raise InvalidSpec(f"Katib's collectors read no metric {self.objective!r}: use letters, digits, _ and -.")
        if unknown := sorted(set(self.spec.passthrough) - set(PASSED)):
            raise InvalidSpec(f"passthrough: Katib has no {unknown[0]}; there are: {', '.join(PASSED)}.")

    @property
    def objective(self) -> str:
        return self.spec.objectives[0].metric

    @property
    def algorithm(self) -> str:
        """Katib's name of how points are chosen; of median stopping, that of its sampler."""
        method = self.spec.algorithm.method
        name = self.spec.algorithm.settings["sampler"] if self.stops_early else method.backends[KATIB]
        return str(self.spec.passthrough.get("algorithm", {}).get("algorithmName", name))

    @property
    def stops_early(self) -> bool:
        return self.spec.algorithm.name == "median"

    @property
    def space(self) -> SearchSpace:
        """The parameters, and what hyperband shares out."""
        if self.algorithm != "hyperband":
            return self.spec.space
        return SearchSpace({**self.spec.space.parameters, RESOURCE_NAME: Int(self._least_epochs, self._most_epochs)})

    @property
    def trial(self) -> RemoteTrial:
        """What the pods read."""
        scales = {name: self.scale(one) for name, one in self.space.parameters.items()}
        source = self._collector.get("source", {}).get("fileSystemPath", {})
        return RemoteTrial(self.space, scales, self.objective, source.get("path", ""), source.get("format", "TEXT"))

    def scale(self, parameter: Parameter) -> Scale:
        """How Katib's text stands for a value, so that Katib's draw is what the space says."""
        if "nasConfig" in self.spec.passthrough:
            return Scale.TEXT
        if isinstance(parameter, Categorical):
            return Scale.VALUE if all(map(WITHOUT_QUOTES.fullmatch, parameter.texts)) else Scale.INDEX
        if self.algorithm == "bayesianoptimization" and not isinstance(parameter, Int):
            return Scale.VALUE if parameter.log else Scale.EXPONENTIAL
        if parameter.log and self.algorithm != "grid" and not self.draws_logarithms:
            return Scale.LOGARITHM
        return Scale.VALUE

    @property
    def draws_logarithms(self) -> bool:
        """Whether Katib itself draws on a logarithmic scale where the distribution says so."""
        return self.distributions and self.algorithm in LOGARITHMIC

    @property
    def _collector(self) -> Mapping[str, Any]:
        given = self.spec.passthrough.get("metricsCollectorSpec", {"collector": {"kind": "StdOut"}})
        return experiment_validation.defaulted({"metricsCollectorSpec": given})["metricsCollectorSpec"]  # type: ignore[no-any-return]

    @property
    def _least_epochs(self) -> int:
        return int(self.spec.algorithm.settings["min_epochs"])

    @property
    def _most_epochs(self) -> int:
        epochs = self.template.params.get(RESOURCE_NAME)
        if not isinstance(epochs, int) or epochs <= self._least_epochs:
            raise InvalidSpec(
                f"hyperband on Katib shares out the training's param {RESOURCE_NAME!r}, which is {epochs!r}: give a "
                f"whole number above min_epochs={self._least_epochs}."
            )
        return epochs


def build(study: Study, placement: Placement) -> dict[str, Any]:
    """The Experiment without a name; `label_pods` completes it once it has one.

    Raises:
        InvalidSpec: Katib cannot express it, or the workers do not fit the placement.
    """
    spec, trials = study.spec, _trials(study)
    built = katib.V1beta1ExperimentSpec(
        objective=_objective(study),
        algorithm=_algorithm(study),
        early_stopping=_early_stopping(study),
        parameters=None if "nasConfig" in spec.passthrough else list(parameters(study)),
        trial_template=_template(study, placement),
        max_trial_count=trials,
        max_failed_trial_count=min(spec.budget.max_failed + 1, trials),
        parallel_trial_count=min(spec.parallel, trials),
        resume_policy="Never",
    ).to_dict()
    passed = {name: _over(built.get(name), value) for name, value in spec.passthrough.items()}
    return {"apiVersion": RESOURCE.api_version, "kind": RESOURCE.kind, "spec": built | passed}


def label_pods(manifest: Manifest) -> dict[str, Any]:
    """The named Experiment with its name on the pods of its trials, by which the launcher finds them."""
    labelled: dict[str, Any] = json.loads(json.dumps(manifest))
    for replica in labelled["spec"]["trialTemplate"]["trialSpec"]["spec"]["pytorchReplicaSpecs"].values():
        replica["template"]["metadata"]["labels"][EXPERIMENT] = manifest["metadata"]["name"]
    return labelled


def parameters(study: Study) -> Iterator[katib.V1beta1ParameterSpec]:
    """The space in Katib's words."""
    for name, parameter in study.space.parameters.items():
        kind, space = _feasible(study, parameter)
        yield katib.V1beta1ParameterSpec(name=name, parameter_type=kind, feasible_space=space)


def _feasible(study: Study, parameter: Parameter) -> tuple[str, katib.V1beta1FeasibleSpace]:
    scale = study.scale(parameter)
    if isinstance(parameter, Categorical):
        texts = parameter.texts if scale is Scale.VALUE else [str(index) for index in range(len(parameter.choices))]
        return "categorical", katib.V1beta1FeasibleSpace(list=list(texts))
    low, high = bounds(parameter, scale)
    if scale is not Scale.VALUE:
        return "double", katib.V1beta1FeasibleSpace(min=low, max=high)
    stepped = isinstance(parameter, Int) and parameter.step == 1
    return "int" if isinstance(parameter, Int) else "double", katib.V1beta1FeasibleSpace(
        min=low,
        max=high,
        step=None if parameter.step is None or stepped else parameter.write(parameter.step),
        distribution="logUniform" if parameter.log and study.draws_logarithms else None,
    )


def _trials(study: Study) -> int:
    """A grid has an end."""
    wanted = study.spec.budget.trials
    return min(wanted, study.spec.space.size()) if study.algorithm == "grid" else wanted


def _objective(study: Study) -> katib.V1beta1ObjectiveSpec:
    """The figures of the model come last, so the latest is the trial's value."""
    latest = katib.V1beta1MetricStrategy(name=study.objective, value="latest")
    return katib.V1beta1ObjectiveSpec(
        type=study.spec.objectives[0].goal, objective_metric_name=study.objective, metric_strategies=[latest]
    )


def _algorithm(study: Study) -> katib.V1beta1AlgorithmSpec:
    given = study.spec.algorithm.settings
    settings: dict[str, Any] = {"random_state": study.spec.seed} if study.algorithm in SEEDED else {}
    if study.algorithm == "bayesianoptimization":
        settings["n_initial_points"] = given["startup_trials"]
    if study.algorithm == "hyperband":
        most = study.space.parameters[RESOURCE_NAME].high  # type: ignore[union-attr]
        settings |= {"r_l": most, "eta": given["reduction"], "resource_name": RESOURCE_NAME}
    named = [katib.V1beta1AlgorithmSetting(name=name, value=str(value)) for name, value in settings.items()]
    return katib.V1beta1AlgorithmSpec(algorithm_name=study.algorithm, algorithm_settings=named or None)


def _early_stopping(study: Study) -> katib.V1beta1EarlyStoppingSpec | None:
    if not study.stops_early:
        return None
    given = study.spec.algorithm.settings
    settings = {"min_trials_required": given["startup_trials"], "start_step": given["min_epochs"]}
    named = [katib.V1beta1EarlyStoppingSetting(name=name, value=str(value)) for name, value in settings.items()]
    return katib.V1beta1EarlyStoppingSpec(algorithm_name="medianstop", algorithm_settings=named)


def _template(study: Study, placement: Placement) -> katib.V1beta1TrialTemplate:
    return katib.V1beta1TrialTemplate(
        retain=True,  # the pods of a failed trial stay, with their logs, until the Experiment is deleted
        primary_container_name=pytorchjob.CONTAINER,
        primary_pod_labels=FIRST_OF_ELASTIC if placement.elastic else MASTER,
        success_condition=condition_of("Succeeded"),
        failure_condition=condition_of("Failed"),
        trial_parameters=[
            *(
                katib.V1beta1TrialParameterSpec(name=f"p{index}", reference=name)
                for index, name in enumerate(study.space.parameters)
            ),
            katib.V1beta1TrialParameterSpec(name="name", reference="${trialSpec.Name}"),
        ],
        trial_spec=_job(study, placement),
    )


def _job(study: Study, placement: Placement) -> dict[str, Any]:
    """The PyTorchJob of `train`, its pods told which trial they are; a pod that fails is a trial that failed."""
    job = pytorchjob.build(study.template, replace(placement, restarts=0))
    texts = {POINT.format(index): PLACEHOLDER.format(f"p{index}") for index in range(len(study.space.parameters))}
    ours = {VARIABLE: study.trial.text, NAME: PLACEHOLDER.format("name"), **texts}
    for replica in job["spec"]["pytorchReplicaSpecs"].values():
        [container] = replica["template"]["spec"]["containers"]
        container["command"] = COMMAND
        container["env"] = [*container["env"], *({"name": name, "value": value} for name, value in ours.items())]
    return job


def _over(built: Any, passed: Any) -> Any:
    """What is passed through, over what was built."""
    return {**built, **passed} if isinstance(built, Mapping) and isinstance(passed, Mapping) else passed


def rules(manifest: Manifest) -> Iterator[Problem]:
    """What the webhook refuses; where it is content, what Katib then fails on."""
    refused = list(experiment_validation.rules(manifest))
    yield from refused or suggestion_validation.rules(manifest)


def preflight(manifest: Manifest) -> None:
    """Refuse what Katib would. Raises: InvalidSpec: with the fields' paths."""
    require_valid(manifest, RESOURCE, (rules,))


def timeout_s(study: Study) -> float:
    """Seconds after which the study cannot still be at work: its trials one after another, `parallel` at a time."""
    turns = math.ceil(study.spec.budget.trials / study.spec.parallel)
    return turns * (study.template.timeout_s + START_S)


def progress(experiment: Manifest) -> Iterator[str]:
    """How many trials ended how, and the best so far."""
    status = experiment.get("status", {})
    counts = {words: status.get(field, 0) for field, words in ENDINGS.items()}
    if any(counts.values()):
        ended = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
        yield f"Trials: {ended}, of {experiment['spec']['maxTrialCount']}.{_best(status)}"


def _best(status: Manifest) -> str:
    best = status.get("currentOptimalTrial", {})
    figures = [f"{metric['name']} {metric['latest']}" for metric in best.get("observation", {}).get("metrics") or ()]
    point = [f"{one['name']}={one.get('value', '')}" for one in best.get("parameterAssignments") or ()]
    return f" Best: {', '.join(figures)} by {', '.join(point)}." if figures else ""


def trial_names(experiment: Manifest) -> Iterator[str]:
    """Trials, which the jobs that they run share their names with."""
    status = experiment.get("status", {})
    for state in ("pending", "running", "succeeded", "failed", "killed", "earlyStopped", "metricsUnavailable"):
        yield from status.get(f"{state}TrialList") or ()


def is_at_work(experiment: Manifest) -> bool:
    """Whether Katib has made a trial, which takes its controller and the suggestion service."""
    return bool(experiment.get("status", {}).get("trials"))


ENDINGS = {  # field of the status -> words
    "trialsSucceeded": "succeeded",
    "trialsEarlyStopped": "stopped early",
    "trialsFailed": "failed",
    "trialMetricsUnavailable": "without metrics (unavailable)",
    "trialsKilled": "killed",
}
KIND = Kind(
    resource=RESOURCE,
    controller="Katib, or the suggestion service that it starts in this namespace,",
    taken_up=is_at_work,
    progress=progress,
    parts=trial_names,
    outcome=outcome_by_conditions(succeeded="Succeeded", failed="Failed"),
    pod_label=EXPERIMENT,
    preflight=preflight,
    suffix=LONGEST - LONGEST_NAME,
    suspend=(),
)
